"""Whether a scenario came out as expected; pure, from what was recorded."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hems.scenarios import expected as ex
from hems.scenarios.amounts import UNIT_OF, Course, in_words
from hems.scenarios.record import Courses, Played
from hems.scenarios.script import Script
from programs.performance import Performance

_QUARTER_S: Final = 900.0
_MINUTE_S: Final = 60.0
_SLACK: Final = 1e-9
_NOT_PLAYED: Final = "it was not dispatched"
_ON_W: Final = 50.0
"""A device that draws more than this is on."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        passed: Whether it is as expected.
        expects: What was expected, in words.
        found: What there was, in words.
        says: Why it is expected.
    """

    passed: bool
    expects: str
    found: str
    says: str = ""


def judge(script: Script, played: Played) -> tuple[Finding, ...]:
    """Return what each check of a scenario finds, in its order."""
    return tuple(_judge(each, script, played) for each in script.expect)


def _judge(check: ex.Expected, script: Script, played: Played) -> Finding:
    match check:
        case ex.Rebound():
            return _rebound(check, script, played)
        case ex.Responses():
            return _responses(check, played)
        case ex.Alarm():
            return _alarm(check, script, played)
        case ex.State():
            return _state(check, script, played)
        case ex.Refused():
            return _refused(check, played)
        case ex.Reported():
            return _reported(check, script, played)
        case ex.Record():
            return _record(check, played)
        case _:
            return _of_course(check, script, played.courses)


def _of_course(check: ex.OfCourse, script: Script, courses: Courses) -> Finding:
    match check:
        case ex.Bound():
            return _bound(check, script, courses)
        case ex.Mean():
            return _mean(check, script, courses)
        case ex.Energy():
            return _energy(check, script, courses)
        case ex.Slope():
            return _slope(check, script, courses)
        case ex.Value():
            return _value(check, script, courses)
        case ex.Less():
            return _less(check, script, courses)
        case ex.Starts():
            return _starts(check, script, courses)


def _window(
    check: ex.Bound | ex.Mean | ex.Energy | ex.Slope | ex.Starts, script: Script, courses: Courses
) -> Sequence[float]:
    return courses.between(check.of.value, script.at(check.begins), script.at(check.ends))


def _limits(at_least: float | None, at_most: float | None, unit: str) -> str:
    parts = []
    if at_least is not None:
        parts.append(f"at least {in_words(at_least, unit)}")
    if at_most is not None:
        parts.append(f"at most {in_words(at_most, unit)}")
    return " and ".join(parts)


def _inside(value: float, at_least: float | None, at_most: float | None) -> bool:
    """Return whether a value is within bounds; one that is not known never is."""
    if math.isnan(value):
        return False
    low = -math.inf if at_least is None else at_least
    high = math.inf if at_most is None else at_most
    return low - _SLACK <= value <= high + _SLACK


def _from_to(check: ex.Bound | ex.Mean | ex.Energy | ex.Slope | ex.Starts | ex.Less) -> str:
    return f"from {check.begins} to {check.ends}"


def _bound(check: ex.Bound, script: Script, courses: Courses) -> Finding:
    values, unit = _window(check, script, courses), UNIT_OF[check.of]
    good = sum(_inside(value, check.at_least, check.at_most) for value in values)
    share = good / len(values) if values else 0.0
    known = [value for value in values if not math.isnan(value)]
    span = f"{in_words(min(known), unit)} to {in_words(max(known), unit)}" if known else "nothing"
    limits = _limits(check.at_least, check.at_most, unit)
    return Finding(
        share >= check.share - _SLACK,
        f"{check.of} {limits} {_from_to(check)} in {in_words(check.share, '%')} of the time",
        f"{in_words(share, '%')}; {span}",
        check.says,
    )


def _mean(check: ex.Mean, script: Script, courses: Courses) -> Finding:
    values, unit = _window(check, script, courses), UNIT_OF[check.of]
    mean = _mean_of(values)
    return Finding(
        _inside(mean, check.at_least, check.at_most),
        f"mean {check.of} {_limits(check.at_least, check.at_most, unit)} {_from_to(check)}",
        in_words(mean, unit),
        check.says,
    )


def _energy(check: ex.Energy, script: Script, courses: Courses) -> Finding:
    begins, ends = script.at(check.begins), script.at(check.ends)
    energy_wh = _mean_of(_window(check, script, courses)) * (ends - begins) / 3600.0
    return Finding(
        _inside(energy_wh, check.at_least, check.at_most),
        f"energy of {check.of} {_limits(check.at_least, check.at_most, 'Wh')} {_from_to(check)}",
        in_words(energy_wh, "Wh"),
        check.says,
    )


def _slope(check: ex.Slope, script: Script, courses: Courses) -> Finding:
    values = _window(check, script, courses)
    apart = max(1, round(check.over / script.step))
    slopes = [
        (late - early) * _MINUTE_S / check.over
        for early, late in zip(values, values[apart:], strict=False)
    ]
    low, high = check.at_least, check.at_most
    good = sum(_inside(slope, low, high) for slope in slopes)
    share = good / len(slopes) if slopes else 0.0
    worst = max((abs(slope) for slope in slopes), default=math.nan)
    return Finding(
        share >= check.share - _SLACK,
        f"slope of {check.of} over {check.over:g} s {_limits(low, high, 'W/min')} "
        f"{_from_to(check)} in {in_words(check.share, '%')} of the time",
        f"{in_words(share, '%')}; steepest {in_words(worst, 'W/min')}",
        check.says,
    )


def _value(check: ex.Value, script: Script, courses: Courses) -> Finding:
    unit = UNIT_OF[check.of]
    value = courses.at(check.of.value, script.at(check.at))
    return Finding(
        _inside(value, check.at_least, check.at_most),
        f"{check.of} {_limits(check.at_least, check.at_most, unit)} at {check.at}",
        in_words(value, unit),
        check.says,
    )


def _less(check: ex.Less, script: Script, courses: Courses) -> Finding:
    of, unit = check.of.value, UNIT_OF[check.of]
    before = _mean_of(courses.between(of, script.at(check.than_from), script.at(check.than_to)))
    during = _mean_of(courses.between(of, script.at(check.begins), script.at(check.ends)))
    less = before - during
    return Finding(
        _inside(less, check.by_at_least, None),
        f"mean {check.of} {_from_to(check)} less by {in_words(check.by_at_least, unit)} than from "
        f"{check.than_from} to {check.than_to}",
        f"less by {in_words(less, unit)}: {in_words(during, unit)}, not {in_words(before, unit)}",
        check.says,
    )


def _rebound(check: ex.Rebound, script: Script, played: Played) -> Finding:
    told = played.events.get(check.event)
    expects = f"no quarter of an hour after {check.event!r} above the highest one of before"
    if told is None:
        return Finding(passed=False, expects=expects, found=_NOT_PLAYED, says=check.says)
    ends = told.cancelled_at or told.ends_at
    courses, net = played.courses, Course.NET.value
    before_w = _highest_quarter(courses, net, script.begin, told.starts_at)
    after_w = _highest_quarter(courses, net, ends, ends + check.within)
    return Finding(
        _inside(after_w - before_w, None, check.at_most),
        expects + (f", by {in_words(check.at_most, 'W')} at most" if check.at_most else ""),
        f"{in_words(after_w, 'W')} after, {in_words(before_w, 'W')} before",
        check.says,
    )


def _highest_quarter(courses: Courses, name: str, begins: float, ends: float) -> float:
    """Return the highest mean of a quarter of an hour, one every minute; of all if it is short."""
    found, at = [], begins
    while at + _QUARTER_S <= ends + _SLACK:
        values = courses.between(name, at, at + _QUARTER_S)
        if values:
            found.append(_mean_of(values))
        at += _MINUTE_S
    return max(found, default=_mean_of(courses.between(name, begins, ends)))


def _responses(check: ex.Responses, played: Played) -> Finding:
    told = played.events.get(check.event)
    found = () if told is None else tuple(answer.status for answer in told.answers)
    return Finding(
        told is not None and found == check.codes,
        f"event {check.event!r} answered by {_listed(check.codes)}",
        _NOT_PLAYED if told is None else _listed(found),
        check.says,
    )


def _alarm(check: ex.Alarm, script: Script, played: Played) -> Finding:
    begins = -math.inf if check.begins is None else script.at(check.begins)
    ends = math.inf if check.ends is None else script.at(check.ends)
    wanted = check.contains.casefold()
    found = [
        each.text
        for each in played.shown
        if wanted in each.text.casefold() and each.begins < ends and each.ends >= begins
    ]
    verb = "is told" if check.told else "is not told"
    others = "; ".join(each.text for each in played.shown) or "nothing"
    return Finding(
        bool(found) is check.told,
        f"the owner {verb} of {check.contains!r}",
        found[0] if found else f"told: {others}",
        check.says,
    )


def _state(check: ex.State, script: Script, played: Played) -> Finding:
    told = played.events.get(check.event)
    state, note = ("unknown", "") if told is None else told.state_at(script.at(check.at))
    noted = check.note_contains.casefold() in note.casefold()
    more = f", noting {check.note_contains!r}" if check.note_contains else ""
    return Finding(
        state == check.state and noted,
        f"event {check.event!r} {check.state} at {check.at}{more}",
        f"{state}{f': {note}' if note else ''}",
        check.says,
    )


def _refused(check: ex.Refused, played: Played) -> Finding:
    said = [text for _, text in played.refusals]
    wanted = check.contains.casefold()
    return Finding(
        any(wanted in text.casefold() for text in said),
        f"the owner is refused, saying {check.contains!r}",
        "; ".join(said) or "nothing was refused",
        check.says,
    )


def _reported(check: ex.Reported, script: Script, played: Played) -> Finding:
    begins, ends = script.at(check.begins), script.at(check.ends)
    found = [
        each.power_w for each in played.reported if begins <= each.begins and each.ends <= ends
    ]
    limits = _limits(check.at_least, check.at_most, "W")
    span = f"{in_words(min(found), 'W')} to {in_words(max(found), 'W')}" if found else "nothing"
    return Finding(
        bool(found) and all(_inside(value, check.at_least, check.at_most) for value in found),
        f"net {limits} as reported from {check.begins} to {check.ends}",
        f"{len(found)} readings: {span}",
        check.says,
    )


def _record(check: ex.Record, played: Played) -> Finding:
    told = None if check.event is None else played.events.get(check.event)
    found = [
        each
        for each in played.records
        if check.programme in {None, each.programme}
        and (check.event is None or (told is not None and each.event == told.mrid))
    ]
    asked = [
        *([] if check.delivered is None else [f"{in_words(check.delivered, '%')} delivered"]),
        *([] if check.inside is None else [f"{in_words(check.inside, '%')} of the time inside"]),
        *([] if check.settled is None else [f"settled within {check.settled:g} s"]),
        *([f"a note of {check.note_contains!r}"] if check.note_contains else []),
    ]
    return Finding(
        bool(found) and all(_recorded(check, each) for each in found),
        f"record of {check.event or check.programme!r} with at least {', '.join(asked)}",
        "; ".join(_in_record(each) for each in found) or "no record of it",
        check.says,
    )


def _recorded(check: ex.Record, found: Performance) -> bool:
    settled_s = math.nan if found.settled_s is None else found.settled_s
    inside = math.nan if found.inside_share is None else found.inside_share
    return (
        (check.delivered is None or _inside(_delivered(found), check.delivered, None))
        and (check.inside is None or _inside(inside, check.inside, None))
        and (check.settled is None or _inside(settled_s, None, check.settled))
        and check.note_contains.casefold() in found.note.casefold()
    )


def _delivered(found: Performance) -> float:
    """Return which share of what was promised was delivered; NaN where either is not known."""
    if not found.promised_wh or found.delivered_wh is None:
        return math.nan
    return found.delivered_wh / found.promised_wh


def _in_record(found: Performance) -> str:
    inside = math.nan if found.inside_share is None else found.inside_share
    after = "never" if found.settled_s is None else f"after {found.settled_s:.1f} s"
    return (
        f"{found.programme}: {in_words(_delivered(found), '%')} delivered, "
        f"{in_words(inside, '%')} of the time inside, settled {after}"
        + (f" ({found.note})" if found.note else "")
    )


def _starts(check: ex.Starts, script: Script, courses: Courses) -> Finding:
    on = [value > _ON_W for value in _window(check, script, courses)]
    count = sum(now and not before for before, now in itertools.pairwise(on))
    return Finding(
        count <= check.at_most,
        f"{check.of} starts at most {check.at_most} times {_from_to(check)}",
        f"{count} times",
        check.says,
    )


def _mean_of(values: Sequence[float]) -> float:
    """Return the mean of what is known; NaN of nothing."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def _listed(codes: Sequence[int]) -> str:
    return ", ".join(str(code) for code in codes) or "nothing"

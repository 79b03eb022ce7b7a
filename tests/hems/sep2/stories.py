"""Stories of what servers say and owners do, second by second, for the tests of the event rules."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from hems.sep2.rules.changes import amend
from hems.sep2.rules.events import (
    DISABLED,
    Default,
    Event,
    Held,
    ModeValue,
    Program,
    Schedule,
    Status,
    draw,
    effective,
    resolve,
    timelines,
)
from hems.sep2.rules.lifecycle import (
    Owed,
    Phase,
    Profile,
    Progress,
    advance,
    choose,
    judge,
    receive,
)
from hems.sep2.rules.successive import follow_on

LENGTH = 50
"""Seconds that a story is looked at; nothing in it lasts longer."""
MODES = ("opModExpLimW", "opModImpLimW", "opModTargetW")
BEYOND = "opModFixedW"
"""A mode that no home of these stories carries out."""
OURS, OTHERS = 1 << 14, 1 << 3


@dataclass(frozen=True, slots=True)
class Word:
    """Something that a server says of an event from a second on.

    Attributes:
        at: Since when.
        event: The event as it then is; None once it has vanished from its list.
    """

    at: int
    event: Event | None


@dataclass(frozen=True, slots=True)
class Wish:
    """The owner leaves an event, or takes part again."""

    at: int
    mrid: str
    opted_out: bool


@dataclass(frozen=True, slots=True)
class Story:
    """What happens.

    Attributes:
        words: By mRID, in order of time.
        defaults: Default controls, unchanged throughout.
        polls: Seconds in which the home reads the lists of all programmes.
        wishes: What the owner does.
        silent: Seconds in which the server cannot be reached; no poll is among them.
        seed: For the draws.
    """

    words: Mapping[str, Sequence[Word]]
    defaults: Sequence[Default]
    polls: frozenset[int]
    wishes: Sequence[Wish]
    silent: range
    seed: int

    def lists(self, at: int) -> list[Event]:
        """Return the events that the server has at a second."""
        shown = []
        for words in self.words.values():
            said = [w for w in words if w.at <= at]
            if said and said[-1].event is not None:
                shown.append(said[-1].event)
        return shown

    def lost_since(self, at: int) -> float | None:
        """Return since when the server counts as lost: after three silent seconds."""
        if at in self.silent and at - self.silent.start >= 3:
            return float(self.silent.start + 3)
        return None


@dataclass
class Home:
    """What a home makes of it, by the rules alone: no ledger, no network."""

    profile: Profile
    rng: random.Random
    progress: dict[str, Progress] = field(default_factory=dict)
    owed: list[tuple[str, int, int, frozenset[str]]] = field(default_factory=list)
    tells_since: bool = True
    told: set[tuple[str, int, frozenset[str]]] = field(default_factory=set)

    def hear(self, events: Sequence[Event], now: int) -> None:
        """Take in the complete lists of all programmes."""
        for event in events:
            known = self.progress.get(event.mrid)
            if known is None:
                self._first(event, now)
            elif not self._settled(known, now) and known.held.event != event:
                step, _ = amend(known, event, self.profile, now)
                self._note(event.mrid, step.progress, step.owed)
        seen = {e.mrid for e in events}
        for mrid, known in list(self.progress.items()):
            end = effective(known.held.event, known.held.draw).end
            if mrid not in seen and not self._settled(known, now) and end > now + 2:
                gone = replace(known.held.event, status=Status.CANCELLED, status_time=now)
                step, _ = amend(known, gone, self.profile, now)
                self._note(mrid, step.progress, step.owed)

    def _first(self, event: Event, now: int) -> None:
        drawn = follow_on(event, draw(event, self.rng), self.held.values())
        verdict = judge(event, drawn, self.profile, now)
        if not verdict.ignored:
            step = receive(event, verdict, drawn, self.profile, now)
            self._note(event.mrid, step.progress, step.owed)

    @staticmethod
    def _settled(known: Progress, now: int) -> bool:
        end = effective(known.held.event, known.held.draw).end
        return known.phase.over and (known.phase is not Phase.SUPERSEDED or end <= now)

    def _note(self, mrid: str, progress: Progress, owed: Sequence[Owed]) -> None:
        self.progress[mrid] = progress
        for each in owed:
            key = (mrid, int(each.code), each.modes)
            if key not in self.told:
                self.told.add(key)
                self.owed.append((mrid, int(each.code), int(each.at), each.modes))

    def wish(self, wish: Wish, now: int) -> None:
        """Let the owner choose, as far as there is a choice."""
        known = self.progress.get(wish.mrid)
        if known is not None and not known.phase.over and not known.held.event.mandatory:
            step = choose(known, wish.opted_out, self.profile, now)
            self._note(wish.mrid, step.progress, step.owed)

    def look(self, now: int, defaults: Sequence[Default], lost_since: float | None) -> Schedule:
        """Follow all events to a second; returns what is in force."""
        kept = [p.held for p in self.progress.values() if p.phase is not Phase.REJECTED]
        lines = timelines(kept, lost_since, resumes=self.profile.resumes)
        for mrid, known in list(self.progress.items()):
            step = advance(known, lines, self.profile, now)
            self._note(mrid, step.progress, step.owed)
        return resolve(lines, defaults, now)

    @property
    def held(self) -> Mapping[str, Held]:
        """All events that were heard of and not ignored, refused ones too."""
        return {mrid: p.held for mrid, p in self.progress.items()}


_PROGRAMS = (
    Program("A1", primacy=0),
    Program("A2", primacy=1),
    Program("A3", primacy=1),
    Program("A4", primacy=2),
)
_VALUES: tuple[ModeValue, ...] = (0.0, 1500.0, 200.0, DISABLED)


def _modes(rng: random.Random) -> dict[str, ModeValue]:
    """Draw what an event sets, now and then more than a home can do."""
    modes = {m: rng.choice(_VALUES) for m in rng.sample(MODES, rng.randint(1, 3))}
    return modes | {BEYOND: 10.0} if rng.random() < 0.08 else modes


def _moved(rng: random.Random, event: Event) -> Event:
    return replace(event, start=rng.randint(6, 26), duration_s=rng.choice([1, 3, 6, 9, 12, 15]))


def _event(rng: random.Random, mrid: str) -> Event:
    """Draw an event as a server would first tell it."""
    event = Event(
        mrid=mrid,
        program=rng.choice(_PROGRAMS),
        creation_time=rng.randint(0, 2),
        start=0,
        duration_s=0,
        modes=_modes(rng),
        randomize_start_s=rng.choice([0, 0, rng.randint(-5, 5)]),
        randomize_duration_s=rng.choice([0, 0, rng.randint(-5, 5)]),
        device_category=rng.choice([None, None, None, OURS, OURS | OTHERS, OTHERS]),
        response_required=rng.choice([7, 7, 7, 3, 2, 1, 0]),
        reply_to=rng.choice(["/rsp"] * 7 + [None]),
        mandatory=rng.random() < 0.25,
    )
    return _moved(rng, event)


def _life(rng: random.Random, mrid: str) -> list[Word]:
    """Draw what a server says of one event over time."""
    event = _event(rng, mrid)
    at = rng.choice([0, 0, 0, 6, 12, 18, 30])
    words = [Word(at, event)]
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        at += rng.randint(1, 14)
        match rng.choice(["status", "status", "interval", "modes", "nonsense", "gone"]):
            case "status":
                status_time = max(0, at - rng.randint(0, 2))
                event = replace(event, status=rng.choice(list(Status)), status_time=status_time)
            case "interval":
                event = _moved(rng, event)
            case "modes":
                event = replace(event, modes=_modes(rng))
            case "nonsense":
                words.append(Word(at, replace(event, modes={"opModExpLimW": -1.0})))
                continue
            case _:
                words.append(Word(at, None))
                continue
        words.append(Word(at, event))
    return words


def story(seed: int, number: int) -> Story:
    """Make a story of some events; the same for the same seed.

    Events that follow one another are made on purpose: by themselves they are too rare.
    """
    rng = random.Random(seed)  # noqa: S311 - stories, not secrets
    mrids = [f"{rng.randint(0, 15):X}{i:03X}" for i in range(number)]
    words = {mrid: _life(rng, mrid) for mrid in mrids}
    if number > 1 and rng.random() < 0.3:
        first, second = (words[m][0] for m in mrids[:2])
        if first.event is not None and second.event is not None:
            after = replace(
                second.event,
                program=first.event.program,
                modes=first.event.modes,
                start=first.event.start + first.event.duration_s,
            )
            words[mrids[1]] = [replace(second, event=after)]
    silence = rng.randint(5, 30)
    silent = range(silence, silence + rng.randint(4, 20)) if rng.random() < 0.3 else range(0)
    every = rng.randint(1, 4)
    return Story(
        words=words,
        defaults=[Default(f"D{i}", rng.choice(_PROGRAMS), _modes(rng)) for i in range(2)],
        polls=frozenset(t for t in range(0, LENGTH, every) if t not in silent),
        wishes=[
            Wish(rng.randint(0, 40), rng.choice(mrids), rng.random() < 0.6)
            for _ in range(rng.choice([0, 2, 5]))
        ],
        silent=silent,
        seed=seed,
    )


stories = st.builds(story, st.integers(0, 2**64), st.integers(1, 7))
"""Stories, even over all there are: drawn value by value they would mostly be trivial."""

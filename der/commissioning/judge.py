"""What a test move proves, in plain sentences. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from der.commissioning.plan import IDLE_W, Plan
from der.commissioning.shifts import Shift, Sight, Stay, by_phase, obeyed, shifts, sight, taken_at
from der.model import Control, DeviceSpec, Phase
from der.sentence import listed, say

_STILL: Final = 0.15
_WEAK: Final = 0.5
_STRONG: Final = 1.6


class Trouble(StrEnum):
    """What a finding is about."""

    NOT_MOVED = "not-moved"
    """Only that the device accepts was shown."""
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    DEVICE_STILL = "device-still"
    DEVICE_INVERTED = "device-inverted"
    READING_INVERTED = "reading-inverted"
    DEVICE_WEAK = "device-weak"
    DEVICE_STRONG = "device-strong"
    NO_METER = "no-meter"
    METER_SILENT = "meter-silent"
    METER_STUCK = "meter-stuck"
    METER_STILL = "meter-still"
    METER_INVERTED = "meter-inverted"
    PHASE_INVERTED = "phase-inverted"
    OTHER_PHASE = "other-phase"
    UNCLEAR = "unclear"
    """The house moved too much by itself."""
    NOT_GIVEN_BACK = "not-given-back"


_UNSEEN: Final = frozenset(
    {Trouble.METER_SILENT, Trouble.METER_STUCK, Trouble.METER_STILL, Trouble.UNCLEAR}
)
_HARMLESS: Final = frozenset({Trouble.NOT_MOVED, Trouble.NO_METER})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        trouble: What it is about.
        text: One sentence for the owner or the installer, naming the device.
    """

    trouble: Trouble
    text: str

    @property
    def serious(self) -> bool:
        """Whether the device may not join the programmes because of it."""
        return self.trouble not in _HARMLESS


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test move proved.

    Attributes:
        findings: What is wrong or could not be shown; empty if all is well.
        moved: Whether the device was seen to do what it was told.
        phases: Phases on which the meter saw it; empty if that is not known.
        shifts: The changes that this was concluded from.
    """

    findings: tuple[Finding, ...] = ()
    moved: bool = False
    phases: tuple[Phase, ...] = ()
    shifts: tuple[Shift, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing serious was found."""
        return not any(finding.serious for finding in self.findings)


def judge(spec: DeviceSpec, plan: Plan, stays: Sequence[Stay], *, metered: bool = True) -> Verdict:
    """Return what a test move proves.

    Args:
        spec: The device, with the phases that it is said to be connected to.
        plan: What was to be done; its steps may have been repeated.
        stays: What was done, and said meanwhile, in order.
        metered: Whether the home has a meter at its connection point that was asked.
    """
    if _impossible(spec, stays):
        text = (
            say("{name} only produces, but its readings have the opposite sign.", name=spec.name)
            if spec.control is Control.FLOOR
            else say(
                "{name} only consumes, but its readings have the opposite sign.", name=spec.name
            )
        )
        return Verdict((Finding(Trouble.READING_INVERTED, text),))
    if not plan.moves:
        return Verdict(
            (Finding(Trouble.NOT_MOVED, say("{name}: {note}", name=spec.name, note=plan.note)),)
        )
    found = shifts(stays)
    share, seen = obeyed(found), sight(found, stays)
    findings = list(_device(spec, share, found, seen))
    moved = not findings
    phases: tuple[Phase, ...] = ()
    if share is not None and abs(share) > _STILL:
        if any(finding.trouble is Trouble.READING_INVERTED for finding in findings):
            pass  # what it says of itself is no measure for the meter
        elif metered:
            by = by_phase(found, seen)
            about_meter = [*_meter(spec, seen, by, stays)]
            findings += about_meter
            phases = () if {f.trouble for f in about_meter} & _UNSEEN else tuple(by)
        else:
            text = say(
                "{name}: no meter confirms that it moved; only its own word is known.",
                name=spec.name,
            )
            findings.append(Finding(Trouble.NO_METER, text))
    return Verdict(tuple(findings), moved, phases, found)


def _impossible(spec: DeviceSpec, stays: Sequence[Stay]) -> bool:
    """Return whether a device that only consumes, or only produces, says that it does both."""
    if spec.control in {Control.TARGET, Control.NONE}:
        return False
    sign = -1.0 if spec.control is Control.FLOOR else 1.0
    return any((w := stay.device_w) is not None and sign * w < -IDLE_W for stay in stays)


def _device(
    spec: DeviceSpec, share: float | None, found: Sequence[Shift], seen: Sight | None
) -> Iterable[Finding]:
    told = list(dict.fromkeys(s.words for s in found if s.words != "rest"))
    asked = told[0] if told else ""
    for each in told[1:]:
        asked = say("{first} and to {second}", first=asked, second=each)
    said = say("{name} was told to {told}", name=spec.name, told=asked)
    if share is None:
        yield Finding(
            Trouble.UNREADABLE, say("{said}, and gave no new reading of its power.", said=said)
        )
    elif share < -_STILL and seen is Sight.OPPOSITE:
        text = say(
            "{said}; the meter shows that it did, but its own readings have the wrong "
            "sign (or both it and the meter are the wrong way round).",
            said=said,
        )
        yield Finding(Trouble.READING_INVERTED, text)
    elif share < -_STILL:
        text = say(
            "{said}, and moved the other way: the sign of its set-points is inverted.", said=said
        )
        yield Finding(Trouble.DEVICE_INVERTED, text)
    elif share <= _STILL:
        yield Finding(Trouble.DEVICE_STILL, say("{said}, and did not change its power.", said=said))
    elif share < _WEAK:
        text = say("{said}, and moved by only {share:.0%} of that.", said=said, share=share)
        yield Finding(Trouble.DEVICE_WEAK, text)
    elif share > _STRONG and spec.control is Control.TARGET:
        text = say(
            "{said}, and moved by {share:.0%} of that: its scale may be wrong.",
            said=said,
            share=share,
        )
        yield Finding(Trouble.DEVICE_STRONG, text)


def _meter(
    spec: DeviceSpec, seen: Sight | None, by: dict[Phase, float], stays: Sequence[Stay]
) -> Iterable[Finding]:
    turned = [phase for phase, share in by.items() if share < 0]
    right = [phase for phase, share in by.items() if share > 0]
    if turned and right:
        text = say(
            "The meter counts the other way round on {turned}, not on {right}: turn "
            "that current transformer round.",
            turned=_named(turned),
            right=_named(right),
        )
        yield Finding(Trouble.PHASE_INVERTED, text)
    elif seen is Sight.OPPOSITE:
        text = (
            say(
                "When {name} drew more, the meter showed less: the meter counts the other way "
                "round on {phases}. Turn its current transformers, or change its setting "
                "`inverted`.",
                name=spec.name,
                phases=_named(turned),
            )
            if turned
            else say(
                "When {name} drew more, the meter showed less: the meter counts the other way "
                "round. Turn its current transformers, or change its setting `inverted`.",
                name=spec.name,
            )
        )
        yield Finding(Trouble.METER_INVERTED, text)
    elif seen is not Sight.SAME:
        yield _unseen(spec, seen, stays)
        return
    strange = [phase for phase in by if spec.phases and phase not in spec.phases]
    if strange:
        text = say(
            "{name} is said to be connected to {expected}, but the meter saw it on "
            "{seen}: phases are swapped, or its setting `connected_to` is wrong.",
            name=spec.name,
            expected=_named(spec.phases),
            seen=_named([*by]),
        )
        yield Finding(Trouble.OTHER_PHASE, text)


def _unseen(spec: DeviceSpec, seen: Sight | None, stays: Sequence[Stay]) -> Finding:
    readings = [r for stay in stays for r in stay.meter]
    times = {taken_at(r) for r in readings}
    if seen is None or len(times) <= len(stays) // 2:
        text = say(
            "The meter said too little while {name} moved: it is silent, stuck or slow.",
            name=spec.name,
        )
        return Finding(Trouble.METER_SILENT, text)
    if len({(r.power_w, r.phases) for r in readings}) == 1:
        text = say(
            "The meter showed one and the same value while {name} moved: it is stuck.",
            name=spec.name,
        )
        return Finding(Trouble.METER_STUCK, text)
    if seen is Sight.STILL:
        text = say(
            "{name} moved, and the meter did not: the device is not behind this meter, "
            "or the meter does not measure.",
            name=spec.name,
        )
        return Finding(Trouble.METER_STILL, text)
    text = say(
        "The rest of the house moved too much to see {name} at the meter: try "
        "again when it is quieter.",
        name=spec.name,
    )
    return Finding(Trouble.UNCLEAR, text)


def _named(phases: Sequence[Phase]) -> str:
    if len(phases) == 1:
        return say("phase {phase}", phase=phases[0])
    return say("phases {phases}", phases=listed(phases))

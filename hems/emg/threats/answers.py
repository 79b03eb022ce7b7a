"""What the hub does by itself about what it found. Pure: it says what, others do it.

A source that guesses, scans or floods is kept out for a while, and never for good. A device that
is hostile, or that is told something new all the time, is given back to its own control and shut
until somebody of the home allows it again. All else is told, and done by people.

No answer can be turned against the home: the meter and the tie are never shut, for what guards
the fuse and the street hangs on them; and so many devices at most are shut by rules, so that who
can make one look bad cannot take the house apart.
"""

from collections.abc import Collection, Mapping
from typing import Final

from der.model import DeviceKind
from der.sentence import say
from hems.emg.threats.rules.finding import Finding, Threat

KEEPS_OUT: Final = frozenset({Threat.GUESSING, Threat.SCAN, Threat.FLOOD})
SHUTS: Final = frozenset({Threat.HOSTILE_DEVICE, Threat.SETPOINT_STORM})
"""A device that is another, or runs what must not run, is shut by who noticed that.

One that is sent to and fro is not: a battery beside a hob that pulses does so too.
"""
NEVER_SHUT: Final = frozenset({DeviceKind.METER, DeviceKind.TIE})
MOST_SHUT: Final = 3


def kept_out(finding: Finding) -> str:
    """Return the source that is to be kept out for a while; empty for none."""
    return finding.source if finding.threat in KEEPS_OUT else ""


def shuts(
    finding: Finding, devices: Mapping[str, DeviceKind], already: Collection[str]
) -> str | None:
    """Return why the device of a finding is to be shut, one clause; None where it is not.

    Args:
        finding: What was found.
        devices: The home's devices, by id.
        already: Those that were shut for a threat before.
    """
    kind = devices.get(finding.about)
    if finding.threat not in SHUTS or kind is None or kind in NEVER_SHUT:
        return None
    if finding.about in already or len(already) >= MOST_SHUT:
        return None
    if finding.threat is Threat.HOSTILE_DEVICE:
        return say("it floods the hub, or says again and again what no such device can say")
    return say("it was told something new all the time, which may wear it out")

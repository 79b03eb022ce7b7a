"""What chrony says of the machine's clock, by `chronyc -c -n -m tracking sources`.

chrony alone speaks to NTP servers and reference clocks (GPS, PTP, IRIG and radio clocks by its
`refclock` drivers); the hub asks chrony. Pure but for `ask`.
"""

import csv
from typing import Final

from hems.timekeeping.program import output_of
from hems.timekeeping.reading import Reading, Source, Upstream

LEAST_POLL_S: Final = 4.0
"""No NTP server is asked more often than once in so many seconds."""
_TRACKING: Final = 14
_SOURCE: Final = 10
_OWN_CLOCK: Final = "7F7F0101"
"""The reference that chrony names where it goes by the machine's own clock (`local`)."""
_LEAPS: Final = {"Insert second": "insert", "Delete second": "delete"}
_STATES: Final = {"*": "used", "+": "good", "-": "unused", "x": "unused", "~": "unused"}
_REACHED: Final = "?"
_LARGEST_POLL: Final = 24
"""Of the logarithm to base 2 in which polls are told: half a year."""


class ChronyError(ValueError):
    """chronyc's answer makes no sense; `str()` says what is wrong with it."""


async def ask(chronyc: str, where: str = "") -> Reading | None:
    """Return what chrony says; None where there is none, or it does not answer.

    Args:
        chronyc: The program.
        where: Where chronyd listens for it: an address or a socket's path; empty for its own rule.

    Raises:
        ChronyError: The answer makes no sense.
    """
    at = ("-h", where) if where else ()
    text = await output_of(chronyc, *at, "-c", "-n", "-m", "tracking", "sources")
    return None if text is None else read(text)


def read(text: str) -> Reading:
    """Return what chronyc's answer says.

    Raises:
        ChronyError: It makes no sense.
    """
    rows = [row for row in csv.reader(text.splitlines()) if row]
    if not rows or len(rows[0]) < _TRACKING:
        raise ChronyError(f"chronyc: not what `chronyc -c tracking` answers: {text[:80]!r}")
    try:
        upstreams = tuple(_upstream(row) for row in rows[1:])
        return _reading(rows[0], upstreams)
    except ValueError as error:
        raise ChronyError(f"chronyc: a figure in its answer cannot be read: {error}") from error


def too_often(reading: Reading) -> tuple[Upstream, ...]:
    """Return the NTP servers that are asked more often than is right."""
    found = (u for u in reading.upstreams if not u.reference_clock and u.state != "unreachable")
    return tuple(each for each in found if each.poll_s < LEAST_POLL_S)


def _reading(row: list[str], upstreams: tuple[Upstream, ...]) -> Reading:
    reference, name, stratum = row[0], row[1], int(row[2])
    system_s, delay_s, dispersion_s = float(row[4]), float(row[10]), float(row[11])
    leap = row[13].strip()
    kept = leap != "Not synchronised" and stratum > 0 and reference != _OWN_CLOCK
    # As chrony's manual has it: the clock is off by no more than this.
    error_s = abs(system_s) + dispersion_s + delay_s / 2.0
    return Reading(
        Source.CHRONY,
        kept,
        name if kept else "",
        stratum if kept else None,
        error_s if kept else None,
        _LEAPS.get(leap, ""),
        upstreams,
    )


def _upstream(row: list[str]) -> Upstream:
    if len(row) < _SOURCE:
        raise ValueError(f"{','.join(row)!r} is no source")
    mode, state, name, stratum, poll, reach = row[:6]
    known = _STATES.get(state, "unreachable")
    if state == _REACHED and int(reach, 8):
        known = "unused"
    return Upstream(name, mode == "#", int(stratum), 2.0 ** min(int(poll), _LARGEST_POLL), known)

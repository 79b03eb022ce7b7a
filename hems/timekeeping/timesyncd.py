"""What systemd-timesyncd says of the machine's clock, by `timedatectl show-timesync`.

Pure but for `ask`.
"""

import re
from typing import Final

from hems.timekeeping.program import output_of
from hems.timekeeping.reading import Reading, Source, Upstream

_SPAN: Final = re.compile(r"([\d.]+)\s*(us|ms|s|min|h|d)?")
_UNITS_S: Final = {
    "us": 1e-6,
    "ms": 1e-3,
    "": 1.0,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_PART: Final = re.compile(r"(\w+)=([^,}]*)")
_NOT_SYNCHRONISED: Final = 3
_LEAPS: Final = {1: "insert", 2: "delete"}
_WORST_STRATUM: Final = 16


async def ask(timedatectl: str) -> Reading | None:
    """Return what timesyncd says; None where there is none, or it does not answer."""
    text = await output_of(timedatectl, "show-timesync")
    return None if text is None else read(text)


def read(text: str) -> Reading:
    """Return what timedatectl's answer says; what is not in it is not known."""
    told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    message = dict(_PART.findall(told.get("NTPMessage", "")))
    name = told.get("ServerName") or told.get("ServerAddress", "")
    leap, stratum = _whole(message.get("Leap")), _whole(message.get("Stratum"))
    kept = (
        stratum is not None
        and 0 < stratum < _WORST_STRATUM
        and leap != _NOT_SYNCHRONISED
        and not message.get("Ignored", "no").startswith("yes")
    )
    poll_s = span_s(told.get("PollIntervalUSec", ""))
    upstream = Upstream(name, False, stratum or 0, poll_s or 0.0, "used" if kept else "unused")
    return Reading(
        Source.TIMESYNCD,
        kept,
        name if kept else "",
        None if stratum is None or not kept else stratum + 1,
        _error_s(message) if kept else None,
        _LEAPS.get(leap or 0, "") if kept else "",
        (upstream,) if name and poll_s else (),
    )


def span_s(text: str) -> float | None:
    """Return a time span as systemd prints it ("34min 8s", "1.5ms"), in s; None if it is none."""
    found = _SPAN.findall(text)
    try:
        return sum(float(figure) * _UNITS_S[unit] for figure, unit in found) if found else None
    except ValueError:  # such as "1.2.3"
        return None


def _error_s(message: dict[str, str]) -> float | None:
    """Return the distance to the root of time (RFC 5905): half the delay, and the dispersion."""
    delay_s, dispersion_s = (
        span_s(message.get(name, "")) for name in ("RootDelay", "RootDispersion")
    )
    if delay_s is None or dispersion_s is None:
        return None
    return delay_s / 2.0 + dispersion_s + (span_s(message.get("Jitter", "")) or 0.0)


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.strip().isdecimal() else None

"""What must hold of any bytes whatever that a smart meter's customer port pushes.

An input is a first octet that says how large the pieces are in which the rest comes.
"""

import math
from typing import Final

from der.drivers.p1.framing import LONGEST
from der.drivers.p1.newest import Memory, Newest
from der.errors import TransientError
from der.model import Reading
from tests.der.drivers.p1_telegrams import DSMR5

NOW: Final = 1_795_000_000.0
MAX_AGE_S: Final = 5.0
_LONGEST_NAME: Final = 50
_LINES: Final = 12


class WrongError(Exception):
    """The customer port did something with bytes that it never may."""


class _Counted(Memory):
    """Counts what would be said."""

    def __init__(self) -> None:
        super().__init__("meter")
        self.said: set[str] = set()

    def say(self, kind: str, text: str, monotonic: float) -> None:
        super().say(kind, text, monotonic)
        self.said.add(kind)


def examine(data: bytes) -> str:
    """Have the driver take an input, and look at what it then believes.

    Returns:
        What came of it, in words.

    Raises:
        WrongError: If a promise is broken.
        Exception: Any other is a finding too.
    """
    piece = (data[0] if data else 0) + 1
    memory = _Counted()
    newest = Newest(memory, MAX_AGE_S)
    rest = data[1:]
    for start in range(0, len(rest), piece):
        newest.feed(rest[start : start + piece], 1.0, NOW)
        held = len(newest._framer._held)
        if held > LONGEST + piece:
            raise WrongError(f"{held} bytes are held")
    outcome = _believed(newest)
    if len(memory.said) > _LINES:
        raise WrongError(f"{len(memory.said)} lines are said")
    # A sound telegram comes through after anything, at the latest the second one.
    newest.feed(b"\r\n" + DSMR5, 2.0, NOW)
    newest.feed(b"\r\n" + DSMR5, 2.0, NOW)
    told = newest.telegram
    if told is None or told.power_w != -1000.0:
        raise WrongError(f"a sound telegram is lost: {told}")
    return outcome


def _believed(newest: Newest) -> str:
    try:
        told, at = newest.current(1.0)
    except TransientError as error:
        reason = str(error)
        if not reason.startswith("meter: ") or not reason.isprintable() or len(reason) > 200:
            raise WrongError(f"{reason!r} is no short sentence that names the device") from error
        return reason
    for text in (told.maker, told.model, told.serial, told.version):
        if len(text) > _LONGEST_NAME or (text and not text.isprintable()):
            raise WrongError(f"{text!r} is not fit to be shown")
    for inverted in (False, True):
        _check(told.reading(at, inverted=inverted))
    names = ("power_w", "reactive_var", "energy_import_wh", "energy_export_wh")
    known = [name for name in names if getattr(told.reading(at), name) is not None]
    return f"{told.version} {told.checked} {known} {len(told.phases)} {sorted(told.suspect)}"


def _check(reading: Reading) -> None:
    if reading.at != NOW:
        raise WrongError(f"dated {reading.at!r}")
    bounds = (
        (reading.power_w, -math.inf),
        (reading.reactive_var, -math.inf),
        (reading.voltage_v, 0.0),
        (reading.energy_import_wh, 0.0),
        (reading.energy_export_wh, 0.0),
        *((phase.power_w, -math.inf) for phase in reading.phases),
        *((phase.voltage_v, 0.0) for phase in reading.phases),
    )
    for value, low in bounds:
        if value is not None and not (math.isfinite(value) and value >= low):
            raise WrongError(f"reads {value!r}")

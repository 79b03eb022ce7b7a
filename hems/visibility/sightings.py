"""What happened to the supply: voltage or frequency out of bounds, with its times. Pure.

Found in the readings of the control cycle, so nothing shorter than a second is seen: that is for
meters made for it. Times are those of the readings, to the millisecond.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from der.model import Quality, Reading
from hems.image import Image
from hems.visibility.intervals import ALL, parts

NOMINAL_V: Final = 230.0
NOMINAL_HZ: Final = 50.0


class Sight(StrEnum):
    """What was seen."""

    DIP = "voltage-dip"
    SWELL = "voltage-swell"
    INTERRUPTION = "interruption"
    LOW_FREQUENCY = "low-frequency"
    HIGH_FREQUENCY = "high-frequency"
    NO_METER = "meter-silent"
    """For so long nothing is known: an interruption may hide in it."""


@dataclass(frozen=True, slots=True)
class SightPolicy:
    """Where the bounds are.

    Attributes:
        low_v: Below it the voltage dips (EN 50160: 90 % of the nominal).
        high_v: Above it it swells (110 %).
        off_v: Below it the supply is interrupted (5 %).
        back_v: How far within its bounds, in V, a voltage must be back.
        low_hz: Below it the frequency is low.
        high_hz: Above it it is high.
        back_hz: How far within its bounds, in Hz, it must be back.
    """

    low_v: float = 0.9 * NOMINAL_V
    high_v: float = 1.1 * NOMINAL_V
    off_v: float = 0.05 * NOMINAL_V
    back_v: float = 0.01 * NOMINAL_V
    low_hz: float = NOMINAL_HZ - 0.2
    high_hz: float = NOMINAL_HZ + 0.2
    back_hz: float = 0.02


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing that happened.

    Attributes:
        what: What it was.
        phase: "A", "B" or "C"; empty for all together.
        began_at: UTC epoch seconds of the first reading out of bounds.
        ended_at: Of the first one back; None while it lasts.
        extreme: The value furthest out, V or Hz; None where nothing was measured.
    """

    what: Sight
    phase: str
    began_at: float
    ended_at: float | None = None
    extreme: float | None = None


_VOLTAGE: Final = "voltage"
_FREQUENCY: Final = "frequency"
_LOW: Final = frozenset({Sight.DIP, Sight.INTERRUPTION, Sight.LOW_FREQUENCY})


class Sightings:
    """Follows the readings; remembers only what is not over.

    Args:
        policy: Where the bounds are.
    """

    def __init__(self, policy: SightPolicy | None = None) -> None:
        self._policy = policy or SightPolicy()
        self._open: dict[tuple[str, str], Sighting] = {}
        self._last_at = 0.0

    @property
    def present(self) -> Sequence[Sighting]:
        """What is not over."""
        return tuple(self._open.values())

    def resume(self, known: Iterable[Sighting]) -> Sequence[Sighting]:
        """Take up what was not over when the hub stopped; the next reading tells if it still is.

        Args:
            known: In order of time.

        Returns:
            Those that a later one of `known` has ended.
        """
        told: list[Sighting] = []
        for each in known:
            key = (_group(each.what), each.phase)
            told += self._ended(key, each.began_at)
            self._open[key] = each
        return told

    def shift(self) -> Sequence[Sighting]:
        """End all with the last reading, after the clock was set; what lasts begins anew."""
        return [done for key in tuple(self._open) for done in self._ended(key, self._last_at)]

    def take(self, image: Image) -> Sequence[Sighting]:
        """Take in an image; return what has begun or ended with it."""
        meter = image.meter
        if meter is None:
            return ()
        key = (_group(Sight.NO_METER), ALL)
        self._last_at = image.at
        if meter.quality is not Quality.GOOD or meter.reading is None:
            if key in self._open:
                return ()
            silent = Sighting(Sight.NO_METER, ALL, image.at)
            self._open[key] = silent
            return (silent,)
        told = list(self._ended(key, meter.reading.at))
        told += self._seen(meter.reading)
        return told

    def _seen(self, reading: Reading) -> Iterator[Sighting]:
        for phase, part in parts(reading).items():
            if phase == ALL and len(reading.phases) > 1:
                continue  # its phases say it
            yield from self._follow(_VOLTAGE, phase, part.voltage_v, self._voltage, reading.at)
        yield from self._follow(_FREQUENCY, ALL, reading.frequency_hz, self._hertz, reading.at)

    def _follow(
        self, group: str, phase: str, value: float | None, bounds: Mapping[Sight, float], at: float
    ) -> Iterator[Sighting]:
        """Yield what changed of one measured value.

        `group` stands for things of which one at a time can be true.
        """
        if value is None:
            return
        key = (group, phase)
        known = self._open.get(key)
        found = _beyond(value, bounds)
        if known is not None:
            worse = min if known.what in _LOW else max
            extreme = value if known.extreme is None else worse(known.extreme, value)
            known = self._open[key] = replace(known, extreme=extreme)
        if known is not None and found is not known.what:
            back = self._policy.back_v if group == _VOLTAGE else self._policy.back_hz
            if found is None and not _well_back(value, bounds[known.what], known.what, back):
                return
            yield from self._ended(key, at)
            known = None
        if known is None and found is not None:
            begun = Sighting(found, phase, at, None, value)
            self._open[key] = begun
            yield begun

    def _ended(self, key: tuple[str, str], at: float) -> Iterator[Sighting]:
        known = self._open.pop(key, None)
        if known is not None:
            yield replace(known, ended_at=max(at, known.began_at))

    @property
    def _voltage(self) -> Mapping[Sight, float]:
        policy = self._policy
        return {
            Sight.INTERRUPTION: policy.off_v,
            Sight.DIP: policy.low_v,
            Sight.SWELL: policy.high_v,
        }

    @property
    def _hertz(self) -> Mapping[Sight, float]:
        return {
            Sight.LOW_FREQUENCY: self._policy.low_hz,
            Sight.HIGH_FREQUENCY: self._policy.high_hz,
        }


def _group(what: Sight) -> str:
    """Return the name of those things of which one at a time can be true."""
    match what:
        case Sight.DIP | Sight.SWELL | Sight.INTERRUPTION:
            return _VOLTAGE
        case Sight.LOW_FREQUENCY | Sight.HIGH_FREQUENCY:
            return _FREQUENCY
        case _:
            return what.value


def _beyond(value: float, bounds: Mapping[Sight, float]) -> Sight | None:
    """Return the first of the bounds that a value is beyond; the deepest stands first."""
    return next(
        (
            sight
            for sight, bound in bounds.items()
            if (value < bound if sight in _LOW else value > bound)
        ),
        None,
    )


def _well_back(value: float, bound: float, sight: Sight, by: float) -> bool:
    return value >= bound + by if sight in _LOW else value <= bound - by

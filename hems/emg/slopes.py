"""Which bounds on the slope of the net power events bring with them.

2030.5 has no mode for the slope of a home's net power: its setGradW and rampTms are about what a
DER goes over to, and there `hems.emg.ramp` obeys them. A programme may be joined with a bound on
the slope, which then holds while one of its events does. And where the owner has it so, the home
comes back from any event with a bound, for as long as its loads take to come back.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from der.sentence import say
from hems.sep2.rules.events import Active, Schedule
from programs.signal import Signal, SignalKind

RETURN_S: Final = 900.0
"""For so long after an event its bound on the return holds."""


class Slopes:
    """The bounds in force.

    Args:
        agreed: By a programme's name or mRID, W a minute.
        return_w_min: After any event; None for no bound.
    """

    def __init__(self, agreed: Mapping[str, float], return_w_min: float | None) -> None:
        self._agreed = agreed
        self._return_w_min = return_w_min
        self._live: dict[str, Active] = {}
        self._bounds: tuple[Signal, ...] = ()
        self._return: Signal | None = None

    def follow(self, schedule: Schedule, now: float, devices: frozenset[str]) -> None:
        """Take in what is in force.

        Args:
            schedule: It; times are UTC epoch seconds.
            now: UTC epoch seconds.
            devices: Ids of the devices that it is about; empty for the home as a whole.
        """
        live = {a.event: a for a in schedule.active.values() if not a.default and a.start <= now}
        over = [active for event, active in self._live.items() if event not in live]
        if over and self._return_w_min is not None:
            last, ends_at = over[-1], now + RETURN_S
            self._return = replace(
                _signal(last, self._return_w_min, now, ends_at, devices),
                program=say(
                    "The way back from {program}", program=last.program.name or last.program.mrid
                ),
                binding=False,  # no utility asks for it: the owner has it so
            )
        self._live = live
        asked = [(a, self._agreed_of(a)) for a in live.values()]
        self._bounds = tuple(
            _signal(a, w_min, a.start, a.end, devices) for a, w_min in asked if w_min is not None
        )

    def signals(self, now: float) -> tuple[Signal, ...]:
        """Return the bounds in force at `now`, UTC epoch seconds."""
        known = self._bounds if self._return is None else (*self._bounds, self._return)
        return tuple(signal for signal in known if signal.in_force(now))

    def shift(self, by_s: float) -> None:
        """Move all times, after UTC was set."""
        self._bounds = tuple(_shifted(signal, by_s) for signal in self._bounds)
        self._return = None if self._return is None else _shifted(self._return, by_s)

    def _agreed_of(self, active: Active) -> float | None:
        return self._agreed.get(active.program.name, self._agreed.get(active.program.mrid))


def _signal(
    active: Active, w_min: float, starts_at: float, ends_at: float, devices: frozenset[str]
) -> Signal:
    return Signal(
        event=active.event,
        program=active.program.name,
        kind=SignalKind.SLOPE,
        value=w_min,
        starts_at=starts_at,
        ends_at=ends_at,
        binding=active.mandatory,
        devices=devices,
    )


def _shifted(signal: Signal, by_s: float) -> Signal:
    return replace(signal, starts_at=signal.starts_at + by_s, ends_at=signal.ends_at + by_s)

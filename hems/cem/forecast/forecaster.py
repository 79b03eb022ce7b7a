"""All forecasts in one: what the planner asks for. Each that cannot be made is made more simply.

Nothing here raises for what devices or a source of weather said: what cannot be is taken for
unknown, and whatever is unknown has something to stand in for it, said in the notes.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from der.sentence import say
from hems.cem.forecast.cars import foretell
from hems.cem.forecast.heat import draws
from hems.cem.forecast.past import CarPast, Floats, Outlook, Past, Paths, Quantiles, Weather
from hems.cem.forecast.paths import load_quantiles, paths, sun_quantiles
from hems.cem.forecast.score import OWN, Issue, Score, anybodys
from hems.cem.forecast.weather import Expected, expected, merged
from hems.cem.needs import HeatStore
from hems.cem.planner.question import WeatherTold
from hems.cem.slots import Slots

SHARES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
_MOST_W: Final = 1e6
"""No home draws or makes more; a meter that says so is wrong."""
_OLD_S: Final = 3 * 3600.0
_DAY_S: Final = 86400.0
_REHEARSED_S: Final = 9 * 86400
"""The last seven of these days can be judged, with a day of forecast before and one of past."""
_REHEARSED_EVERY_S: Final = 3 * 3600


@dataclass(slots=True)
class Forecaster:
    """Forecasts, and remembers how good it was and what the weather was told to be."""

    load: Score = field(default_factory=Score)
    sun: Score = field(default_factory=Score)
    _weather: Weather | None = None

    def hear(self, told: WeatherTold, now: float) -> None:
        """Take what a source of weather told; now is UTC, epoch seconds."""
        self._weather = merged(self._weather, told, now)

    def forecast(
        self,
        past: Past,
        slots: Slots,
        *,
        plugged: Mapping[str, bool | None] | None = None,
        stores: Iterable[HeatStore] = (),
    ) -> Outlook:
        """Return what the home will draw, make and need.

        Args:
            past: Up to now; without weather of its own, with what has been heard.
            slots: The coming ones, the first with the present in it; at least one.
            plugged: Whether a car is at each charger now, by device id; where it does not say, as
                it was last.
            stores: What heaters warm.
        """
        past = _sound(replace(past, weather=past.weather or self._weather))
        stores = tuple(stores)
        sky = expected(past.weather, slots, slots.start)
        load, sun, made = self._balance(past, slots, sky)
        now_at = plugged or {}
        errors = {"load": self.load.errors_w(), "sun": self.sun.errors_w()}
        return Outlook(
            slots,
            load,
            sun,
            made,
            cars={
                device: foretell(past, device, slots, plugged=now_at.get(device))
                for device in sorted({*past.cars, *now_at})
            },
            heat_draw_w={store.device: draws(past, store, slots) for store in stores},
            outdoor_c=sky.outdoor_c,
            notes=(*_notes(past, slots), *_of_sky(sky, past, stores)),
            scores={name: both for name, both in errors.items() if both is not None},
        )

    def rehearse(self, past: Past, step_s: float) -> None:
        """Judge what would have been forecast over the last week, had this process run then.

        Each forecast sees what had been measured by its own time alone, and no weather: what was
        told then is not kept. To be called once, before the first forecast.

        Args:
            past: Up to now.
            step_s: Length of the slots that are going to be forecast.
        """
        past = _sound(past)
        for ago in range(_REHEARSED_S, 0, -_REHEARSED_EVERY_S):
            until = math.floor((past.slots.end - ago) / step_s) * step_s
            count = min(past.slots.at(until), past.slots.count)
            if count > 0:
                then = _until(past, count)
                slots = Slots(then.slots.end, step_s, round(_DAY_S / step_s))
                self._balance(then, slots, expected(None, slots, slots.start))

    def _balance(
        self, past: Past, slots: Slots, sky: Expected
    ) -> tuple[Quantiles, Quantiles, Paths]:
        """Return load and sun, judged and leaning on what was better, and both as whole courses.

        The courses stay as they are: what stored energy is worth rests on how they differ, and
        moving them all by what another forecast has at its middle has cost more than it brought.
        """
        made = paths(past, slots, irradiance_w_m2=sky.irradiance_w_m2)
        by_weather = sky.seen_days > 0.0 and np.isfinite(sky.irradiance_w_m2).any()
        own_load = load_quantiles(made, SHARES, _rests_on(past.load_w))
        own_sun = sun_quantiles(made, SHARES, "weather" if by_weather else _rests_on(past.sun_w))
        load = _given(self.load, past.load_w, past, own_load, slots, most_w=math.inf)
        sun = _given(self.sun, past.sun_w, past, own_sun, slots, most_w=0.0)
        return load, sun, made


def _given(
    score: Score, seen_w: Floats, past: Past, own: Quantiles, slots: Slots, *, most_w: float
) -> Quantiles:
    """Judge what has come, lean on what was better, and note what is forecast now.

    Args:
        score: Of the quantity.
        seen_w: The quantity, by slot of the past.
        past: Whose slots these are.
        own: What the past says of the coming slots.
        slots: These.
        most_w: 0 for what is never positive, infinite for what is never negative.
    """
    score.judge(seen_w, past.slots)
    others = anybodys(seen_w, past, slots)
    name, share = score.leaning()
    shift_w = share * np.nan_to_num(others[name] - own.median)
    shift_w[:1] = 0.0  # the present is known
    least_w = 0.0 if most_w > 0.0 else -math.inf
    given = replace(own, values=np.clip(own.values + shift_w, least_w, most_w))
    score.issue(Issue(slots, given, {OWN: own.median, **others}))
    return given


def _until(past: Past, count: int) -> Past:
    """Return load and sun of the first slots of a past."""
    return Past(
        Slots(past.slots.start, past.slots.step_s, count),
        past.zone,
        past.load_w[:count],
        past.sun_w[:count],
        holidays=past.holidays,
    )


def _sound(past: Past) -> Past:
    """Return a past in which what cannot be is unknown and nothing has the wrong sign."""
    count = past.slots.count
    return replace(
        past,
        load_w=_within(past.load_w, count, 0.0, _MOST_W),
        sun_w=_within(past.sun_w, count, -_MOST_W, 0.0),
        cars={
            device: CarPast(
                _within(car.power_w, count, 0.0, _MOST_W), _within(car.plugged, count, 0.0, 1.0)
            )
            for device, car in past.cars.items()
        },
        heats={d: _within(power_w, count, 0.0, _MOST_W) for d, power_w in past.heats.items()},
        heat_temps_c={
            d: _within(temp_c, count, -100.0, 150.0) for d, temp_c in past.heat_temps_c.items()
        },
        present_load_w=_one_within(past.present_load_w, 0.0, _MOST_W),
        present_sun_w=_one_within(past.present_sun_w, -_MOST_W, 0.0),
    )


def _within(values: Floats, count: int, least: float, most: float) -> Floats:
    """Return values moved within bounds, NaN for what is far from them; always `count`."""
    full = np.full(count, np.nan)
    end = values[-count:] if count else values[:0]
    full[count - len(end) :] = end
    sane = np.isfinite(full) & (np.abs(full) <= _MOST_W)
    return np.where(sane, np.clip(full, least, most), np.nan)


def _one_within(value: float | None, least: float, most: float) -> float | None:
    if value is None or not np.isfinite(value) or abs(value) > _MOST_W:
        return None
    return min(max(value, least), most)


def _rests_on(values: Floats) -> str:
    return "history" if np.isfinite(values).any() else "cold start"


def _notes(past: Past, slots: Slots) -> Iterable[str]:
    """Say what is missing of the past."""
    known = np.flatnonzero(np.isfinite(past.load_w))
    if not len(known):
        yield say("nothing is known of the load yet: reckoned with a usual one")
        return
    silent_s = slots.start - (past.slots.start + (int(known[-1]) + 1) * past.slots.step_s)
    if silent_s > _OLD_S:
        yield say("nothing is known of the load of the last {hours:.0f} h", hours=silent_s / 3600)
    elif len(known) * past.slots.step_s < _DAY_S:
        yield say("less than a day is known of the load: reckoned with a usual one beside it")


def _of_sky(sky: Expected, past: Past, stores: Iterable[HeatStore]) -> Iterable[str]:
    """Say what is missing of the weather, to those whom it concerns."""
    if not np.isfinite(past.sun_w).any():
        yield say("nothing is known of the sun: none is planned on")
    elif np.nanmin(past.sun_w) < 0.0:
        yield from sky.notes
    if not any(store.surroundings_c is None for store in stores):
        return
    if not sky.measured_c:
        yield say(
            "nobody tells the temperature outside: reckoned with {celsius:.0f} degC",
            celsius=sky.outdoor_c[0],
        )
    elif sky.guessed_c:
        yield say("the temperature outside is taken from the last days")

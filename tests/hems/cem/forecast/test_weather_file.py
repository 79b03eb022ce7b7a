"""Reading what a source of weather wrote: right, and every way of being wrong named."""

import json
import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.forecast.weather_file import WeatherError, parse
from tests.examples import examples

HOUR_S = 3600.0
NOON = 1_795_262_400.0  # 2026-11-21T12:00Z


def answer(**changed: object) -> dict[str, object]:
    """Return an answer as Open-Meteo gives it, with some fields changed or, by None, left out."""
    whole: dict[str, object] = {
        "latitude": 52.52,
        "longitude": 13.419998,
        "generationtime_ms": 0.1,
        "utc_offset_seconds": 3600,
        "timezone": "Europe/Berlin",
        "hourly_units": {
            "time": "iso8601",
            "shortwave_radiation": "W/m²",
            "temperature_2m": "°C",
        },
        "hourly": {
            "time": ["2026-11-21T13:00", "2026-11-21T14:00", "2026-11-21T15:00"],
            "shortwave_radiation": [200.0, 100, None],
            "temperature_2m": [4.0, 6.0, None],
        },
    }
    whole.update(changed)
    return {name: value for name, value in whole.items() if value is not None}


def hourly(**changed: object) -> dict[str, object]:
    """Return an answer with something changed among its hourly values."""
    rows = answer()["hourly"]
    assert isinstance(rows, dict)
    rows.update(changed)
    return answer(hourly={name: value for name, value in rows.items() if value is not None})


@pytest.mark.requirement("ROLE-CEM")
def test_an_answer_becomes_weather() -> None:
    told = parse(json.dumps(answer()), NOON)
    # 13:00 at +01:00 is 12:00 UTC, and radiation is the mean of the hour before it.
    assert told.start == NOON - HOUR_S
    assert told.step_s == HOUR_S
    assert told.irradiance_w_m2[:2] == (200.0, 100.0)
    assert math.isnan(told.irradiance_w_m2[2])
    assert told.outdoor_c == (4.0, 5.0, 6.0)
    assert told.told_at == NOON


@pytest.mark.parametrize(
    ("times", "offset_s"),
    [
        (["2026-11-21T12:00", "2026-11-21T13:00", "2026-11-21T14:00"], 0),
        (["2026-11-21T12:00", "2026-11-21T13:00", "2026-11-21T14:00"], None),
        (["2026-11-21T12:00Z", "2026-11-21T13:00Z", "2026-11-21T14:00Z"], 7200),
        (["2026-11-21T22:30+10:30", "2026-11-21T23:30+10:30", "2026-11-22T00:30+10:30"], 0),
        (["2026-11-21T17:30", "2026-11-21T18:30", "2026-11-21T19:30"], 19800),
        ([NOON, NOON + HOUR_S, NOON + 2 * HOUR_S], 3600),
    ],
)
def test_times_are_local_or_carry_their_offset_or_are_epoch_seconds(
    times: list[object], offset_s: int | None
) -> None:
    whole = hourly(time=times)
    whole["utc_offset_seconds"] = offset_s
    if offset_s is None:
        del whole["utc_offset_seconds"]
    assert parse(json.dumps(whole), NOON).start == NOON - HOUR_S


def test_one_row_of_values_is_enough() -> None:
    told = parse(json.dumps(hourly(temperature_2m=None)), NOON)
    assert told.outdoor_c == ()
    assert len(told.irradiance_w_m2) == 3
    told = parse(json.dumps(hourly(shortwave_radiation=None)), NOON)
    assert told.irradiance_w_m2 == ()
    assert told.outdoor_c == (4.0, 5.0, 6.0)


def test_a_night_a_little_below_zero_is_dark() -> None:
    told = parse(json.dumps(hourly(shortwave_radiation=[-1.5, 0, 3])), NOON)
    assert told.irradiance_w_m2 == (0.0, 0.0, 3.0)


WRONG = {
    "text": ("weather", "not JSON"),
    "nothing": ("", "not JSON"),
    "deep": ("[" * 100_000, "not JSON"),
    "list": ("[]", "not a JSON object"),
    "NaN": ('{"hourly": NaN}', "NaN is no number of JSON"),
    "refused": ('{"error": true, "reason": "No such place"}', "the source says: No such place"),
    "no hourly": (answer(hourly=None), "no object hourly"),
    "hourly list": (answer(hourly=[1]), "no object hourly"),
    "units": (answer(hourly_units=3), "hourly_units is not an object"),
    "offset": (answer(utc_offset_seconds="1 h"), "utc_offset_seconds is no number"),
    "far offset": (answer(utc_offset_seconds=90_000), "utc_offset_seconds is not within a day"),
    "no time": (hourly(time=None), "no list hourly.time"),
    "one time": (hourly(time=["2026-11-21T13:00"]), "hourly.time has 1 entries"),
    "odd time": (hourly(time=["noon", "x", "y"]), "hourly.time[0] is no time: 'noon'"),
    "no number": (hourly(time=[True, 1, 2]), "hourly.time[0] is no number"),
    "before 1970": (hourly(time=[-5, 1, 2]), "hourly.time[0] is no time"),
    "backwards": (
        hourly(time=["2026-11-21T13:00", "2026-11-21T12:00", "2026-11-21T11:00"]),
        "hourly.time[1] is -3600 s after the first",
    ),
    "uneven": (
        hourly(time=["2026-11-21T13:00", "2026-11-21T14:00", "2026-11-21T16:00"]),
        "hourly.time[2] is 7200 s after the one before, not 3600 s",
    ),
    "short row": (
        hourly(shortwave_radiation=[1, 2]),
        "hourly.shortwave_radiation has 2 entries and hourly.time 3",
    ),
    "no row": (hourly(temperature_2m="warm"), "hourly.temperature_2m is no list"),
    "text value": (hourly(temperature_2m=[1, "2", 3]), "hourly.temperature_2m[1] is no number"),
    "hot": (hourly(temperature_2m=[1, 2, 300]), "hourly.temperature_2m[2] is 300, not within"),
    "bright": (
        hourly(shortwave_radiation=[1, 2, 9000]),
        "hourly.shortwave_radiation[2] is 9000, not within -20 to 1600",
    ),
    "huge": (hourly(temperature_2m=[10**400, 2, 3]), "hourly.temperature_2m[0] is too great"),
    "fahrenheit": (
        answer(hourly_units={"temperature_2m": "°F"}),
        "hourly.temperature_2m is in '°F', not '°C'",
    ),
    "neither": (
        hourly(temperature_2m=None, shortwave_radiation=None),
        "hourly has neither shortwave_radiation nor temperature_2m",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_with_its_place(name: str) -> None:
    text, words = WRONG[name]
    with pytest.raises(WeatherError) as raised:
        parse(text if isinstance(text, str) else json.dumps(text), NOON)
    assert words in str(raised.value)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
places: st.SearchStrategy[Callable[[object], object]] = st.sampled_from(
    [
        lambda value: answer(hourly=value),
        lambda value: answer(hourly_units=value),
        lambda value: answer(utc_offset_seconds=value),
        lambda value: hourly(time=value),
        lambda value: hourly(time=["2026-11-21T13:00", value, "2026-11-21T15:00"]),
        lambda value: hourly(shortwave_radiation=value),
        lambda value: hourly(shortwave_radiation=[value, 1, 2]),
        lambda value: value,
    ]
)


@settings(max_examples=examples(400), deadline=None)
@given(places, json_values)
def test_no_other_error_comes_of_any_value_anywhere(
    place: Callable[[object], object], value: object
) -> None:
    text = json.dumps(place(value))
    try:
        told = parse(text, NOON)
    except WeatherError:
        return
    assert told.step_s > 0
    assert all(math.isnan(w) or 0 <= w <= 1600 for w in told.irradiance_w_m2)


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=200))
def test_no_other_error_comes_of_any_text(text: str) -> None:
    with pytest.raises(WeatherError):
        parse(text, NOON)

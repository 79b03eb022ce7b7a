"""How values stand in the files of settings: what kind each is, and defaults in people's units."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, time
from enum import Enum
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, BeforeValidator

from hems import units
from hems.settings import (
    needs_section,
    reserve_section,
    slope_section,
    tariff_section,
)
from tests.papers.model_fields import Field, alternatives, annotated, choices

_TIMES: Final = (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))
_DAY_MINUTES: Final = 1440
_A_WEEK: Final = 7


def _scaled(*steps: tuple[str, float]) -> Callable[[float], str]:
    """Return what writes a number in the greatest unit of which it is a round multiple."""

    def write(value: float) -> str:
        unit, size = next(
            (each for each in steps if value >= each[1] and not round(value / each[1], 3) % 1),
            next(each for each in steps if each[1] == 1.0),
        )
        return f"{round(value / size, 6):g} {unit}"

    return write


def _rate(unit: str) -> Callable[[float], str]:
    return lambda value: f"{value:g}{unit}"


def _clock(value: time | int) -> str:
    if isinstance(value, int):
        return f"{value // 60:02}:{value % 60:02}"
    return f"{value:%H:%M}"


def _reader(hint: object) -> object:
    """Return the function by which a kind of quantity is read."""
    (found,) = (each for each in annotated(hint) if isinstance(each, BeforeValidator))
    return found.func


_KINDS: Final[Mapping[object, tuple[str, Callable[[Any], str]]]] = {
    units.power_w: ("power", _scaled(("kW", 1e3), ("W", 1.0))),
    units.energy_wh: ("energy", _scaled(("kWh", 1e3), ("Wh", 1.0))),
    units.current_a: ("current", _scaled(("A", 1.0))),
    units.frequency_hz: ("frequency", _scaled(("Hz", 1.0), ("mHz", 1e-3))),
    units.volume_l: ("volume", _scaled(("l", 1.0))),
    units.reactive_var: ("reactive power", _scaled(("kvar", 1e3), ("var", 1.0))),
    units.voltage_v: ("voltage", _scaled(("V", 1.0))),
    units.duration_s: ("time", _scaled(*_TIMES)),
    _reader(slope_section.Slope): ("change of power", _scaled(("kW/min", 1e3), ("W/min", 1.0))),
    _reader(tariff_section.PerKwh): ("price of energy", _rate("/kWh")),
    _reader(tariff_section.PerDay): ("price of a day", _rate("/day")),
    _reader(tariff_section.PerKw): ("price of power", _rate("/kW")),
    _reader(tariff_section.PerKg): ("price of carbon", _rate("/kg")),
    _reader(tariff_section.Carbon): ("carbon of energy", _rate(" kg/kWh")),
    _reader(tariff_section.Minute): ("time of day", _clock),
    _reader(tariff_section.Days): (
        "days of the week",
        lambda days: "all" if len(days) == _A_WEEK else ", ".join(map(str, sorted(days))),
    ),
    _reader(tariff_section.MonthDay): ("month and day", lambda day: f"{day[0]:02}-{day[1]:02}"),
    _reader(tariff_section.Place): ("file or address", str),
    _reader(needs_section.Clock): ("time of day", _clock),
    _reader(reserve_section.HoursOfDay): (
        "hours of the day",
        lambda span: "-".join(_clock(each) for each in span),
    ),
}
_PLAIN: Final[Mapping[object, str]] = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    Path: "file",
    date: "date",
    time: "time of day",
}


def kind(field: Field) -> str:
    """Return what kind of value a field takes, in words."""
    hint = field.hint
    mapping = next(
        (each for each in alternatives(hint) if get_origin(each) in {dict, Mapping}), None
    )
    if mapping is not None:
        name, value = get_args(mapping)
        return f"table of: {_plain(name)} = {_plain(value)}"
    many = "list of: " if field.many else ""
    allowed = choices(hint)
    if allowed:
        return many + " or ".join(f"`{_literal(each)}`" for each in allowed)
    quantity = _quantity(hint)
    return many + (quantity[0] if quantity else _plain(hint))


def _plain(hint: object) -> str:
    allowed = choices(hint)
    if allowed:
        return " or ".join(f"`{_literal(each)}`" for each in allowed)
    members = [
        inner
        for each in alternatives(hint)
        for inner in (get_args(each) if get_origin(each) in {tuple, list, frozenset} else (each,))
        if inner is not Ellipsis
    ]
    names = [_PLAIN[base] for each in members for base in alternatives(each) if base in _PLAIN]
    if not names:
        raise TypeError(f"{hint} is of no kind that the page can name: add it here")
    return " or ".join(dict.fromkeys(names))


def _quantity(hint: object) -> tuple[str, Callable[[Any], str]] | None:
    readers = (each.func for each in annotated(hint) if isinstance(each, BeforeValidator))
    return next((_KINDS[each] for each in readers if each in _KINDS), None)


def bounds(field: Field) -> str:
    """Return the bounds of a value or of a list, in words; empty where there are none."""
    quantity = _quantity(field.hint)
    write = quantity[1] if quantity else _literal
    said = [*_range(field.hint, write)]
    for each in annotated(field.hint):
        match each:
            case MinLen(min_length=1):
                said.append("not empty")
            case MinLen(min_length=least):
                said.append(f"at least {least} long")
            case MaxLen(max_length=most):
                said.append(f"at most {most} long")
        pattern = getattr(each, "pattern", None)
        if pattern is not None:
            said.append(f"like `{pattern}`")
    return ", ".join(dict.fromkeys(said))


def _range(hint: object, write: Callable[[Any], str]) -> Iterator[str]:
    """Yield the strictest bounds of a number."""
    found = list(annotated(hint))
    least = [float(str(each.ge)) for each in found if isinstance(each, Ge)]
    above = [float(str(each.gt)) for each in found if isinstance(each, Gt)]
    most = [float(str(each.le)) for each in found if isinstance(each, Le)]
    below = [float(str(each.lt)) for each in found if isinstance(each, Lt)]
    if least and most and not above:
        yield f"{write(max(least))} to {write(min(most))}"
        return
    if above and (not least or max(above) >= max(least)):
        yield f"above {write(max(above))}"
    elif least:
        yield f"at least {write(max(least))}"
    if most:
        yield f"at most {write(min(most))}"
    if below:
        yield f"below {write(min(below))}"


def default(field: Field) -> str:
    """Return a field's default as it would stand in the file."""
    if field.info.is_required():
        return "**must be given**"
    value = field.info.get_default(call_default_factory=True, validated_data={})
    return "left out" if value is None else f"`{_value(field, value)}`"


def _value(field: Field, value: object) -> str:
    quantity = _quantity(field.hint)
    if quantity is None:
        return _literal(value)
    if field.many and isinstance(value, tuple):
        return "[" + ", ".join(f'"{quantity[1](each)}"' for each in value) + "]"
    return f'"{quantity[1](value)}"'


def _literal(value: object) -> str:
    """Return a value as TOML has it."""
    match value:
        case Enum():
            return _literal(value.value)
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:.10g}"
        case dict():
            inside = ", ".join(f"{_literal(k)} = {_literal(v)}" for k, v in value.items())
            return f"{{{inside}}}"
        case tuple() | list() | frozenset():
            return f"[{', '.join(_literal(each) for each in value)}]"
        case date() | time():
            return value.isoformat()
        case BaseModel():
            return "its defaults"
        case _:
            return f'"{value}"'

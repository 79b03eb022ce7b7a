"""What a person is asked once about a device: a table of questions, and who asks them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.model import Control, DeviceKind, Ownership
from der.registry import CONTROLS, DRIVERS, Driver
from hems import units
from hems.settings.device_section import needs
from hems.settings.devices_file import Value
from hems.setup.device_map import choice, told

Answer = Callable[[str], str]
"""Shows a question and returns what was typed."""

_WARM: Final = frozenset({DeviceKind.THERMOSTAT, DeviceKind.HEAT_PUMP, DeviceKind.WATER_HEATER})
_PHASES: Final = frozenset("ABC")
_LAST_ESSENTIALITY: Final = 9
_ESSENTIALITIES: Final = "0 is shed first, 8 last, 9 never but for the main breaker"


class AnswerError(Exception):
    """Not an answer to this question; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        key: Of the device's section; not asked where the section has it.
        text: What is asked.
        fits: Whether it makes sense for a section as far as it is known.
        read: Returns what an answer puts into the section; raises AnswerError, UnitError.
        default: What an empty answer means, in words; empty where it means nothing is said.
    """

    key: str
    text: str
    fits: Callable[[Mapping[str, Value]], bool]
    read: Callable[[str], Mapping[str, Value]]
    default: str = ""


def ask(table: Mapping[str, Value], answer: Answer) -> dict[str, Value]:
    """Return a section with what was answered; what it says already is not asked."""
    known = dict(table)
    for question in QUESTIONS:
        if question.key in known or not question.fits(known):
            continue
        known = {**_asked(question, answer), **known}
    for key, words in needs(str(known.get("driver", ""))):
        if key not in known:
            known |= _asked(_needed(key, words), answer)
    return known


def _asked(question: Question, answer: Answer) -> Mapping[str, Value]:
    shown = f" [{question.default}]" if question.default else ""
    before = ""
    while True:
        text = answer(f"{before}{question.text}{shown}: ").strip() or question.default
        try:
            return question.read(text) if text else {}
        except (AnswerError, units.UnitError) as error:
            before = f"{error}\n"


def _needed(key: str, words: str) -> Question:
    if key == "port":
        return Question(key, words.capitalize(), _always, _number("port"), "502")
    return Question(key, words.capitalize(), _always, lambda text: {key: text})


def _always(_table: Mapping[str, Value]) -> bool:
    return True


def _kind(table: Mapping[str, Value]) -> DeviceKind | None:
    kind = table.get("kind")
    return DeviceKind(kind) if kind in set(DeviceKind) else None


def _controlled(table: Mapping[str, Value]) -> bool:
    kind = _kind(table)
    return kind is not None and CONTROLS[kind] is not Control.NONE


def _gives(table: Mapping[str, Value]) -> bool:
    return _kind(table) in {DeviceKind.PV, DeviceKind.BATTERY}


def _takes(table: Mapping[str, Value]) -> bool:
    return _controlled(table) and _kind(table) is not DeviceKind.PV


def _warms(table: Mapping[str, Value]) -> bool:
    return _kind(table) in _WARM


def _speaks(*drivers: Driver) -> Callable[[Mapping[str, Value]], bool]:
    names = frozenset(str(driver) for driver in drivers)
    return lambda table: table.get("driver") in names


def _one_of(key: str, allowed: Sequence[str]) -> Callable[[str], Mapping[str, Value]]:
    def read(text: str) -> Mapping[str, Value]:
        if text not in allowed:
            raise AnswerError(f"{text!r} is none of {', '.join(allowed)}")
        return {key: text}

    return read


def _number(key: str) -> Callable[[str], Mapping[str, Value]]:
    def read(text: str) -> Mapping[str, Value]:
        if not (text.isascii() and text.isdigit()):
            raise AnswerError(f"{text!r} is no number")
        return {key: int(text)}

    return read


def _power(key: str, sign: int) -> Callable[[str], Mapping[str, Value]]:
    def read(text: str) -> Mapping[str, Value]:
        return {key: f"{sign * abs(units.power_w(text)):.12g} W"}

    return read


def phases(text: str) -> Mapping[str, Value]:
    """Return the phases of the home that a device is on: "A", "A,B,C"."""
    named = [part.strip().upper() for part in text.split(",")]
    if not set(named) <= _PHASES or len(set(named)) != len(named):
        raise AnswerError(f"{text!r} is not of the kind A, or A,B,C")
    return {"connected_to": named}


def comfort(text: str) -> Mapping[str, Value]:
    """Return the bounds of a temperature: "18..23"."""
    low, dots, high = text.partition("..")
    try:
        bounds = float(low), float(high)
    except ValueError:
        dots = ""
    if not dots:
        raise AnswerError(f"{text!r} is not of the kind 18..23")
    return {"comfort_low": bounds[0], "comfort_high": bounds[1]}


def _essentiality(text: str) -> Mapping[str, Value]:
    found = _number("essentiality")(text)
    if int(text) > _LAST_ESSENTIALITY:
        raise AnswerError(_ESSENTIALITIES)
    return found


QUESTIONS: Final = (
    Question(
        "kind", f"What is it ({', '.join(DeviceKind)})", _always, _one_of("kind", [*DeviceKind])
    ),
    Question(
        "driver",
        f"What speaks to it ({', '.join(DRIVERS)})",
        _always,
        _one_of("driver", [*DRIVERS]),
    ),
    Question("map", choice(), _speaks(Driver.MODBUS), told),
    Question(
        "host",
        "Its host name or address",
        _speaks(Driver.SUNSPEC, Driver.MODBUS, Driver.P1),
        lambda text: {"host": text},
    ),
    Question("min", "Most power it can give, such as 5 kW", _gives, _power("min", -1)),
    Question("max", "Most power it can take, such as 3 kW", _takes, _power("max", 1)),
    Question(
        "connected_to", "Phases of the home it is on, such as A or A,B,C", _controlled, phases
    ),
    Question("comfort_low", "Comfort, coldest and warmest degC, such as 18..23", _warms, comfort),
    Question("essentiality", f"Essentiality: {_ESSENTIALITIES}", _takes, _essentiality, "5"),
    Question(
        "ownership",
        f"Whose is it ({', '.join(Ownership)})",
        _controlled,
        _one_of("ownership", [*Ownership]),
        "owner",
    ),
)
"""In the order in which they are asked; a later one may depend on what an earlier one said."""

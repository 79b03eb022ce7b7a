"""What a P1 telegram says, in the house's units and signs; parsed by `dsmr_parser`. Pure.

One set of lines serves DSMR 2.2, 4 and 5 and what Belgium, Luxembourg and Sweden made of it: each
line has one meaning wherever it occurs. Only the lines that a reading needs are parsed. The
library keeps a little of each power-failure log that it parses, for ever.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from dsmr_parser.exceptions import InvalidChecksumError, ParseError
from dsmr_parser.parsers import TelegramParser
from dsmr_parser.telegram_specifications import (
    BELGIUM_FLUVIUS,
    EON_HUNGARY,
    LUXEMBOURG_SMARTY,
    MSN,
    SWEDEN,
    V2_2,
    V5,
)

from der.model import PhaseReading, Reading

# A line that cannot be parsed costs the library a log record with its stack; what is wrong with a
# telegram is said once, by the link.
logging.getLogger("dsmr_parser.parsers").setLevel(logging.CRITICAL)

_IMPORT_TARIFFS: Final = tuple(f"ELECTRICITY_USED_TARIFF_{n}" for n in range(1, 5))
_EXPORT_TARIFFS: Final = tuple(f"ELECTRICITY_DELIVERED_TARIFF_{n}" for n in range(1, 5))
_PHASES: Final = ("L1", "L2", "L3")
_VOLTAGE: Final = "INSTANTANEOUS_VOLTAGE_{}"
_DRAWN: Final = "INSTANTANEOUS_ACTIVE_POWER_{}_POSITIVE"
_GIVEN: Final = "INSTANTANEOUS_ACTIVE_POWER_{}_NEGATIVE"
_DUTCH_VERSION: Final = "P1_MESSAGE_HEADER"
_BELGIAN_VERSION: Final = "BELGIUM_VERSION_INFORMATION"
_SERIAL: Final = "BELGIUM_EQUIPMENT_IDENTIFIER"
"""Of the electricity meter (channel 0) everywhere; others' pattern takes a gas meter's as well."""
_WANTED: Final = frozenset(
    {
        _DUTCH_VERSION,
        _BELGIAN_VERSION,
        _SERIAL,
        "P1_MESSAGE_TIMESTAMP",
        "ELECTRICITY_IMPORTED_TOTAL",
        "ELECTRICITY_EXPORTED_TOTAL",
        *_IMPORT_TARIFFS,
        *_EXPORT_TARIFFS,
        "CURRENT_ELECTRICITY_USAGE",
        "CURRENT_ELECTRICITY_DELIVERY",
        "CURRENT_REACTIVE_IMPORTED",
        "CURRENT_REACTIVE_EXPORTED",
        *(name.format(phase) for name in (_VOLTAGE, _DRAWN, _GIVEN) for phase in _PHASES),
    }
)
_LINES: Final = {
    line["value_name"]: line
    for specification in (V2_2, EON_HUNGARY, MSN, SWEDEN, LUXEMBOURG_SMARTY, BELGIUM_FLUVIUS, V5)
    for line in specification["objects"]
    if line["value_name"] in _WANTED
}
_PARSER: Final = TelegramParser(
    {"checksum_support": False, "objects": [*_LINES.values()]}, apply_checksum_validation=False
)
_UNITS: Final[Mapping[str, float]] = {
    "W": 1.0, "kW": 1e3, "Wh": 1.0, "kWh": 1e3, "V": 1.0, "var": 1.0, "kvar": 1e3, "kVAr": 1e3,
}  # fmt: skip
_MOST_V: Final = 1000.0
_LONGEST_NAME: Final = 50


class TelegramError(Exception):
    """A telegram says nothing that can be used; `str()` is a clause that says why."""


@dataclass(frozen=True, slots=True)
class Telegram:
    """What a telegram says.

    Attributes:
        maker: Three letters of the meter's maker.
        model: What the meter calls itself.
        serial: Its number; empty where it does not tell.
        version: Of the protocol, as the meter writes it ("50"); empty before DSMR 4.
        checked: Whether it carries a checksum, which was right.
        sent_at: By the meter's clock, UTC epoch seconds; None where it does not tell.
        power_w: Import positive.
        import_wh: All tariffs; None where it does not tell.
        export_wh: All tariffs; None where it does not tell.
        reactive_var: Passive sign; None where it does not tell.
        phases: As many as it tells of.
        suspect: Attributes of a reading that it gives, but that cannot be.
    """

    maker: str
    model: str
    serial: str
    version: str
    checked: bool
    sent_at: float | None
    power_w: float
    import_wh: float | None = None
    export_wh: float | None = None
    reactive_var: float | None = None
    phases: tuple[PhaseReading, ...] = ()
    suspect: frozenset[str] = frozenset()

    def reading(self, at: float, *, inverted: bool = False) -> Reading:
        """Return it as a reading.

        Args:
            at: When it came, UTC epoch seconds.
            inverted: The meter counts the other way round.
        """
        sign = -1.0 if inverted else 1.0
        taken, given = self.import_wh, self.export_wh
        return Reading(
            at=at,
            power_w=sign * self.power_w,
            reactive_var=None if self.reactive_var is None else sign * self.reactive_var,
            voltage_v=self.phases[0].voltage_v if self.phases else None,
            energy_import_wh=given if inverted else taken,
            energy_export_wh=taken if inverted else given,
            phases=tuple(
                PhaseReading(None if p.power_w is None else sign * p.power_w, p.voltage_v)
                for p in self.phases
            ),
            suspect=self.suspect,
        )


def parse(raw: bytes) -> Telegram:
    """Parse one telegram.

    Args:
        raw: From its "/" to the end of its "!" line.

    Raises:
        TelegramError: Its checksum is wrong or missing, or it tells no power.
    """
    text = raw.decode("latin-1")
    checked = not text.rstrip().endswith("!")
    if checked:
        _check(text)
    try:
        said = _Said(_PARSER.parse(text, throw_ex=True))
    except (ParseError, ArithmeticError, ValueError, IndexError, TypeError) as error:
        raise TelegramError("a line of a telegram cannot be read") from error
    version = said.text(_DUTCH_VERSION) or said.text(_BELGIAN_VERSION)
    if version and not checked:
        raise TelegramError("the checksum of a telegram is missing")
    power_w = said.less("CURRENT_ELECTRICITY_USAGE", "CURRENT_ELECTRICITY_DELIVERY")
    if power_w is None:
        raise TelegramError("a telegram tells no power (1-0:1.7.0)")
    head = text[1:].split("\n", 1)[0].strip()
    return Telegram(
        maker=_shown(head[:3]),
        model=_shown(head[4:].lstrip("\\")),
        serial=_shown(_unhex(said.text(_SERIAL))),
        version=_shown(version),
        checked=checked,
        sent_at=said.moment("P1_MESSAGE_TIMESTAMP"),
        power_w=power_w,
        import_wh=said.total("ELECTRICITY_IMPORTED_TOTAL", _IMPORT_TARIFFS, "energy_import_wh"),
        export_wh=said.total("ELECTRICITY_EXPORTED_TOTAL", _EXPORT_TARIFFS, "energy_export_wh"),
        reactive_var=said.less("CURRENT_REACTIVE_IMPORTED", "CURRENT_REACTIVE_EXPORTED"),
        phases=said.phases(),
        suspect=frozenset(said.suspect),
    )


@dataclass(slots=True)
class _Said:
    """The values of a telegram by name, in SI units."""

    telegram: object
    suspect: set[str] = field(default_factory=set)

    def text(self, name: str) -> str:
        value = self._value(name)
        return value if isinstance(value, str) else ""

    def moment(self, name: str) -> float | None:
        value = self._value(name)
        return value.timestamp() if isinstance(value, datetime) else None

    def number(self, name: str) -> float | None:
        value = self._value(name)
        scale = _UNITS.get(getattr(getattr(self.telegram, name, None), "unit", None) or "")
        if not isinstance(value, Decimal) or scale is None:
            return None
        number = float(value) * scale
        return number if math.isfinite(number) else None

    def less(self, drawn: str, given: str) -> float | None:
        """Return what is drawn less what is given; who never gives need not say so."""
        taken, returned = self.number(drawn), self.number(given)
        if taken is None or (returned is None and self._value(given) is not None):
            return None
        return taken - (returned or 0.0)

    def total(self, name: str, tariffs: tuple[str, ...], attribute: str) -> float | None:
        whole = self.number(name)
        parts = [part for tariff in tariffs if (part := self.number(tariff)) is not None]
        energy_wh = whole if whole is not None else sum(parts) if parts else None
        if energy_wh is not None and energy_wh < 0:
            self.suspect.add(attribute)
            return None
        return energy_wh

    def phases(self) -> tuple[PhaseReading, ...]:
        found = [
            PhaseReading(
                self.less(_DRAWN.format(phase), _GIVEN.format(phase)),
                self._voltage(_VOLTAGE.format(phase)),
            )
            for phase in _PHASES
        ]
        while found and found[-1] == PhaseReading():
            found.pop()
        return tuple(found)

    def _voltage(self, name: str) -> float | None:
        voltage_v = self.number(name)
        if voltage_v is not None and not 0 <= voltage_v <= _MOST_V:
            self.suspect.add("voltage_v")
            return None
        return voltage_v

    def _value(self, name: str) -> object:
        return getattr(getattr(self.telegram, name, None), "value", None)


def _check(text: str) -> None:
    try:
        TelegramParser.validate_checksum(text)
    except (InvalidChecksumError, ParseError, ValueError) as error:
        raise TelegramError("the checksum of a telegram is wrong") from error


def _shown(text: str) -> str:
    """Return what of a text that a meter sent is fit to be shown."""
    return "".join(char for char in text if char.isascii() and char.isprintable())[:_LONGEST_NAME]


def _unhex(text: str) -> str:
    """Return an identifier, which most meters write as hex digits of its characters."""
    try:
        plain = bytes.fromhex(text).decode("ascii")
    except ValueError:
        return text
    return plain if plain.isprintable() else text

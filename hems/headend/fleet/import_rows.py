"""One line of a file of hubs: what its cells mean, or what is wrong with which of them; pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from certs.identity import lfdi_valid, pin_valid
from hems.headend.fleet.records import Place, Site, hub_id
from hems.headend.modes import Edition

COLUMNS: Final = (
    "site",
    "group",
    "site_name",
    "address",
    "connection_point",
    "lat",
    "lon",
    "lfdi",
    "kind",
    "serial",
    "pin",
    "edition",
    "licence",
    "licence_until",
    "largest_event_w",
)
"""All there are; `site`, and `lfdi` or `kind` and `serial`, are needed."""

NEEDED: Final = "site"
MOST_TEXT: Final = 200
"""Characters in a cell."""
MOST_EVENT_W: Final = 1_000_000_000

ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,63}")
"""Ids of groups and sites."""
OBJECT_ID: Final = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,18})){1,30}")
SERIAL: Final = re.compile(r"([0-9A-Fa-f]{2}){1,64}")
_SHOWN: Final = 40
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be imported.

    Attributes:
        line: In the file, from 1.
        column: Of the cell; empty for the line as a whole.
        reason: What is wrong with it.
    """

    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class HubLine:
    """What a good line says.

    Attributes:
        line: In the file, from 1.
        hub: Id of the hub.
        site: The site; its group is empty where the line does not say it.
        lfdi: Operational identity; empty for none.
        kind: hwType; empty where not known.
        serial: hwSerialNum, lower-case hex.
        pin: Registration PIN; None to have one drawn.
        edition: What the home speaks; None for what most do.
        licence: Its number; empty for none.
        licence_until: When it ends, epoch s; None for never.
        largest_event_w: The largest event it may be asked for, W; None for any.
    """

    line: int
    hub: str
    site: Site
    lfdi: str
    kind: str
    serial: str
    pin: int | None
    edition: Edition | None
    licence: str
    licence_until: float | None
    largest_event_w: int | None


def judge(line: int, cells: Mapping[str, str]) -> tuple[HubLine | None, tuple[Problem, ...]]:
    """Return what a line says, or everything that is wrong with it.

    Args:
        line: Its number.
        cells: By column, without the space around them.
    """
    reader = _Cells(line, cells)
    site, place = reader.read("site", _name), reader.place()
    group = reader.read("group", _name)
    lfdi = reader.read("lfdi", _lfdi) or ""
    kind = reader.read("kind", _kind) or ""
    serial = reader.read("serial", _serial) or ""
    pin = reader.read("pin", _pin)
    until = reader.read("licence_until", _end_of_day)
    made = HubLine(
        line,
        hub_id(kind, serial, lfdi),
        Site(
            site or "",
            group or "",
            reader.read("site_name", _text) or "",
            reader.read("address", _text) or "",
            reader.read("connection_point", _text) or "",
            place,
        ),
        lfdi,
        kind,
        serial,
        pin,
        reader.read("edition", _edition),
        reader.read("licence", _text) or "",
        until,
        reader.read("largest_event_w", _watts),
    )
    given = {name for name in COLUMNS if cells.get(name)}
    if "site" not in given:
        reader.complain("site", "is missing")
    if ("kind" in given) != ("serial" in given):
        missing = "serial" if "kind" in given else "kind"
        reader.complain(missing, "is missing: kind and serial go together")
    elif not given & {"lfdi", "kind"}:
        reader.complain("lfdi", "is missing; a hub is known by its lfdi, or by kind and serial")
    if "lfdi" not in given and (early := sorted(given & {"pin", "edition"})):
        reader.complain(
            early[0], "goes with an lfdi; others are told it when they are pre-approved"
        )
    if "licence_until" in given and "licence" not in given:
        reader.complain("licence", "is missing; licence_until goes with it")
    return (None if reader.problems else made), tuple(reader.problems)


class _Cells:
    """Reads cells, and keeps what is wrong with them."""

    def __init__(self, line: int, cells: Mapping[str, str]) -> None:
        self._line = line
        self._cells = cells
        self.problems = [
            Problem(line, name[:_SHOWN], "is not one of the columns")
            for name in cells
            if name not in COLUMNS
        ]

    def read(self, column: str, meaning: Callable[[str], T]) -> T | None:
        """Return what a cell means; None where it is empty or means nothing."""
        text = self._cells.get(column, "")
        if not text:
            return None
        try:
            return meaning(text)
        except ValueError as error:
            self.complain(column, str(error))
            return None

    def place(self) -> Place | None:
        """Return the place on the map; None where none is said."""
        lat, lon = self.read("lat", _degrees(90)), self.read("lon", _degrees(180))
        if bool(self._cells.get("lat")) != bool(self._cells.get("lon")):
            self.complain("lon" if self._cells.get("lat") else "lat", "is missing")
        return None if lat is None or lon is None else Place(lat, lon)

    def complain(self, column: str, reason: str) -> None:
        """Keep what is wrong."""
        self.problems.append(Problem(self._line, column, reason))


def shown(text: str) -> str:
    """Return a cell fit to be shown: short, and nothing in it that moves a cursor."""
    return ascii(text[:_SHOWN]) if not text.isprintable() else repr(text[:_SHOWN])


def _text(text: str) -> str:
    if len(text) > MOST_TEXT:
        raise ValueError(f"is longer than {MOST_TEXT} characters")
    if not text.isprintable():
        raise ValueError(f"{shown(text)} has characters that cannot be shown")
    return text


def _name(text: str) -> str:
    if not ID.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is no id: 1 to 64 letters, digits, dots, colons, _ and -, the first "
            "one a letter or digit"
        )
    return text


def _lfdi(text: str) -> str:
    if not lfdi_valid(text.upper()):
        raise ValueError(f"{shown(text)} is no LFDI: 40 hex digits")
    return text.upper()


def _kind(text: str) -> str:
    if not OBJECT_ID.fullmatch(text):
        raise ValueError(f"{shown(text)} is no object identifier, as 1.3.6.1.4.1.32473.1")
    return text


def _serial(text: str) -> str:
    if not SERIAL.fullmatch(text):
        raise ValueError(f"{shown(text)} is no serial number: pairs of hex digits, 64 at most")
    return text.lower()


def _pin(text: str) -> int:
    whole = text.zfill(6)  # spreadsheets take leading zeros away
    if not pin_valid(whole):
        raise ValueError(f"{shown(text)} is no PIN: five digits and the check digit that fits")
    return int(whole)


def _edition(text: str) -> Edition:
    try:
        return Edition(text.lower())
    except ValueError:
        known = ", ".join(each.value for each in Edition)
        raise ValueError(f"{shown(text)} is none of {known}") from None


def _end_of_day(text: str) -> float:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        return (day + timedelta(days=1)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"{shown(text)} is no day, as 2031-12-31") from None


def _watts(text: str) -> int:
    digits = text.isascii() and text.isdigit() and len(text) <= _SHOWN
    if not digits or not 0 < int(text) <= MOST_EVENT_W:
        raise ValueError(f"{shown(text)} is no whole number of W from 1 to {MOST_EVENT_W}")
    return int(text)


def _degrees(most: int) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text if "." in text else text.replace(",", "."))
        except ValueError:
            value = most + 1.0
        if not -most <= value <= most:
            raise ValueError(f"{shown(text)} is no number of degrees from -{most} to {most}")
        return value

    return read

"""What the last scan found, kept beside the devices file: `hems device add --found 3` means it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from der.discovery.found import Found
from hems.settings.device_table import table_of


class ScanError(Exception):
    """The last scan cannot be used; `str()` says why and what to do."""


class Row(BaseModel):
    """One result.

    Attributes:
        number: By which it is added.
        kind: What it may be; empty where that cannot be guessed.
        driver: Who can speak to it; empty for nobody.
        where: Where it is.
        maker: As it says, as are model, serial and name.
        how: How it was found.
        note: What to know or do.
        configured: Id of the device as which it is configured; empty for none.
        keys: What is known of its section of the configuration.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    kind: str
    driver: str
    where: str
    maker: str
    model: str
    serial: str
    name: str
    how: tuple[str, ...]
    note: str
    configured: str
    keys: dict[str, Annotated[str | int, Field(union_mode="left_to_right")]]

    @property
    def who(self) -> str:
        """Maker, model and serial number, or the name where it tells none of these."""
        return " ".join(t for t in (self.maker, self.model, self.serial) if t) or self.name


_ROWS = TypeAdapter(tuple[Row, ...])


def numbered(found: Sequence[Found]) -> tuple[Row, ...]:
    """Return results as they are shown and kept."""
    return tuple(
        Row(
            number=number,
            kind="" if each.kind is None else str(each.kind),
            driver="" if each.driver is None else str(each.driver),
            where=each.where,
            maker=each.maker,
            model=each.model,
            serial=each.serial,
            name=each.name,
            how=tuple(str(how) for how in each.how),
            note=each.note,
            configured=each.configured,
            keys={
                key: value for key, value in table_of(each).items() if isinstance(value, str | int)
            },
        )
        for number, each in enumerate(found, start=1)
    )


def keep(rows: Sequence[Row], devices_file: Path) -> None:
    """Keep results for `add`; raises ScanError where they cannot be written."""
    path = _path(devices_file)
    draft = path.with_name(f"{path.name}.new")
    try:
        draft.touch(mode=0o600)
        draft.write_bytes(_ROWS.dump_json(tuple(rows)))
        draft.replace(path)
    except OSError as error:
        raise ScanError(f"{path}: the results cannot be kept: {error.strerror}") from error


def result(number: int, devices_file: Path) -> Row:
    """Return a result of the last scan.

    Raises:
        ScanError: There was no scan, its results are damaged, or it had no such number.
    """
    path = _path(devices_file)
    try:
        rows = _ROWS.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ScanError("nothing was scanned yet: run `hems device scan` first") from error
    except (OSError, ValidationError) as error:
        raise ScanError(f"{path}: cannot be used: run `hems device scan` again") from error
    for row in rows:
        if row.number == number:
            return row
    raise ScanError(f"the last scan has no result {number}, but 1 to {len(rows)}")


def _path(devices_file: Path) -> Path:
    return devices_file.with_name(f".{devices_file.name}.scan")

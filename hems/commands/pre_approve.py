"""`hems headend pre-approve|pre-approved`: hubs approved before they ask, by maker and serial."""

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from certs.errors import CertificateError
from certs.pem import write_file
from hems.commands.operator import OperatorError, Told, ask, part, when
from hems.commands.output import fail

_COLUMNS: Final = ("kind", "serial", "pin", "edition")
_NEEDED: Final = frozenset({"kind", "serial"})
_MOST_OCTETS: Final = 1_000_000


class _Hub(Told):
    id: str
    kind: str
    serial: str
    pin: str
    code: str
    expires_at: float
    used: bool


class _Hubs(Told):
    hubs: list[_Hub]


class _FileError(Exception):
    """A file of hubs cannot be read; `str()` names the file, the line and what is wrong."""


def run(options: argparse.Namespace) -> int:
    """Run `hems headend pre-approve` or `pre-approved`; returns the exit code."""
    try:
        if options.what == "pre-approved":
            return _list(options)
        return _approve(options)
    except (OperatorError, CertificateError, _FileError) as error:
        return fail(str(error))


def _approve(options: argparse.Namespace) -> int:
    if (options.csv is None) == (options.serial is None):
        return fail("name one hub by --kind and --serial, or several in a file by --csv")
    if options.csv is None:
        names = ("kind", "serial", "pin", "edition")
        hubs = [{name: value for name in names if (value := getattr(options, name))}]
    else:
        hubs = read_hubs(options.csv)
    order = {"hubs": hubs, "days": options.days}
    made = ask(options.operator, "POST", "/expected-hubs", _Hubs, order).hubs
    if options.out is None:
        for each in made:
            print(f"{each.kind}  {each.serial}  PIN {each.pin}  {each.code}")
    else:
        write_file(options.out.absolute(), _letters(made), mode=0o600)
        print(f"{options.out}: {len(made)} hubs with PIN and code, for their owners")
    print(f"until {when(made[0].expires_at)} such a hub enrols without being approved, once")
    return 0


def _list(options: argparse.Namespace) -> int:
    if options.drop is not None:
        ask(options.operator, "DELETE", f"/expected-hubs/{part(options.drop)}", _Hubs)
    found = ask(options.operator, "GET", "/expected-hubs", _Hubs).hubs
    if not found:
        print("no hub is approved before it asks")
    for each in found:
        how = "has come" if each.used else f"until {when(each.expires_at)}"
        print(f"{each.id}  {each.kind}  {each.serial}  {how}")
    return 0


def read_hubs(path: Path) -> list[dict[str, str]]:
    """Return the hubs of a file: comma-separated, with a line that names its columns.

    Raises:
        _FileError: It cannot be read, or a line of it is not whole.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_OCTETS + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise _FileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _FileError(f"{path}: is not text in UTF-8") from error
    if len(content) > _MOST_OCTETS:
        raise _FileError(f"{path}: is longer than {_MOST_OCTETS} octets; give it in parts")
    reader = csv.DictReader(io.StringIO(text), restkey="", strict=True)
    try:
        columns = [name.strip().lower() for name in reader.fieldnames or ()]
        if not _NEEDED <= set(columns) <= set(_COLUMNS) or len(set(columns)) < len(columns):
            raise _FileError(f"{path}: its first line must name the columns {', '.join(_COLUMNS)}")
        reader.fieldnames = columns
        return [_hub(path, reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise _FileError(f"{path}, line {reader.line_num}: {error}") from error


def _hub(path: Path, line: int, row: dict[str, str | None]) -> dict[str, str]:
    values = {name: (value or "").strip() for name, value in row.items() if name}
    if "" in row or any(value is None for value in row.values()):
        raise _FileError(f"{path}, line {line}: has not as many values as there are columns")
    if missing := [name for name in sorted(_NEEDED) if not values[name]]:
        raise _FileError(f"{path}, line {line}: the {missing[0]} is missing")
    return {name: value for name, value in values.items() if value}


def _letters(hubs: Sequence[_Hub]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("kind", "serial", "pin", "code", "until"))
    for each in hubs:
        writer.writerow((each.kind, each.serial, each.pin, each.code, when(each.expires_at)))
    return out.getvalue().encode()

"""`hems headend aggregator ...`: certificates that speak for many homes."""

import argparse
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlencode

from hems.commands.operator import OperatorError, Told, ask, part
from hems.commands.output import fail
from hems.headend.fleet.import_rows import Problem
from hems.headend.fleet.table_file import TableError, read_table

_AT_ONCE: Final = 1_000
_COLUMNS: Final = ("lfdi", "pin")


class _Aggregator(Told):
    lfdi: str
    may_register: bool
    most: int
    homes: int


class _Aggregators(Told):
    aggregators: list[_Aggregator]


class _Home(Told):
    lfdi: str
    pin: str
    edition: str
    in_band: bool


class _Homes(Told):
    homes: list[_Home]
    next: str | None


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    try:
        _do(options)
    except (OperatorError, TableError) as error:
        return fail(str(error))
    return 0


def _do(options: argparse.Namespace) -> None:
    operator = options.operator
    if options.what == "list":
        found = ask(operator, "GET", "/aggregators", _Aggregators).aggregators
        for each in found:
            _print(each)
        if not found:
            print("no aggregator is entered")
        return
    place = f"/aggregators/{part(options.lfdi)}"
    match options.what:
        case "add":
            edition = {} if options.edition is None else {"edition": options.edition}
            wish = {"lfdi": options.lfdi, "pin": options.pin, **edition, **_rights(options)}
            _print(ask(operator, "POST", "/aggregators", _Aggregator, wish))
        case "change":
            _print(ask(operator, "PUT", place, _Aggregator, _rights(options)))
        case "drop":
            _print(ask(operator, "DELETE", place, _Aggregator))
        case "homes":
            _list(options, place)
        case "give":
            _give(options, place)
        case _:
            path = f"{place}/homes/{part(options.home)}"
            _print(ask(operator, "DELETE", path, _Aggregator))


def _rights(options: argparse.Namespace) -> dict[str, object]:
    most = {} if options.most is None else {"most": options.most}
    return {"may_register": options.may_register, **most}


def _list(options: argparse.Namespace, place: str) -> None:
    after: str | None = ""
    while after is not None:
        query = urlencode({"limit": _AT_ONCE, **({"after": after} if after else {})})
        page = ask(options.operator, "GET", f"{place}/homes?{query}", _Homes)
        for home in page.homes:
            by = "by itself" if home.in_band else "by the utility"
            print(f"{home.lfdi}  PIN {home.pin}, {home.edition}, entered {by}")
        after = page.next


def _give(options: argparse.Namespace, place: str) -> None:
    """Give an aggregator the homes of a file; said again after an interruption it goes on."""
    batch: list[dict[str, str]] = []
    done: _Aggregator | None = None
    for home in _homes(options):
        batch.append(home)
        if len(batch) == _AT_ONCE:
            done, batch = _post(options, place, batch), []
    if batch:
        done = _post(options, place, batch)
    if done is not None:
        _print(done)


def _homes(options: argparse.Namespace) -> Iterator[dict[str, str]]:
    for line in read_table(options.file, _COLUMNS, ("lfdi",)):
        if isinstance(line, Problem):
            raise TableError(f"{options.file}, line {line.line}: {line.reason}")
        yield {name: cell for name, cell in line.cells.items() if cell}


def _post(options: argparse.Namespace, place: str, homes: Sequence[dict[str, str]]) -> _Aggregator:
    return ask(options.operator, "POST", f"{place}/homes", _Aggregator, {"homes": homes})


def _print(each: _Aggregator) -> None:
    may = ", may enter more by itself" if each.may_register else ""
    print(f"{each.lfdi}  speaks for {each.homes} of at most {each.most} homes{may}")

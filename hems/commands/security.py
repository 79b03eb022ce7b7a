"""`hems security`: the log of what bears on security, asked of the running hub."""

import argparse
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hems.commands.output import fail
from hems.commands.page import Page, PageError, Told
from hems.commands.presence import page_of
from hems.commands.way_in import home_file
from hems.settings import devices_file
from hems.settings.toml_file import ConfigError, read_toml

_URL: Final = "http://127.0.0.1:8080"
_BARRED: Final = "/api/security/barred"


class _Row(Told):
    seq: int
    at: float
    kind: str
    severity: str
    about: str
    source: str
    text: str
    times: int
    advice: str
    done: str


class _Rows(Told):
    rows: list[_Row]


class _Check(Told):
    rows: int
    broken_at: int | None
    link: str
    known: bool | None


class _Barred(Told):
    source: str
    left_s: float
    why: str


class _AllBarred(Told):
    barred: list[_Barred]


def run(options: argparse.Namespace) -> int:
    """Do what is asked; returns the exit code."""
    page = Page(getattr(options, "url", None) or page_of(_devices()) or _URL)
    try:
        return _ACTIONS[options.action](page, options)
    except (PageError, OSError) as error:
        return fail(str(error))


def _log(page: Page, options: argparse.Namespace) -> int:
    query = f"most={options.most}&least={options.least}"
    for row in reversed(page.get(f"/api/security/log?{query}", _Rows).rows):
        times = f" ({row.times}x)" if row.times > 1 else ""
        source = f" [{row.source}]" if row.source else ""
        said = " ".join(part for part in (row.text, row.done, row.advice) if part)
        print(f"{row.seq:>6} {_time(row.at)} {row.severity:<7} {row.kind}{source}{times}: {said}")
    return 0


def _verify(page: Page, options: argparse.Namespace) -> int:
    check = page.get(f"/api/security/log/check?link={options.link}", _Check)
    if check.broken_at is not None:
        return fail(f"row {check.broken_at} is not as it was written; those before it are")
    if check.known is False:
        return fail(f"all {check.rows} rows hold together, but that link is none of theirs")
    print(f"{check.rows} rows, as they were written; link {check.link}")
    return 0


def _barred(page: Page, options: argparse.Namespace) -> int:
    del options
    for each in page.get(_BARRED, _AllBarred).barred:
        print(f"{each.source:<24} {math.ceil(each.left_s / 60):>4} min more: {each.why}")
    return 0


def _let_in(page: Page, options: argparse.Namespace) -> int:
    page.post(f"{_BARRED}/let-in", {"source": options.source})
    print(f"{options.source} is kept out no longer")
    return 0


def _export(page: Page, options: argparse.Namespace) -> int:
    content = page.text("/api/security/log/export")
    options.file.write_bytes(content)
    rows = content.count(b"\n") - 1
    print(f"{options.file}: {rows} rows, and a line with their checksum")
    return 0


_ACTIONS: Final[Mapping[str, Callable[[Page, argparse.Namespace], int]]] = {
    "log": _log,
    "verify": _verify,
    "export": _export,
    "barred": _barred,
    "let-in": _let_in,
}


def _devices() -> Path:
    path = home_file()
    try:
        return devices_file.place(read_toml(path), path)
    except ConfigError:  # none there: perhaps a home that was set up on its page
        return path.with_name(devices_file.DEFAULT).absolute()


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")

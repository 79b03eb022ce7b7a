"""A hub that runs for ten years: the book keeps nothing without bound."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from hems.sep2 import resources as res
from hems.sep2.book.book import Book, BookSettings
from hems.sep2.book.receipts import KEEP_S
from hems.sep2.codec.reading import BadItem
from hems.sep2.errors import MalformedError
from hems.sep2.rules.events import Program
from tests.hems.sep2.controls_made import control, default
from tests.hems.sep2.kinds_made import curve, load_control, tariff_interval

P1 = Program("A1", "Peak", 1)
LFDI = "0" * 39 + "1"
DAYS = 60

pytestmark = pytest.mark.requirement("PRO-2030.5")


def make_book() -> Book:
    settings = BookSettings("utility", LFDI)
    return Book(settings, random.Random(1), lambda _: None)  # noqa: S311 - draws, not secrets


def size(book: Book) -> int:
    """Return how many things a book keeps, by whatever name it has for them."""
    found, ahead, seen = 0, list[object]([book]), set[int]()
    while ahead:
        each = ahead.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, Mapping):
            found += len(each)
            ahead += each.values()
        elif isinstance(each, set | frozenset | list | tuple):
            found += len(each)
            ahead += each
        elif type(each).__module__.startswith("hems.sep2.") and hasattr(each, "__dict__"):
            ahead += vars(each).values()
    return found


def one_day(book: Book, day: int, kind: str) -> None:
    now = day * 86400.0
    start = int(now)
    name = f"{day:04X}"
    bad = BadItem(MalformedError("DERControl", f"bad {day}"), "DERControl", name, "/rsp", "", 7)
    empty: Sequence[res.DERControl] = ()
    match kind:
        case "completed":
            for at, listed in ((now, [control(name, start, 60)]), (now + 60, [])):
                book.update(P1, listed, at, kind=res.DERControl, complete=True)
                book.advance(at, None)
        case "never readable and vanished":
            book.update(P1, empty, now, kind=res.DERControl, complete=True, bad=[bad])
            book.advance(now, None)
            book.update(P1, empty, now + 60, kind=res.DERControl, complete=True)
        case "never readable, by notifications":
            book.update(P1, empty, now, kind=res.DERControl, complete=False, bad=[bad])
        case "for other devices":
            other = load_control(name, start, 60, category=1 << 3)
            book.update(P1, [other], now, kind=res.EndDeviceControl, complete=False)
        case "refused, of the far future":
            far = control(name, 4_000_000_000, 0)
            book.update(P1, [far], now, kind=res.DERControl, complete=False)
        case "programmes that come and go":
            program = Program(f"A{day}", "Peak", 1)
            book.update(
                program, [control(name, start, 60)], now, kind=res.DERControl, complete=True
            )
            book.set_default(program, default(f"D{day:03}", 5000.0))
            book.retain(frozenset({program.mrid}), res.DERControl, now)
        case "curves that come and go":
            book.set_curves(P1, [curve(f"/c/{day}", (1, 1))], now, complete=bool(day % 2))
        case "prices":
            interval = tariff_interval(name, start, 86400)
            book.update(P1, [interval], now, kind=res.TimeTariffInterval, complete=True)
            book.prices.set_blocks(name, ())
    book.advance(now + 100, None)
    book.saved()


@pytest.mark.parametrize(
    "kind",
    [
        "completed",
        "never readable and vanished",
        "never readable, by notifications",
        "for other devices",
        "refused, of the far future",
        "programmes that come and go",
        "curves that come and go",
        "prices",
    ],
)
def test_nothing_grows_with_the_days(kind: str) -> None:
    book = make_book()
    for day in range(1, 10):
        one_day(book, day, kind)
    settled = size(book)
    for day in range(10, DAYS):
        one_day(book, day, kind)
    assert size(book) <= settled + 3
    assert size(book) < 120


def test_what_cannot_be_saved_is_not_owed_twice_meanwhile() -> None:
    """A full disk, and a notification that tells the same again and again."""
    book = make_book()
    for now in range(0, int(4 * KEEP_S), int(KEEP_S / 2)):
        item = BadItem(MalformedError("DERControl", "bad"), "DERControl", "E1", "/rsp", "", 7)
        book.update(P1, (), now, kind=res.DERControl, complete=False, bad=[item])
        book.advance(now, None)
    assert len(book.unsaved()[1]) == 1


def test_rows_of_nobody_are_claimed() -> None:
    book = make_book()
    book.update(P1, [control("E1", 100, 60)], 110, kind=res.DERControl, complete=True)
    (row,), _ = book.unsaved()
    for lfdi, rows in (("", 1), (LFDI, 0)):
        again = make_book()
        again.recall([replace(row, lfdi=lfdi)], 120)
        assert [r.lfdi for r in again.unsaved()[0]] == [LFDI] * rows

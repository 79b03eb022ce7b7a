"""Forms that many homes get alike: written once, and never an old one."""

import pytest

from hems.headend.forms import Alike, Form
from hems.headend.modes import Edition
from hems.sep2.resources import Time
from hems.sep2.xml import parse

pytestmark = pytest.mark.requirement("PRO-2030.5")


class Writer:
    def __init__(self) -> None:
        self.written: list[int] = []

    def time(self, at: int) -> Time:
        self.written.append(at)
        return Time(current_time=at, dst_end_time=0, dst_offset=0, dst_start_time=0,
                    quality=3, tz_offset=0)  # fmt: skip

    def form(self, alike: Alike, key: str, at: int, edition: Edition = Edition.Y2018) -> Form:
        return alike.form(key, at, edition, lambda: self.time(at))


def test_the_same_is_written_once_and_what_changed_anew() -> None:
    alike, writer = Alike(), Writer()
    first = writer.form(alike, "a", 100)
    assert writer.form(alike, "a", 100) is first
    assert parse(first.body, Time).current_time == 100
    second = writer.form(alike, "a", 101)
    assert parse(second.body, Time).current_time == 101
    assert second.etag != first.etag
    assert writer.form(alike, "a", 100) == first  # the same octets, the same tag
    assert writer.written == [100, 101, 100]


def test_an_edition_gets_its_own() -> None:
    alike, writer = Alike(), Writer()
    old, new = (writer.form(alike, "a", 100, each) for each in (Edition.Y2018, Edition.Y2023))
    assert b"schemaVer" not in old.body
    assert b'schemaVer="2.2"' in new.body


def test_only_so_many_are_kept() -> None:
    alike, writer = Alike(most=2), Writer()
    for key in "abc":
        writer.form(alike, key, 100)
    writer.form(alike, "b", 100)
    writer.form(alike, "c", 100)
    assert len(writer.written) == 3
    writer.form(alike, "a", 100)
    assert len(writer.written) == 4

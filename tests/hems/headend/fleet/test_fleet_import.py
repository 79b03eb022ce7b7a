"""`hems headend import`: files as people and spreadsheets write them, each bad line named."""

import asyncio
import json
import os
import pty
import sys
import tracemalloc
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from hems.cli import main
from hems.commands import fleet_import
from hems.headend.errors import ConflictError, ForbiddenError
from hems.headend.fleet import imports
from hems.headend.fleet.access import Access
from hems.headend.fleet.import_rows import COLUMNS, HubLine, Problem, judge
from hems.headend.fleet.imports import Imports
from hems.headend.fleet.records import Group, GroupKind
from hems.headend.fleet.settings import FleetSettings
from hems.headend.fleet.table_file import Line, TableError, read_table
from hems.headend.modes import Edition
from tests.hems.headend.fleet.conftest import (
    ENGINEER,
    KIND,
    START,
    Desk,
    TestClock,
    lfdi_of,
    open_desk,
)

A, B, C = lfdi_of(0xA), lfdi_of(0xB), lfdi_of(0xC)


class Terminal:
    """Somebody at the command line, beside a running head-end."""

    def __init__(self, desk: Desk, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.desk = desk
        self.folder = folder
        self.capsys = capsys
        self.file = folder / "operator.json"
        self.file.write_text(json.dumps({"url": desk.url, "token": desk.token}))

    async def run(self, *words: str) -> tuple[int, str, str]:
        arguments = ["headend", *words, "--operator", str(self.file)]
        code = await asyncio.to_thread(main, arguments)
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def table(self, text: str | bytes, name: str = "hubs.csv") -> str:
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    async def hubs(self) -> list[str]:
        found = await self.desk.good("GET", "/fleet/hubs?limit=1000")
        return [each["id"] for each in found["hubs"]]


@pytest.fixture
async def terminal(desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    await desk.grid()
    return Terminal(desk, tmp_path, capsys)


@pytest.mark.requirement("L3-IDENTITY")
async def test_hubs_sites_and_homes_are_entered(terminal: Terminal) -> None:
    desk = terminal.desk
    file = terminal.table(
        "site,group,site_name,address,lat,lon,lfdi,kind,serial,pin,edition,licence,"
        "licence_until,largest_event_w\n"
        f'h-1,tx-1,"Home, one","Street 1\n2nd floor",48.1,11.5,{A},,,123455,2023,L-1,2031-12-31,\n'
    )
    code, out, err = await terminal.run("import", file)
    assert code == 1
    assert "line 2, address: 'Street 1\\n2nd floor' has characters that cannot be shown" in out
    assert "nothing was entered" in out
    file = terminal.table(
        "site,group,site_name,address,lat,lon,lfdi,kind,serial,pin,edition,licence,"
        "licence_until,largest_event_w\n"
        f'h-1,tx-1,"Home, one",Street 1,48.1,11.5,{A.lower()},,,123455,2023,L-1,2031-12-31,5000\n'
        f"h-2,tx-2,,,,,,{KIND},00FF,,,,,\n"
        f"h-1,,,,,,{B},{KIND},0100,,,,,\n"
    )
    code, out, err = await terminal.run("import", file)
    assert (code, err) == (0, "")
    assert "3 entered, 0 there already, 0 bad" in out
    told = await desk.good("GET", f"/fleet/hubs/{A}")
    assert (told["state"], told["site"], told["largest_event_w"]) == ("enrolled", "h-1", 5000)
    assert told["licence"]["number"] == "L-1"
    assert told["licence"]["valid_until"] == 1_956_528_000  # 2032-01-01 0:00 UTC
    assert told["groups"] == ["h-1", "tx-1", "feeder-1", "system"]
    made = await desk.good("GET", f"/fleet/hubs/{KIND}-00ff")
    assert (made["state"], made["lfdi"]) == ("made", None)
    site = await desk.good("GET", "/fleet/sites/h-1")
    assert (site["name"], site["place"]) == ("Home, one", {"lat": 48.1, "lon": 11.5})
    home = desk.book.home(A)
    assert home is not None
    assert (home.pin, home.edition) == (123455, Edition.Y2023)
    assert desk.book.home(B) is not None
    assert desk.fleet.memory.access(B, START) == Access.OWN
    history = (await desk.good("GET", f"/fleet/hubs/{KIND}-0100/history"))["changes"]
    assert history[0]["why"] == "hubs.csv, line 4"

    # The same file once more changes nothing.
    code, out, _ = await terminal.run("import", file)
    assert code == 0
    assert "0 entered, 3 there already, 0 bad" in out
    assert (await desk.good("GET", f"/fleet/hubs/{KIND}-0100/history"))["changes"] == history


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeffsite;group;lfdi\r\nh-1;tx-1;{A}\r\n;;\r\n",
        f"site\tgroup\tlfdi\nh-1\ttx-1\t{A}",
        f'"Site" , "GROUP","lfdi"\n\n"h-1" , tx-1, {A.lower()}\n'.replace(" ,", ",").replace(
            ', "', ',"'
        ),
        f"lfdi,lat,lon,group,site\n{A},,,tx-1,h-1\n",
    ],
)
async def test_as_spreadsheets_write_it(terminal: Terminal, text: str) -> None:
    code, out, err = await terminal.run("import", terminal.table(text))
    assert (code, err) == (0, ""), out
    assert await terminal.hubs() == [A]


_BAD = (
    ("h 1,tx-1,,,,{a},,,,,,,", "site", "no id"),
    (",tx-1,,,,{a},,,,,,,", "site", "is missing"),
    ("h-1,,,,,{a},,,,,,,", "group", "site h-1 is new"),
    ("h-1,nowhere,,,,{a},,,,,,,", "group", "no group 'nowhere'"),
    ("h-1,pool,,,,{a},,,,,,,", "group", "is free"),
    ("tx-1,tx-1,,,,{a},,,,,,,", "site", "a group has that id"),
    ("site-1,tx-2,,,,{a},,,,,,,", "group", "is stored with another group"),
    ("h-1,tx-1,,91,0,{a},,,,,,,", "lat", "degrees"),
    ("h-1,tx-1,,nan,0,{a},,,,,,,", "lat", "degrees"),
    ("h-1,tx-1,,48,,{a},,,,,,,", "lon", "is missing"),
    ("h-1,tx-1,,,,1.2E+39,,,,,,,", "lfdi", "40 hex digits"),
    ("h-1,tx-1,,,,,,,,,,,", "lfdi", "is missing"),
    ("h-1,tx-1,,,,,1.2.3,,,,,,", "serial", "go together"),
    ("h-1,tx-1,,,,,one,00,,,,,", "kind", "object identifier"),
    ("h-1,tx-1,,,,,1.2.3,0,,,,,", "serial", "pairs of hex"),
    ("h-1,tx-1,,,,{a},,,123456,,,,", "pin", "check digit"),
    ("h-1,tx-1,,,,,1.2.3,00,123455,,,,", "pin", "goes with an lfdi"),
    ("h-1,tx-1,,,,{a},,,,2017,,,", "edition", "2018"),
    ("h-1,tx-1,,,,{a},,,,,,2031-12-31,", "licence", "is missing"),
    ("h-1,tx-1,,,,{a},,,,,L,31.12.2031,", "licence_until", "no day"),
    ("h-1,tx-1,,,,{a},,,,,L,9999-12-31,", "licence_until", "no day"),
    ("h-1,tx-1,,,,{a},,,,,,,0", "largest_event_w", "whole number"),
    ("h-1,tx-1,,,,{a},,,,,,,1e3", "largest_event_w", "whole number"),
    (f"h-1,tx-1,,,,{{a}},,,,,,,{'0' * 39}1{'0' * 20}", "largest_event_w", "whole number"),
    ("h-1,tx-1,\x1b[2J,,,{a},,,,,,,", "address", "cannot be shown"),
    ("h-1,tx-1,{long},,,{a},,,,,,,", "address", "longer than 200"),
    ("h-1,tx-1,,,,{a},,,,,,", "", "12 cells"),
    ('h-1,tx-1,"a"b,,,{a},,,,,,,', "", "cannot be read"),
    ("h-1,tx-1,\udcff,,,{a},,,,,,,", "address", "UTF-8"),
)


@pytest.mark.parametrize(("row", "column", "said"), _BAD)
async def test_a_bad_line_is_named_and_keeps_all_others_out(
    terminal: Terminal, row: str, column: str, said: str
) -> None:
    await terminal.desk.good("PUT", "/fleet/groups/pool", {"kind": "free"})
    head = "site,group,address,lat,lon,lfdi,kind,serial,pin,edition,licence,licence_until,"
    text = (
        f"{head}largest_event_w\n"
        f"h-8,tx-1,,,,{B},,,,,,,\n"
        f"{row.format(a=A, long='x' * 201)}\n"
        f"h-9,tx-1,,,,{C},,,,,,,\n"
    ).encode("utf-8", "surrogateescape")
    file = terminal.table(text)
    code, out, err = await terminal.run("import", file)
    assert (code, err) == (1, "")
    where = f"{file}, line 3, {column}: " if column else f"{file}, line 3: "
    named = [line for line in out.splitlines() if line.startswith(where)]
    assert named, out
    assert said in named[0]
    assert "1 bad" in out.splitlines()[-1]
    assert out.isprintable() or "\x1b" not in out
    assert await terminal.hubs() == []
    assert "no site" in await terminal.desk.bad(404, "GET", "/fleet/sites/h-8")

    code, out, _ = await terminal.run("import", file, "--only-good")
    assert code == 1
    assert "2 entered, 0 there already, 1 bad" in out
    assert await terminal.hubs() == [B, C]


async def test_what_comes_twice_or_contradicts(terminal: Terminal) -> None:
    await terminal.desk.enrolled(0xA, "site-1")
    known = f"{KIND}-000a"
    file = terminal.table(
        "site,group,lfdi,kind,serial,address,licence\n"
        f"site-1,tx-1,{A},{KIND},000A,,\n"  # there already, just so
        f"site-2,,,{KIND},000A,,\n"  # twice in the file
        f"h-1,tx-1,{A},{KIND},0BAD,,\n"  # an identity of another hub
        f"h-1,tx-1,{B},,,Street 1,\n"
        f"h-1,tx-1,{B},{KIND},0003,,\n"  # identity twice in the file
        f"h-1,tx-2,{C},,,,\n"  # another group than in line 5
        f"h-1,,{C},,,Street 2,\n"  # another address
    )
    code, out, _ = await terminal.run("import", file)
    assert code == 1
    lines = [line.removeprefix(f"{file}, ") for line in out.splitlines()]
    assert lines[:-1] == [
        f"line 3, serial: hub {known} stands in line 2 already",
        f"line 3, site: hub {known} is known already, with site site-1",
        f"line 4, lfdi: {A} stands in line 2 already",
        f"line 4, lfdi: {A} is, or was, that of hub {known}",
        f"line 6, lfdi: {B} stands in line 5 already",
        "line 7, group: site h-1 stands in line 5 with another group",
        "line 8, address: site h-1 stands in line 5 with another address",
    ]
    assert "1 there already, 5 bad" in lines[-1]
    assert await terminal.hubs() == [known]


async def test_a_dry_run_changes_nothing(terminal: Terminal) -> None:
    file = terminal.table(f"site,group,lfdi\nh-1,tx-1,{A}\nh-2,tx-9,{B}\n")
    code, out, _ = await terminal.run("import", file, "--dry-run")
    assert code == 1
    assert "line 3, group: site 'h-2': there is no group 'tx-9'" in out
    assert "1 could be entered" in out
    assert await terminal.hubs() == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "column site is missing"),
        ("\n", "is missing"),
        ("site,lfdi\n", "no line below"),
        ("site,lfdi,colour\n", "'colour' is no column; there are site, group"),
        ("site,lfdi,site\n", "comes twice"),
        ("lfdi\n", "column site is missing"),
        (f"site,lfdi\nh-1,{A}\n" + "x" * 70_000, "line 3: longer than"),
        ("site,lfdi\n".encode("utf-16"), "is no column"),
    ],
)
async def test_what_is_no_table_of_hubs(terminal: Terminal, text: str | bytes, said: str) -> None:
    code, out, err = await terminal.run("import", terminal.table(text))
    assert (code, out) == (1, "")
    assert said in err
    assert err.count("\n") == 1
    assert await terminal.hubs() == []


async def test_a_missing_file_and_a_head_end_that_is_away(
    terminal: Terminal, tmp_path: Path
) -> None:
    code, _, err = await terminal.run("import", str(tmp_path / "none.csv"))
    assert code == 1
    assert "none.csv: cannot be read" in err
    file = terminal.table(f"site,lfdi\nh-1,{A}\n")
    terminal.file.write_text(json.dumps({"url": "http://127.0.0.1:1", "token": "x"}))
    code, _, err = await terminal.run("import", file)
    assert code == 1
    assert "does not answer" in err


async def test_an_unfinished_quote_is_named_where_it_begins(terminal: Terminal) -> None:
    file = terminal.table(f'site,group,lfdi\nh-1,tx-1,{A}\nh-2,"tx-1,{B}\nh-3,tx-1,{C}\n')
    code, out, _ = await terminal.run("import", file, "--only-good")
    assert code == 1
    assert f"{file}, line 3: cannot be read" in out
    assert await terminal.hubs() == [A]


def _table(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.write("site,group,address,lfdi,kind,serial\n")
        for number in range(count):
            file.write(f"s-{number // 2},tx-1,,{lfdi_of(number)},{KIND},{number:08x}\n")


async def test_a_long_file_in_slices(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "SLICE", 300)
    path = tmp_path / "long.csv"
    _table(path, 1100)
    with path.open("a") as file:
        file.write("no,tx-1,,,,\n")
    code, out, _ = await terminal.run("import", str(path), "--only-good")
    assert code == 1
    assert "1100 entered, 0 there already, 1 bad" in out
    desk = terminal.desk
    assert len(desk.book.homes) == 1100
    assert (await desk.good("GET", "/fleet"))["hubs"]["enrolled"] == 1100
    assert desk.fleet.memory.groups_of(lfdi_of(1099))[:2] == ("s-549", "tx-1")
    code, out, _ = await terminal.run("import", str(path), "--only-good")
    assert "0 entered, 1100 there already, 1 bad" in out


def test_a_file_is_read_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    _table(path, 20_000)
    tracemalloc.start()
    try:
        last = deque(read_table(path, COLUMNS, ("site",)), maxlen=1)[0]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(last, Line)
    assert (last.number, last.share) == (20_001, 1.0)
    assert most < path.stat().st_size / 2


async def test_what_others_enter_meanwhile_wins(desk: Desk) -> None:
    await desk.grid()
    imports_ = _imports(desk)
    begun = await imports_.begin("x.csv", ENGINEER)
    lines = [_line(2, "h-1", A), _line(3, "h-2", B), _line(4, "h-3", C)]
    assert not await imports_.add(begun.id, lines, [], ENGINEER)
    await desk.good("PUT", "/fleet/sites/h-1", {"group": "tx-2"})
    await desk.good("POST", "/fleet/hubs", {"lfdi": B})
    done = await imports_.run(begun.id, ENGINEER, only_good=False)
    assert (done.good, done.bad, done.imported) == (1, 2, 0)
    assert [each.line for each in done.problems] == [2, 3]
    assert all("somebody else" in each.reason for each in done.problems)
    status, answer = await desk.ask("POST", f"/fleet/imports/{begun.id}/run", {})
    assert (status, answer["imported"]) == (409, 0)
    done = await imports_.run(begun.id, ENGINEER, only_good=True)
    assert (done.good, done.bad, done.imported) == (0, 2, 1)
    with pytest.raises(ConflictError, match="under way"):
        await imports_.add(begun.id, lines, [], ENGINEER)


async def test_a_batch_told_twice_counts_once(desk: Desk) -> None:
    await desk.grid()
    imports_ = _imports(desk)
    begun = await imports_.begin("x.csv", ENGINEER)
    lines = [_line(2, "h-1", A), _line(3, "h-1", B)]
    bad = [Problem(4, "lfdi", "is missing")]
    for _ in range(2):
        assert list(await imports_.add(begun.id, lines, bad, ENGINEER)) == bad
    stands = await imports_.look(begun.id)
    assert (stands.good, stands.known, stands.bad) == (2, 0, 1)
    await imports_.drop(begun.id, ENGINEER)
    assert "no import" in await desk.bad(404, "GET", f"/fleet/imports/{begun.id}")


async def test_what_was_left_lying_is_forgotten(desk: Desk) -> None:
    imports_ = _imports(desk)
    left = await imports_.begin("left.csv", ENGINEER)
    desk.clock.at += 90_000
    await imports_.begin("next.csv", ENGINEER)
    assert "no import" in await desk.bad(404, "GET", f"/fleet/imports/{left.id}")


@pytest.mark.requirement("L3-POLICY")
async def test_a_make_that_is_not_admitted(database: Path | str, clock: TestClock) -> None:
    desk = await open_desk(database, clock, FleetSettings(makes=(KIND,), strict=True))
    try:
        groups = [Group("tx-1", "One", GroupKind.TRANSFORMER)]
        await desk.fleet.places.save_groups(groups, ENGINEER)
        imports_ = _imports(desk)
        begun = await imports_.begin("x.csv", ENGINEER)
        told = await imports_.add(begun.id, [_line(2, "h-1", A)], [], ENGINEER)
        assert told == [Problem(2, "kind", "hardware of make unknown is not admitted")]
        for ask in (
            desk.fleet.arrivals.check_enrols("1.2.3", "00"),
            desk.fleet.arrivals.identified("1.2.3", "00", A),
        ):
            with pytest.raises(ForbiddenError, match=r"make 1\.2\.3 is barred"):
                await ask
        await desk.fleet.arrivals.check_enrols(KIND, "00")
        assert desk.fleet.access(B, clock.now()) == Access.NOTHING
        assert desk.fleet.memory.standing(A) is None
        await desk.fleet.arrivals.identified(KIND, "00", A)
        assert desk.fleet.memory.access(A, clock.now()) == Access.OWN
    finally:
        await desk.store.close()


async def test_a_bar_is_shown_on_a_terminal(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    _table(path, 1000)
    seen, given = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hems", "headend", "import", str(path)),
            *("--operator", str(terminal.file)),
            stdout=asyncio.subprocess.PIPE,
            stderr=given,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 100)
    finally:
        os.close(given)
    shown = os.read(seen, 1 << 16).decode()
    os.close(seen)
    assert process.returncode == 0
    assert b"1000 entered" in out
    assert "50%  501 lines, 0 of them bad" in shown
    assert "[########################] 100%  1001 lines" in shown
    assert shown.endswith("\r\x1b[K")


async def test_groups_from_a_file(terminal: Terminal) -> None:
    desk = terminal.desk
    file = terminal.table(
        "id;name;kind;parent;lat;lon\nfeeder-2;Two;feeder;system;48,2;11,5\n"
        "tx-9;;transformer;feeder-2;;\n",
        "groups.csv",
    )
    code, out, err = await terminal.run("import-groups", file)
    assert (code, err) == (0, "")
    assert "2 groups entered" in out
    told = await desk.good("GET", "/fleet/groups/feeder-2")
    assert told["place"] == {"lat": 48.2, "lon": 11.5}
    assert (await desk.good("GET", "/fleet/groups/tx-9"))["above"] == ["feeder-2", "system"]
    for text, said in (
        ("id,kind,parent\ntx-8,transformer,nowhere\n", "lines 2 to 2: group 'tx-8'"),
        ("id,kind\ntx-8,moon\n", "kind"),
        ("id,kind,lat,lon\ntx-8,feeder,48,\n", "line 2: lat and lon"),
        ("id,kind,lat,lon\ntx-8,feeder,48,x\n", "line 2, lat"),
        ("id,kind\ntx-8\n", "line 2: has 1 cells"),
    ):
        code, _, err = await terminal.run("import-groups", terminal.table(text, "bad.csv"))
        assert code == 1
        assert said in err


async def test_hubs_at_the_terminal(terminal: Terminal) -> None:
    desk = terminal.desk
    hub = await desk.operating()
    await desk.enrolled(2, None)
    code, out, _ = await terminal.run("hubs", "--state", "operating")
    assert code == 0
    assert out.startswith(f"{hub}  operating since")
    code, out, _ = await terminal.run("hubs", "--group", "tx-2")
    assert out == "no such hub\n"
    code, out, _ = await terminal.run("hub-state", hub, "quarantined", "--reason", "odd")
    assert (code, "quarantined" in out) == (0, True)
    code, out, err = await terminal.run("hub-state", hub, "made", "--reason", "odd")
    assert code == 1
    assert "cannot become made" in err
    new = f"{KIND}-0002"
    code, out, _ = await terminal.run("replace-hub", hub, new, "--reason", "broken")
    assert code == 0
    assert "retired" in out
    code, out, _ = await terminal.run("hub", new)
    assert "in site-1, tx-1, feeder-1, system" in out
    assert f"{hub}  state operating -> quarantined  by Erika (engineer): odd" in out
    code, _, err = await terminal.run("hub", "none")
    assert code == 1
    assert "no hub 'none'" in err


def test_batches_fit_the_door() -> None:
    def lines() -> Iterator[Line | Problem]:
        for number in range(3, 1_203):
            yield Line(number, {"site": "s", "address": "ß" * 190}, number / 1203)

    batches = list(fleet_import._batches(Line(2, {"site": "s"}, 0.0), lines()))
    assert [each["line"] for batch, _ in batches for each in batch] == list(range(2, 1_203))
    assert all(len(json.dumps({"lines": batch})) < 256 * 1024 for batch, _ in batches)
    assert all(len(batch) <= 1000 for batch, _ in batches)
    assert batches[-1][1] == 1.0


def test_an_unreadable_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be read"):
        list(read_table(tmp_path, COLUMNS, ("site",)))


def _imports(desk: Desk) -> Imports:
    door = desk.fleet.doors[2]
    return door._imports


def _line(number: int, site: str, lfdi: str) -> HubLine:
    made, problems = judge(number, {"site": site, "group": "tx-1", "lfdi": lfdi})
    assert made is not None, problems
    return made

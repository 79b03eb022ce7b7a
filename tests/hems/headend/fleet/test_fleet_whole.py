"""A file imported at the terminal into a running head-end, and the home that stands in it."""

import asyncio
import json
from pathlib import Path

import pytest

from hems.cli import main
from hems.headend.server import HeadEnd
from hems.sep2.resources import EndDeviceList, Registration
from tests.hems.headend.conftest import PIN, MakeHome

pytestmark = pytest.mark.requirement("L3-IDENTITY", "L3-LIFECYCLE")


async def test_an_imported_home_connects(
    head_end: HeadEnd, make_home: MakeHome, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    door = tmp_path / "operator.json"
    door.write_text(json.dumps({"url": head_end.addresses.operator_url, "token": head_end.token}))
    home, other = make_home("home-a"), make_home("home-b")
    groups, hubs = tmp_path / "groups.csv", tmp_path / "hubs.csv"
    groups.write_text("id,kind\ntx-1,transformer\n")
    hubs.write_text(f"site;group;lfdi;pin\nh-1;tx-1;{home.lfdi};{PIN}\n")

    async def run(*words: str) -> str:
        arguments = ["headend", *words, "--operator", str(door)]
        code = await asyncio.to_thread(main, arguments)
        said = capsys.readouterr()
        assert code == 0, said
        return said.out

    assert (await other.get("/edev", EndDeviceList)).all == 0
    await run("import-groups", str(groups))
    assert "1 entered" in await run("import", str(hubs))
    listed = await home.get("/edev", EndDeviceList)
    assert [each.lfdi for each in listed.end_device] == [home.lfdi]
    link = listed.end_device[0].registration_link
    assert link is not None
    assert (await home.get(link.href, Registration)).pin == int(PIN)

    # Enrolled it sees no programmes, retired nothing at all; its certificate holds all the time.
    assert (await home.ask("GET", "/derp")).status == 403
    await run("hub-state", home.lfdi, "retired", "--reason", "sold")
    assert (await home.ask("GET", "/edev")).status == 403
    assert "retired" in await run("hub", home.lfdi)


async def test_a_hub_is_tested_and_commissioned_at_the_terminal(
    head_end: HeadEnd, make_home: MakeHome, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    door, paper = tmp_path / "operator.json", tmp_path / "signed.pdf"
    door.write_text(json.dumps({"url": head_end.addresses.operator_url, "token": head_end.token}))
    paper.write_bytes(b"signed by both")
    home = make_home("home-a")
    hubs = tmp_path / "hubs.csv"
    hubs.write_text(f"site;group;lfdi;pin;licence\nh-1;tx-1;{home.lfdi};{PIN};L-1\n")
    groups = tmp_path / "groups.csv"
    groups.write_text("id,kind\ntx-1,transformer\n")

    async def run(*words: str, fails: str = "") -> str:
        code = await asyncio.to_thread(main, ["headend", *words, "--operator", str(door)])
        said = capsys.readouterr()
        assert (code, fails in said.err) == (int(bool(fails)), True), said
        return said.out

    await run("import-groups", str(groups))
    await run("import", str(hubs))
    assert (await home.ask("GET", "/derp")).status == 403
    assert "tested until" in await run("hub-test", home.lfdi, "--hours", "1")
    assert (await home.ask("GET", "/derp")).status == 200
    assert "closed" in await run("hub-test", home.lfdi, "--hours", "0")
    assert (await home.ask("GET", "/derp")).status == 403

    test = ["commission", home.lfdi, "--tested-by", "Tina", "--paper", str(paper)]
    good = ["identity", "registration", "event=carried out", "readings", "limits"]
    whole = [*test, "--witnessed-by", "Willi", "--passed", *good]
    await run(*test, "--witnessed-by", " TINA", "--passed", *good, fails="cannot witness")
    await run(*whole, fails="safe-state missing")
    await run(*whole, "safe-state", "--at", "yesterday", fails="'yesterday' is no time")
    await run(*whole, "safe-state", "--paper", str(tmp_path / "none"), fails="none: No such file")
    assert "not passed" in await run(*whole, "--failed", "safe-state=went on charging")
    await run("hub-state", home.lfdi, "commissioned", fails="not passed: safe-state")
    assert ": passed" in await run(*whole, "safe-state")
    await run("hub-state", home.lfdi, "commissioned")
    await run("hub-state", home.lfdi, "operating")
    assert (await home.ask("GET", "/derp")).status == 200
    told = await run("hub", home.lfdi)
    assert "operating" in told

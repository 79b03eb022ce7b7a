"""`hems event` against a real head-end: dispatch, list, cancel, and every refusal in words."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs.pki import init_pki
from hems.cli import main
from hems.commands.event import Operator
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings


@dataclass
class Desk:
    """An operator's desk: the file that names the head-end, and the command."""

    file: Path
    capsys: pytest.CaptureFixture[str]

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run `hems event ...`; returns exit code, stdout, stderr."""
        command = ["event", *arguments, "--operator", str(self.file)]
        code = await asyncio.to_thread(main, command)
        said = self.capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
async def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Desk]:
    pki = await asyncio.to_thread(init_pki, tmp_path / "pki")
    identity, trust = pki.identity("utility"), pki.trust
    settings = HeadEndSettings(
        database=tmp_path / "headend.db",
        certificate=identity.certificate,
        key=identity.key,
        roots=trust.roots,
        crls=trust.crls,
        token_file=tmp_path / "token",
    )
    async with HeadEnd(settings) as head_end:
        door = Operator(url=head_end.addresses.operator_url, token=head_end.token)
        file = tmp_path / "operator.json"
        await asyncio.to_thread(file.write_text, door.model_dump_json())
        yield Desk(file, capsys)


async def test_an_event_is_sent_listed_and_cancelled(desk: Desk) -> None:
    code, sent, _ = await desk.run("--limit-import", "1500W", "--minutes", "10")
    assert code == 0
    event_id = sent.split()[0]
    assert "Peak Saver: limit_import_w 1500" in sent
    assert "for 10 min" in sent
    code, listed, _ = await desk.run("list")
    assert code == 0
    assert event_id in listed
    code, cancelled, _ = await desk.run("cancel", event_id)
    assert code == 0
    assert "cancelled" in cancelled


async def test_several_modes_stand_in_one_event(desk: Desk) -> None:
    code, sent, said = await desk.run(
        "--volt-var", "0.92:44,0.98:0,1.02:0,1.08:-44", "--freq-droop", "0.036:0.05:0.5",
        "--power-factor", "0.95:absorb", "--target=-3kW", "--target-var", "1.5 kvar",
        "--fixed-var=-20%", "--limit-export", "5kW", "--disconnect", "--ramp", "30s",
        "--minutes", "5",
    )  # fmt: skip
    assert code == 0, said
    for words in (
        "limit_export_w 5000", "target_w -3000", "target_var 1500", "power_factor_inject 0.95",
        "fixed_var 2:-20", "freq_droop 0.036:0.036:0.05:0.05:0.5", "connect 0", "volt_var curve ",
    ):  # fmt: skip
        assert words in sent


async def test_a_default_is_set_and_named(desk: Desk) -> None:
    code, said, _ = await desk.run(
        "default", "--program", "peak saver", "--limit-export", "5kW", "--gradient", "0.28%"
    )
    assert (code, said) == (0, "default of Peak Saver: limit_export_w 5000, 0.28 %/s\n")
    code, said, _ = await desk.run("default", "--program", "Peak Saver")
    assert (code, said) == (0, "default of Peak Saver: nothing\n")


@pytest.mark.parametrize(
    ("ask", "program"),
    [
        (("--limit-export", "0W"), "Peak Saver"),
        (("--limit-load", "4 kW"), "Peak Saver"),
        (("--limit-generation", "1kW"), "Peak Saver"),
        (("--shed", "2kW"), "Grid Emergency"),
        (("--reduce-energy", "500Wh"), "Energy Support"),
    ],
)
async def test_every_kind_finds_its_programme(
    desk: Desk, ask: tuple[str, str], program: str
) -> None:
    code, sent, said = await desk.run(*ask, "--minutes", "5", "--start", "+5m")
    assert code == 0, said
    assert f"{program}: " in sent
    assert "scheduled" in sent


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("--limit-import", "1500Wh", "--minutes", "1"), 2, "of the kind energy, not power"),
        (("--limit-import", "1500", "--minutes", "1"), 2, "has no unit"),
        (("--limit-import", "1500W"), 2, "how long the event lasts"),
        (("--minutes", "1"), 2, "say what is asked"),
        (("--shed", "2kW", "--minutes", "1", "--start", "soon"), 2, "not a duration"),
        (("--limit-import=-1kW", "--minutes", "1"), 1, "-1000"),
        (("--limit-import", "1kW", "--minutes", "0"), 1, "duration"),
        (("--limit-import", "1kW", "--minutes", "1", "--program", "Nobody"), 1, "Nobody"),
        (("cancel", "F" * 32), 1, "F" * 32),
        (("cancel",), 1, "which event"),
        (("default",), 2, "which programme's default"),
        (("--volt-var", "0.92", "--minutes", "1"), 2, "x:y"),
        (("--volt-var", "0.92:up", "--minutes", "1"), 2, "'up' is not a number"),
        (("--volt-var", "1.0:44,0.9:0", "--minutes", "1"), 1, "goes back"),
        (("--freq-droop", "0.036", "--minutes", "1"), 2, "BAND:DROOP"),
        (("--power-factor", "0.95", "--minutes", "1"), 2, "where the vars go"),
        (("--target-var", "5kW", "--minutes", "1"), 2, "no reactive power"),
        (("--island", "maybe", "--minutes", "1"), 2, "yes nor no"),
        (("--target", "1kW", "--ramp", "12min", "--minutes", "1"), 1, "ramp_s"),
        (("--fixed-power", "150", "--minutes", "1"), 1, "fixed_w_percent"),
    ],
)
async def test_nonsense_is_refused_in_one_sentence(
    desk: Desk, arguments: tuple[str, ...], code: int, reason: str
) -> None:
    got, out, err = await desk.run(*arguments)
    assert got == code
    assert out == ""
    assert err.startswith("hems: ")
    assert err.count("\n") == 1
    assert reason in err


async def test_no_head_end_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = Desk(tmp_path / "none.json", capsys)
    code, _, err = await missing.run("list")
    assert code == 1
    assert "is a head-end running?" in err
    dead = Desk(tmp_path / "dead.json", capsys)
    dead.file.write_text(Operator(url="http://127.0.0.1:9", token="t").model_dump_json())
    code, _, err = await dead.run("list")
    assert code == 1
    assert "does not answer" in err

"""`hems headend pre-approve`: one hub or a file of them, at a real head-end; every refusal."""

import asyncio
import csv
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs.est.code import read_code
from hems.cli import main
from hems.commands.operator import Operator
from tests.hems.headend.enrolling import utility_in

pytestmark = pytest.mark.requirement("LC-COMMISSION", "L1-AUTH")

KIND = "1.3.6.1.4.1.32473.1"
PIN = "111115"


@dataclass
class Desk:
    """An operator's desk."""

    file: Path
    capsys: pytest.CaptureFixture[str]

    async def run(self, *arguments: str) -> tuple[int, str]:
        words = ["headend", *arguments, "--operator", str(self.file)]
        code = await asyncio.to_thread(main, words)
        said = self.capsys.readouterr()
        return code, said.out + said.err


@pytest.fixture
async def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Desk]:
    async with utility_in(tmp_path / "utility") as utility:
        made, file = utility.head_end, tmp_path / "operator.json"
        door = Operator(url=made.addresses.operator_url, token=made.token)
        await asyncio.to_thread(file.write_text, door.model_dump_json())
        yield Desk(file, capsys)


async def test_one_hub_gets_a_code_with_its_pin_and_without_a_secret(desk: Desk) -> None:
    assert await desk.run("pre-approved") == (0, "no hub is approved before it asks\n")
    one = ("--kind", KIND, "--serial", "00FF")
    code, said = await desk.run("pre-approve", *one, "--pin", PIN)
    assert code == 0
    text = said.splitlines()[0].split()[-1]
    assert read_code(text).pin == PIN
    assert read_code(text).secret == b""
    _, said = await desk.run("pre-approved")
    assert f"{KIND}  00ff  until" in said
    assert await desk.run("pre-approved", "--drop", said.split()[0]) == (
        0,
        "no hub is approved before it asks\n",
    )
    code, said = await desk.run("pre-approved", "--drop", "none")
    assert (code, "no hub 'none' is expected" in said) == (1, True)


async def test_many_hubs_get_their_letters(desk: Desk, tmp_path: Path) -> None:
    file, out = tmp_path / "hubs.csv", tmp_path / "letters.csv"
    rows = [f"{KIND},{n:04x},{PIN if n % 2 else ''},2023" for n in range(500)]
    text = "\n".join(("\ufeffKind, Serial,PIN,edition", *rows))
    await asyncio.to_thread(file.write_text, text, encoding="utf-8")
    code, said = await desk.run("pre-approve", "--csv", str(file), "--out", str(out))
    assert code == 0, said
    assert "500 hubs" in said
    assert stat.S_IMODE(out.stat().st_mode) == 0o600, "it holds PINs"
    content = await asyncio.to_thread(out.read_text)
    letters = list(csv.DictReader(content.splitlines()))
    assert [each["serial"] for each in letters] == [f"{n:04x}" for n in range(500)]
    assert all(read_code(each["code"]).pin == each["pin"] for each in letters)
    assert {each["pin"] for each in letters[1::2]} == {PIN}
    assert len({each["pin"] for each in letters[::2]}) > 100, "those that were not given are drawn"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "its first line must name the columns kind, serial, pin, edition"),
        (b"serial,pin\n00,111115\n", "its first line must name"),
        (b"kind,serial,colour\n1.2,00,red\n", "its first line must name"),
        (b"kind,serial,serial\n1.2,00,00\n", "its first line must name"),
        (b"kind,serial\n1.2,00\n1.2\n", "line 3: has not as many values"),
        (b"kind,serial\n1.2,00,1\n", "line 2: has not as many values"),
        (b"kind,serial\n,00\n", "line 2: the kind is missing"),
        (b'kind,serial\n1.2,"00\n', "hubs.csv, line"),
        (b"kind,serial\n1.2,zz\n", "serial"),
        (b"kind,serial,pin\n1.2,00,123456\n", "'123456' is not a PIN"),
        (b"kind,serial\n1.2,00\n1.2,00\n", "named twice"),
        (b"kind,serial\n", "hubs"),
        (b"\xff\xfe", "is not text in UTF-8"),
        (b"x" * 1_000_001, "longer than 1000000 octets"),
        (None, "cannot be read"),
    ],
    ids=str,
)
async def test_a_file_that_is_not_whole_is_named_and_no_hub_of_it_is_kept(
    desk: Desk, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "hubs.csv"
    if content is not None:
        await asyncio.to_thread(file.write_bytes, content)
    code, told = await desk.run("pre-approve", "--csv", str(file))
    assert code == 1
    assert said in told
    assert len(told.splitlines()) == 1
    assert (await desk.run("pre-approved"))[1] == "no hub is approved before it asks\n"


@pytest.mark.parametrize(
    "words", [(), ("--serial", "00", "--csv", "x"), ("--serial", "00"), ("--kind", KIND)]
)
async def test_half_a_name_is_none(desk: Desk, words: tuple[str, ...]) -> None:
    assert (await desk.run("pre-approve", *words))[0] == 1

"""`hems headend operator`, `hems headend trail`, `hems event confirm` at a real head-end."""

import asyncio
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs.pki import init_pki
from hems.cli import main
from hems.commands.operator import Operator
from hems.headend.orders.settings import FourEyesSettings
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings

pytestmark = pytest.mark.requirement("PRV-RBAC")


@dataclass
class Desk:
    file: Path
    folder: Path
    capsys: pytest.CaptureFixture[str]

    async def run(self, *words: str, by: Path | None = None) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = await asyncio.to_thread(main, [*words, "--operator", str(by or self.file)])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def password(self, text: str = "correct horse battery") -> tuple[str, str]:
        file = self.folder / "password"
        file.write_text(f"{text}\nand no more")
        return "--password-file", str(file)


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
        four_eyes=FourEyesSettings(above_w=0.0, home_w=0.0, above_homes=0),
    )
    async with HeadEnd(settings) as head_end:
        door = Operator(url=head_end.addresses.operator_url, token=head_end.token)
        file = tmp_path / "operator.json"
        await asyncio.to_thread(file.write_text, door.model_dump_json())
        await head_end.book.register_all([("0A" * 20, 123455, settings.edition)])
        yield Desk(file, tmp_path, capsys)


async def test_operators_are_made_changed_and_removed(desk: Desk) -> None:
    assert "no operators yet" in (await desk.run("headend", "operator", "list"))[1]
    role = ("--role", "dispatcher", "--role", "auditor")
    code, said, error = await desk.run("headend", "operator", "add", "Ada", *role, *desk.password())
    assert (code, said.startswith("Ada  dispatcher, auditor  made ")) == (0, True), error
    code, _, error = await desk.run("headend", "operator", "add", "Ada", *role, *desk.password())
    assert (code, "there is an operator 'Ada' already" in error) == (1, True)
    code, _, error = await desk.run(
        "headend", "operator", "add", "Bob", *role, *desk.password("short")
    )
    assert (code, "10 characters or more" in error) == (1, True)
    code, _, error = await desk.run(
        "headend", "operator", "add", "Bob", *role, "--password-file", "/nowhere"
    )
    assert (code, error) == (1, "hems: /nowhere: No such file or directory\n")
    code, said, _ = await desk.run("headend", "operator", "role", "ada", "--role", "admin")
    assert said.startswith("Ada  admin  made ")
    code, said, _ = await desk.run(
        "headend", "operator", "password", "Ada", *desk.password("another good one")
    )
    assert (code, "new password" in said) == (0, True)
    assert (await desk.run("headend", "operator", "remove", "Ada"))[0] == 0
    code, _, error = await desk.run("headend", "operator", "remove", "Ada")
    assert (code, error) == (1, "hems: no operator 'Ada'\n")


async def test_a_large_order_takes_two_people_at_their_terminals(desk: Desk) -> None:
    own = {}
    for name in ("Ada", "Bob"):
        made = ("headend", "operator", "add", name, "--role", "dispatcher", *desk.password())
        assert (await desk.run(*made))[0] == 0
        own[name] = desk.folder / f"{name}.json"
        token = ("headend", "operator", "token", name, "--label", "terminal")
        code, said, error = await desk.run(*token, "--out", str(own[name]))
        assert (code, said.endswith(f"written to {own[name]}\n")) == (0, True), error
        assert stat.S_IMODE(own[name].stat().st_mode) == 0o600
    wish = ("event", "--limit-import", "2kW", "--minutes", "10")
    code, said, error = await desk.run(*wish, by=own["Ada"])
    assert (code, "waits until" in said, "1 of 1 homes" in said) == (0, True, True), error
    number = said.split()[0]
    code, _, error = await desk.run("event", "confirm", number, by=own["Ada"])
    assert (code, "cannot confirm it too" in error) == (1, True)
    assert number in (await desk.run("event", "proposals", "proposed"))[1]
    code, said, error = await desk.run("event", "confirm", number, by=own["Bob"])
    assert (code, said.split()[1]) == (0, "active"), error
    event = said.split()[0]
    assert f"by Bob, event {event}" in (await desk.run("event", "proposals"))[1]
    code, said, _ = await desk.run("event", "cancel", event, "--reason", "enough", by=own["Ada"])
    assert (code, "cancelled" in said) == (0, True)
    number = (await desk.run(*wish))[1].split()[0]
    code, said, _ = await desk.run("event", "withdraw", number, "--reason", "no", by=own["Bob"])
    assert (code, said.split()[1]) == (0, "withdrawn")

    code, said, _ = await desk.run("headend", "operator", "token", "Ada")
    assert (code, "terminal" in said, "used" in said) == (0, True, True)
    code, _, error = await desk.run("headend", "operator", "token", "Ada", "--end", said.split()[0])
    assert code == 0, error
    code, _, error = await desk.run("event", "list", by=own["Ada"])
    assert (code, "log in" in error) == (1, True)

    code, said, _ = await desk.run("headend", "trail", "--who", "Ada")
    assert "POST /events  202 -> /proposals/" in said.splitlines()[0]
    assert "cannot confirm it too" in said
    assert "as they were written" in (await desk.run("headend", "trail", "--check"))[1]
    out = desk.folder / "trail.csv"
    assert (await desk.run("headend", "trail", "--csv", str(out)))[0] == 0
    assert out.read_text().startswith("id,at,who,roles")

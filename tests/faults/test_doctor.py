"""`hems doctor` on real homes, sound and broken: it names what is wrong, where, and what to do."""

import asyncio
import contextlib
import io
import json
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs.pki import Pki
from certs.tls import server_context
from hems.cli import main
from tests.faults.bench import Bench, Hub, run_to_end
from tests.faults.disk import fill, small_disk
from tests.faults.identities import expired_device
from tests.hems.sep2.utility import Utility, serving

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.requirement("LC-TEST")]
NOBODY = "https://127.0.0.1:9/dcap"


@dataclass(frozen=True)
class Told:
    """What the doctor says.

    Attributes:
        code: Its exit code.
        findings: All of it.
    """

    code: int
    findings: list[dict[str, str]]

    def of(self, check: str, level: str = "") -> list[dict[str, str]]:
        """Return the findings of a check, of a level if one is named."""
        found = [each for each in self.findings if each["check"] == check]
        return [each for each in found if not level or each["level"] == level]

    def one(self, check: str, level: str, *words: str) -> dict[str, str]:
        """Return the one finding of a check and level in which words occur."""
        found = [
            each
            for each in self.of(check, level)
            if all(word in f"{each['where']} {each['what']}" for word in words)
        ]
        assert len(found) == 1, self.findings
        return found[0]


async def told(folder: Path) -> Told:
    """Have the doctor look at a home."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):  # within this process: its modules are loaded already
        code = await asyncio.to_thread(main, ["doctor", "--home", str(folder), "--json"])
    answer = json.loads(out.getvalue())
    assert code == {"ok": 0, "attention": 1, "trouble": 2}[answer["level"]]
    assert all(each["do"] for each in answer["findings"] if each["level"] == "trouble"), answer
    return Told(code, answer["findings"])


def at_rest(bench: Bench, config: str) -> Path:
    """Return the folder of a home whose hub does not run."""
    return home_of(bench.prepare(config))


def home_of(hub: Hub) -> Path:
    """Return a hub's folder."""
    return hub.child.log.parent


async def test_a_home_at_rest_is_looked_at_by_itself(bench: Bench) -> None:
    utility = bench.utility()
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(utility, context):
        folder = at_rest(bench, bench.config(f"{utility.base}/dcap"))
        before = {path.name for path in folder.iterdir()}
        seen = await told(folder)
        assert {path.name for path in folder.iterdir()} == before  # it only looks
    assert not seen.of("utility", "trouble"), seen.findings
    steps = [each["what"].partition(":")[0] for each in seen.of("utility", "ok")]
    assert steps == ["name", "connection", "answer", "registration"]
    assert seen.one("hub", "attention", "does not run")["do"].endswith("systemctl start hems`")
    assert "somebody answers" in seen.one("devices", "ok", "meter")["what"]
    assert seen.one("store", "ok", "there is none yet")
    assert seen.one("versions", "ok", "OpenSSL", "SQLCipher", "kernel")
    assert seen.one("certificates", "ok", "for utility utility never ends")


async def test_a_running_home_is_asked(bench: Bench) -> None:
    utility = bench.utility()
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with (
        serving(utility, context),
        bench.running(bench.config(f"{utility.base}/dcap")) as hub,
    ):
        await hub.state("connected")
        seen = await told(home_of(hub))
        assert seen.one("hub", "ok", "runs and controls the home")["where"] == hub.page
        assert "last answer" in seen.one("utility", "ok", "connected")["what"]
        assert seen.one("time", "ok", "that of utility")
        assert not seen.of("ports")  # they are the hub's
        home = await hub.home()
        assert {each["where"] for each in seen.of("devices")} == {d.id for d in home.devices}
        assert "good, read" in seen.one("devices", "ok", "meter", "good")["what"]
        store = seen.one("store", "ok", "pages as they were written")
        assert "schema" in store["what"]
        await hub.goes_on(2)


@pytest.mark.deep
async def test_a_clock_that_is_wrong_beside_the_utility_s(bench: Bench) -> None:
    utility = bench.utility()
    utility.ahead_s = 90
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with (
        serving(utility, context),
        bench.running(bench.config(f"{utility.base}/dcap")) as hub,
    ):
        await hub.state("connected")
        found = (await told(home_of(hub))).one("time", "trouble", "behind that of utility")
        assert "timedatectl" in found["do"]


async def test_a_utility_that_is_gone_is_named_by_the_step_that_fails(bench: Bench) -> None:
    seen = await told(at_rest(bench, bench.config(NOBODY)))
    assert seen.one("utility", "trouble", "connection: 127.0.0.1 port 9", "refused")
    seen = await told(at_rest(bench, bench.config("https://nowhere.invalid/dcap")))
    assert "name server" in seen.one("utility", "trouble", "name: ", "nowhere.invalid")["do"]


async def test_a_home_that_its_utility_does_not_know(bench: Bench) -> None:
    utility = Utility("0" * 40, 0)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(utility, context):
        seen = await told(at_rest(bench, bench.config(f"{utility.base}/dcap")))
    found = seen.one("utility", "trouble", "registration:")
    assert bench.hub_lfdi in found["what"].upper() or "403" in found["what"]


async def test_an_expired_certificate_and_a_key_that_others_can_read(
    bench: Bench, tmp_path: Path
) -> None:
    shutil.copytree(bench.pki.folder, tmp_path / "pki")
    pki = Pki(tmp_path / "pki")
    over = expired_device(pki, "over")
    config = bench.config(NOBODY)
    hub = bench.pki.identity("hub")
    config = config.replace(str(hub.certificate), str(over.certificate))
    folder = at_rest(bench, config.replace(str(hub.key), str(over.key)))
    assert (await told(folder)).one("certificates", "trouble", "has ended", str(over.certificate))
    over.key.chmod(0o644)
    assert "chmod 600" in (await told(folder)).one("certificates", "trouble", "others")["what"]
    other = bench.pki.identity("utility")
    mixed = config.replace(str(hub.key), str(other.key))
    seen = await told(at_rest(bench, mixed))
    assert seen.one("certificates", "trouble", "does not belong to the certificate")


async def test_a_port_that_another_program_has(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        seen = await told(at_rest(bench, bench.config(NOBODY, page_port=port)))
    found = seen.one("ports", "trouble", f"127.0.0.1:{port}", "the page")
    assert "web.port" in found["do"]


@pytest.mark.deep
async def test_a_full_disk_and_a_damaged_store(bench: Bench, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        store = disk / "hems.db"
        config = bench.config(NOBODY, more=f'[store]\npath = "{store}"\n')
        async with bench.running(config) as hub:
            await hub.goes_on()
            folder = home_of(hub)
            filler = fill(disk)
            seen = await told(folder)
            filler.unlink()
            assert "make room" in seen.one("disk", "trouble", str(disk), "full")["do"]
        with store.open("r+b") as file:
            file.seek(2 * 4096 + 100)
            file.write(b"somebody else was here")
        seen = await told(folder)
        assert seen.one("store", "trouble", str(store), "page 3")


async def test_settings_with_mistakes_are_one_line_each(tmp_path: Path) -> None:
    (tmp_path / "hems.toml").write_text('[home]\ncycle = "1 h"\n[webb]\n', encoding="utf-8")
    seen = await told(tmp_path)
    assert seen.code == 2
    lines = seen.of("settings", "trouble")
    assert len(lines) == 2, lines
    assert all("hems.toml" in line["what"] for line in lines)
    code, out, error = await run_to_end("doctor", "--home", str(tmp_path), cwd=tmp_path)
    assert (code, error) == (2, "")
    assert all(line.split()[0] in {"ok", "attention", "trouble"} for line in out.splitlines())

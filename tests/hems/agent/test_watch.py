"""The hub's watch over its agent: real processes, real sockets, real files."""

import asyncio
import contextlib
import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from certs import own_writes
from certs.pem import read_certificates
from certs.pki import init_pki, issue_signer, revoke
from certs.signed import Purpose
from hems.agent.watch import AgentWatch
from hems.security_event import EventKind
from hems.settings import kept_file
from tests.certs.agent.installed import PUBLISHER, Provider, flip, release, small
from tests.certs.agent.test_boot import extend
from tests.certs.keys.hardware import SoftTpm, needs_swtpm
from tests.hems.agent.rig import Guardhouse

pytestmark = [pytest.mark.requirement("L1-AGENT"), pytest.mark.requirement("L1-TAMPER")]


async def test_a_hub_that_is_as_signed_can_be_relied_on(house: Guardhouse) -> None:
    view = house.watch.agent()
    assert (view.publisher, view.number, view.troubles) == (PUBLISHER, 1, ())
    assert house.events == []
    assert house.reasons == []


def flipped(root: Path) -> None:
    flip(root / "hems" / "inner" / "rules.py")


def added(root: Path) -> None:
    (root / "der" / "inner" / "evil.py").write_text("")


def missing(root: Path) -> None:
    (root / "certs" / "__init__.py").unlink()


@pytest.mark.parametrize(
    ("do", "told"),
    [
        (flipped, "hems/inner/rules.py was changed."),
        (added, "der/inner/evil.py was added."),
        (missing, "certs/__init__.py was removed."),
    ],
)
async def test_a_changed_installation_is_told_and_so_is_its_repair(
    house: Guardhouse, do: Callable[[Path], None], told: str
) -> None:
    root = house.installation.root
    kept = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    do(root)
    if do is not flipped:
        house.watch.measure()
    event = await house.kinds(EventKind.PACKAGE_TAMPERED)
    assert event.text == f"This hub's software is not what {PUBLISHER} signed: {told}"
    assert (await house.reason(there=True)).endswith(
        "The home takes part in no programme until this is put right."
    )
    assert house.watch.agent().excluded
    for path in {each for each in root.rglob("*") if each.is_file()} - kept.keys():
        path.unlink()
    for path, content in kept.items():
        path.write_bytes(content)
    house.watch.measure()  # or in ten seconds by itself
    await house.kinds(EventKind.RELIABLE_AGAIN)
    assert await house.reason(there=False) == ""


async def test_who_kills_the_agent_does_not_make_the_hub_reliable_again(house: Guardhouse) -> None:
    """Not even for the seconds in which the next one has not read all files yet."""
    flipped(house.installation.root)
    await house.kinds(EventKind.PACKAGE_TAMPERED)
    before = house.watch._heard
    for _ in range(3):
        house.agent.kill()
        await house.agent.wait()
        house.agent = await house.started()
    await house.seen(lambda: house.watch._heard is not before, "another agent has read all")
    assert house.watch.agent().excluded
    assert None not in house.reasons
    assert EventKind.RELIABLE_AGAIN not in {event.kind for event in house.events}


async def test_others_software_is_watched_too(house: Guardhouse) -> None:
    flip(house.installation.sites[0] / "other.py")
    house.watch.measure()  # or in three quarters of a minute by itself
    event = await house.kinds(EventKind.PACKAGE_TAMPERED)
    assert "other.py was changed" in event.text


async def test_a_start_beside_a_changed_installation_is_told(guardhouse: Guardhouse) -> None:
    guardhouse.folder.mkdir()
    guardhouse.provider.sign(guardhouse.installation, release(), guardhouse.manifest)
    flipped(guardhouse.installation.root)
    async with guardhouse:
        assert "rules.py was changed" in (await guardhouse.kinds(EventKind.PACKAGE_TAMPERED)).text


def by_somebody_else(house: Guardhouse, folder: Path) -> None:
    pki = init_pki(folder)
    issue_signer(pki, "provider", [Purpose.MANIFEST])
    Provider(pki).sign(house.installation, release(2), house.manifest)


def truncated(house: Guardhouse, folder: Path) -> None:
    del folder
    house.manifest.write_bytes(house.manifest.read_bytes()[:2_000])


def expired(house: Guardhouse, folder: Path) -> None:
    del folder
    over = release(2, valid_from=1_000_000_000, valid_until=1_000_000_001)
    house.provider.sign(house.installation, over, house.manifest)


def removed(house: Guardhouse, folder: Path) -> None:
    del folder
    house.manifest.unlink()


@pytest.mark.parametrize(
    ("swap", "why"),
    [
        (by_somebody_else, "of no root that is trusted"),
        (truncated, "has not the three parts"),
        (expired, "has counted until 2001-09-09"),
        (removed, "No such file"),
    ],
)
async def test_a_swapped_manifest_is_refused(
    house: Guardhouse, tmp_path: Path, swap: Callable[[Guardhouse, Path], None], why: str
) -> None:
    good = house.manifest.read_bytes()
    swap(house, tmp_path / "stranger")
    event = await house.kinds(EventKind.PACKAGE_TAMPERED)
    assert "cannot be checked" in event.text
    assert why in event.text
    assert str(house.manifest) in event.text
    house.manifest.write_bytes(good)
    await house.kinds(EventKind.RELIABLE_AGAIN)


async def test_a_provider_that_is_revoked_is_believed_no_more(tmp_path: Path) -> None:
    own = Provider.made(tmp_path / "own")
    async with Guardhouse(own, small(tmp_path / "software"), tmp_path / "hub") as house:
        await house.checked()
        revoke(own.pki, read_certificates(own.pki.identity("provider").certificate)[0])
        event = await house.kinds(EventKind.PACKAGE_TAMPERED)
        assert "is revoked" in event.text
        assert str(house.manifest) in event.text
        issue_signer(own.pki, "next", [Purpose.MANIFEST])
        own.sign(house.installation, release(2), house.manifest, "next")
        await house.kinds(EventKind.RELIABLE_AGAIN)
        house.events.clear()
        own.pki.trust.crls.unlink()
        event = await house.kinds(EventKind.PACKAGE_TAMPERED)
        assert str(own.pki.trust.crls) in event.text


async def test_an_older_manifest_with_its_older_software_is_refused(
    guardhouse: Guardhouse,
) -> None:
    """The attack that a signature alone does not stop: an old version, whole and well signed."""
    guardhouse.number = 4
    async with guardhouse:
        await guardhouse.checked()
        flipped(guardhouse.installation.root)
        guardhouse.provider.sign(guardhouse.installation, release(5), guardhouse.manifest)
        await guardhouse.seen(lambda: guardhouse.watch.agent().number == 5, "number 5 in use")
        await guardhouse.reason(there=False)
        await guardhouse.seen(lambda: guardhouse.watch.agent().checked, "all read")
        await asyncio.sleep(2.0)  # it is kept by then
    guardhouse.provider.sign(guardhouse.installation, release(4), guardhouse.manifest)
    guardhouse.events.clear()
    async with guardhouse:
        event = await guardhouse.kinds(EventKind.PACKAGE_TAMPERED)
    assert "number 4, and number 5 was in use already" in event.text


async def test_settings_changed_behind_the_hubs_back_are_told(house: Guardhouse) -> None:
    path = house.folder / "hems.toml"
    path.write_text('[home]\nname = "Home"\n[mqtt]\npassword = "a secret"\n')
    event = await house.kinds(EventKind.CONFIG_CHANGED)
    assert event.about == str(path)
    assert event.text.endswith("was changed at the hub's machine itself: mqtt.password.")
    assert "a secret" not in event.text
    assert house.watch.reason is None, "whoever may change settings may"


async def test_what_the_hub_writes_itself_is_no_news(house: Guardhouse) -> None:
    path = house.folder / "hems.toml"
    kept_file.replace(path, '[home]\nname = "Another name"\n')
    assert own_writes.ours(_sha256(path))
    path.write_text('[home]\nname = "A third name"\n')
    event = await house.kinds(EventKind.CONFIG_CHANGED)
    await asyncio.sleep(0.5)
    assert [e.kind for e in house.events] == [event.kind], "the second one alone"


LISTEN = (
    "import socket, sys; listening = socket.create_server(('0.0.0.0', 0)); "
    "print(listening.getsockname()[1], flush=True); sys.stdin.read()"
)


async def test_a_listener_that_nobody_expects_is_told(house: Guardhouse) -> None:
    await asyncio.sleep(6.0)  # it has looked once
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LISTEN),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        port = int(await child.stdout.readline())
        told = f"has begun to listen at 0.0.0.0, port {port}."
        await house.seen(lambda: any(told in event.text for event in house.events), told)
    finally:
        child.kill()
        await child.wait()


async def test_who_does_not_have_the_secret_is_not_heard(house: Guardhouse) -> None:
    heard = house.watch.agent().heard_at
    await house.stopped()
    intruder = await house.started(secret="00" * 32)
    await asyncio.sleep(4.0)
    try:
        now = house.watch.agent().heard_at
        assert now is not None
        assert heard is not None
        assert now - heard < 3.0
    finally:
        intruder.kill()
        await intruder.wait()


@pytest.mark.parametrize("line", [b"", b"x\n", b'{"hello": "00"}\n', b"\xff" * 4096 + b"\n"])
async def test_nonsense_at_the_socket_harms_nobody(house: Guardhouse, line: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(_short(house.folder / "agent.sock"))
    await reader.readline()
    writer.write(line + b'00 {"at": 1}\n')
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    writer.close()
    before = house.watch.agent().heard_at
    await house.seen(lambda: house.watch.agent().heard_at != before, "the agent is heard")


def test_the_socket_is_the_hubs_alone(house: Guardhouse) -> None:
    assert (house.folder / "agent.sock").stat().st_mode & 0o777 == 0o600


class Faster:
    """A clock by which time runs faster, once it is told to."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def run_ahead(self, seconds: float) -> None:
        self._ahead += seconds


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_an_agent_that_is_stopped_is_missed(
    guardhouse: Guardhouse, number: signal.Signals
) -> None:
    clock = guardhouse.clock = Faster()
    async with guardhouse:
        await guardhouse.checked()
        guardhouse.agent.send_signal(number)
        for _ in range(10):
            await asyncio.sleep(0.2)
            clock.run_ahead(4.0)
            guardhouse.watch.look()
        event = await guardhouse.kinds(EventKind.AGENT_SILENT)
        assert "does not answer" in event.text
        assert guardhouse.watch.agent().excluded
        if number is signal.SIGSTOP:
            guardhouse.agent.send_signal(signal.SIGCONT)
        else:
            guardhouse.agent = await guardhouse.started()
        await guardhouse.kinds(EventKind.RELIABLE_AGAIN)


async def test_a_hub_that_slept_itself_does_not_blame_its_agent(guardhouse: Guardhouse) -> None:
    clock = guardhouse.clock = Faster()
    async with guardhouse:
        await guardhouse.checked()
        clock.run_ahead(3_600.0)
        guardhouse.watch.look()
        await asyncio.sleep(2.0)
        assert guardhouse.events == []


@pytest.fixture
def tpm(tmp_path: Path) -> SoftTpm:
    running = SoftTpm(tmp_path / "tpm")
    running.start()
    return running


@needs_swtpm
async def test_another_start_of_the_machine_is_told_until_it_is_accepted(
    guardhouse: Guardhouse, tpm: SoftTpm
) -> None:
    guardhouse.tcti = tpm.tcti
    try:
        async with guardhouse:
            await guardhouse.seen(lambda: bool(guardhouse.watch.agent().registers), "registers")
            assert guardhouse.events == []
            await asyncio.to_thread(extend, tpm, 4)
            guardhouse.watch.measure()
            event = await guardhouse.kinds(EventKind.BOOT_CHANGED)
            assert "registers 4 of" in event.text
            await guardhouse.watch.accept_boot()
            await guardhouse.kinds(EventKind.RELIABLE_AGAIN)
    finally:
        tpm.stop()


@needs_swtpm
async def test_another_tpm_is_told(guardhouse: Guardhouse, tmp_path: Path, tpm: SoftTpm) -> None:
    guardhouse.tcti = tpm.tcti
    async with guardhouse:
        await guardhouse.seen(lambda: bool(guardhouse.watch.agent().registers), "registers")
        await asyncio.sleep(2.0)
    tpm.stop()
    other = SoftTpm(tmp_path / "other")
    other.start()
    guardhouse.tcti = other.tcti
    try:
        async with guardhouse:
            event = await guardhouse.kinds(EventKind.BOOT_CHANGED)
            assert "not the one that it had before" in event.text
    finally:
        other.stop()


async def test_what_was_in_use_outlives_a_restart(house: Guardhouse) -> None:
    await asyncio.sleep(2.0)
    again = AgentWatch(
        house.store.settings,
        house.clock,
        house.events.append,
        house.reasons.append,
        socket=house.folder / "another.sock",
        secret=b"",
    )
    await again.load()
    assert again._memory.number == 1


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _short(path: Path) -> str:
    return os.path.relpath(path)  # the kernel takes 107 octets

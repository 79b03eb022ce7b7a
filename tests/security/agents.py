"""Attacks on the hub's software and on the agent that watches over it."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from certs.manifest.make import make_manifest
from certs.pem import read_certificates, read_signing_key
from certs.pki import init_pki, issue_signer
from certs.signed import Purpose, sign_document
from hems.security_event import EventKind
from tests.certs.agent.installed import Provider, flip, release, small
from tests.hems.agent.rig import Guardhouse
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.vault import Vault

Do = Callable[[Vault], Awaitable[str]]
RULES: Final = Path("hems") / "inner" / "rules.py"


class Ahead:
    """A clock by which time runs faster, once it is told to."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Return UTC epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic() + self._ahead

    def run_ahead(self, seconds: float) -> None:
        """Have so much time have gone by."""
        self._ahead += seconds


def _house(vault: Vault, number: int = 1) -> Guardhouse:
    place = vault.fresh("agent")
    provider = Provider.made(place / "provider")
    return Guardhouse(provider, small(place / "software"), place / "hub", number=number)


async def _told(vault: Vault, house: Guardhouse, kind: EventKind) -> str:
    event = await house.kinds(kind)
    vault.record.append(f"{event.kind} about {event.about or '-'}: {event.text}")
    excluded = house.watch.agent().excluded
    return f"{'left out of all programmes' if excluded else 'taking part'}: {event.text}"


def _with(harm: Callable[[Guardhouse], None]) -> Do:
    """Harm a running installation."""

    async def attempt(vault: Vault) -> str:
        async with _house(vault) as house:
            await house.checked()
            await asyncio.to_thread(harm, house)
            house.watch.measure()
            return await _told(vault, house, EventKind.PACKAGE_TAMPERED)

    return attempt


def _changed(house: Guardhouse) -> None:
    flip(house.installation.root / RULES)


def _added(house: Guardhouse) -> None:
    (house.installation.root / "der" / "inner" / "evil.py").write_text("")


def _removed(house: Guardhouse) -> None:
    (house.installation.root / "certs" / "__init__.py").unlink()


def _of_others(house: Guardhouse) -> None:
    flip(house.installation.sites[0] / "other.py")


def _swapped(house: Guardhouse) -> None:
    pki = init_pki(house.folder.parent / "stranger")
    issue_signer(pki, "provider", [Purpose.MANIFEST])
    Provider(pki).sign(house.installation, release(2), house.manifest)


def _bent(house: Guardhouse) -> None:
    octets = bytearray(house.manifest.read_bytes())
    octets[len(octets) // 2] ^= 1
    house.manifest.write_bytes(octets)


def _expired(house: Guardhouse) -> None:
    over = release(2, valid_from=1_000_000_000, valid_until=1_000_000_001)
    house.provider.sign(house.installation, over, house.manifest)


def _gone(house: Guardhouse) -> None:
    house.manifest.unlink()


def _other_purpose(house: Guardhouse) -> None:
    """Signed by one whom the provider lets sign bulletins, not software."""
    files = house.provider.pki.identity("other")
    manifest = make_manifest(house.installation, release(2))
    signed = sign_document(
        manifest.canonical(),
        Purpose.BULLETIN,
        read_signing_key(files.key),
        read_certificates(files.certificate),
    )
    house.manifest.write_bytes(signed)


async def rolled_back(vault: Vault) -> str:
    """Install an old version, whole and well signed."""
    house = _house(vault, number=4)
    async with house:
        await house.checked()
        house.provider.sign(house.installation, release(5), house.manifest)
        await house.seen(lambda: house.watch.agent().number == 5, "number 5 in use")
        await house.seen(lambda: house.watch.agent().checked, "all read")
        await asyncio.sleep(2.0)  # it is kept by then
    house.provider.sign(house.installation, release(4), house.manifest)
    house.events.clear()
    async with house:
        return await _told(vault, house, EventKind.PACKAGE_TAMPERED)


def _stopped(number: signal.Signals) -> Do:
    async def attempt(vault: Vault) -> str:
        house = _house(vault)
        clock = Ahead()
        house.clock = clock
        async with house:
            await house.checked()
            house.agent.send_signal(number)
            for _ in range(10):
                await asyncio.sleep(0.2)
                clock.run_ahead(4.0)
                house.watch.look()
            try:
                return await _told(vault, house, EventKind.AGENT_SILENT)
            finally:
                if number is signal.SIGSTOP:
                    house.agent.send_signal(signal.SIGCONT)

    return attempt


async def impersonated(vault: Vault) -> str:
    """Put another agent in its place, which finds all well and does not know the hub's secret."""
    house = _house(vault)
    clock = Ahead()
    house.clock = clock
    async with house:
        await house.checked()
        await house.stopped()
        intruder = await house.started(secret="00" * 32)
        try:
            for _ in range(10):
                await asyncio.sleep(0.5)
                clock.run_ahead(4.0)
                house.watch.look()
            return await _told(vault, house, EventKind.AGENT_SILENT)
        finally:
            intruder.kill()
            await intruder.wait()


async def settings(vault: Vault) -> str:
    """Change the hub's settings at its machine, behind its back."""
    async with _house(vault) as house:
        await house.checked()
        path = house.folder / "hems.toml"
        path.write_text('[home]\nname = "Home"\n[mqtt]\npassword = "a secret"\n')
        answer = await _told(vault, house, EventKind.CONFIG_CHANGED)
        assert "a secret" not in answer
        return answer


async def _well(vault: Vault) -> str:
    async with _house(vault) as house:
        await house.checked()
        assert not house.events, house.events
        return f"relied on: {house.watch.reason is None}"


def _row(
    id_: str, does: str, attempt: Do, defence: str, kind: EventKind, *, quick: bool = False
) -> Attack[Vault]:
    return Attack(
        f"agent-{id_}",
        Kind.AGENT,
        does,
        attempt,
        defence,
        Entry(Where.RECORD, f"^{kind.value} "),
        _well,
        "^relied on: True",
        deep=not quick,
    )


_OUT: Final = "^left out of all programmes: "
_TAMPERED: Final = EventKind.PACKAGE_TAMPERED
ROWS: Final[Sequence[Attack[Vault]]] = [
    _row(
        "file-changed",
        "Changes one bit of the hub's software, and leaves its times as they were",
        _with(_changed),
        _OUT,
        _TAMPERED,
        quick=False,
    ),
    _row("file-added", "Adds a file to the hub's software", _with(_added), _OUT, _TAMPERED),
    _row("file-removed", "Removes a file of the hub's software", _with(_removed), _OUT, _TAMPERED),
    _row(
        "file-of-others",
        "Changes a library that the hub's software uses",
        _with(_of_others),
        _OUT,
        _TAMPERED,
    ),
    _row(
        "manifest-swapped",
        "Puts a manifest of its own in the place of the signed one",
        _with(_swapped),
        _OUT,
        _TAMPERED,
        quick=True,
    ),
    _row("manifest-bent", "Changes one bit of the manifest", _with(_bent), _OUT, _TAMPERED),
    _row(
        "manifest-expired",
        "Puts a manifest there whose time is over",
        _with(_expired),
        _OUT,
        _TAMPERED,
    ),
    _row("manifest-gone", "Removes the manifest", _with(_gone), _OUT, _TAMPERED),
    _row(
        "manifest-purpose",
        "Has a manifest signed by who may sign bulletins only",
        _with(_other_purpose),
        _OUT,
        _TAMPERED,
    ),
    _row(
        "rolled-back",
        "Installs an old version, whole and well signed",
        rolled_back,
        _OUT + ".*number 5 was in use",
        _TAMPERED,
    ),
    _row("killed", "Kills the agent", _stopped(signal.SIGKILL), _OUT, EventKind.AGENT_SILENT),
    _row(
        "halted",
        "Halts the agent (SIGSTOP)",
        _stopped(signal.SIGSTOP),
        _OUT,
        EventKind.AGENT_SILENT,
    ),
    _row(
        "impersonated",
        "Puts another agent in its place, which finds all well",
        impersonated,
        _OUT,
        EventKind.AGENT_SILENT,
    ),
    _row(
        "settings",
        "Changes the hub's settings behind its back",
        settings,
        "mqtt.password",
        EventKind.CONFIG_CHANGED,
    ),
]

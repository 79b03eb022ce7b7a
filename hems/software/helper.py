"""The helper: the one that may change the hub's software. It runs for one order, and has no line.

It believes nothing that the hub says: it verifies the passed files from their root on, by its own
root of trust and its own memory of what it has seen, so that a hub that was taken over can install
nothing but what vendor and service provider have both signed, and nothing older.
"""

import logging
import platform
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hems.bulletin import FirmwareList, Package, State
from hems.emg.firmware import tuf_client
from hems.emg.firmware.tuf_client import FirmwareError
from hems.emg.firmware.tuf_place import Place
from hems.software.archive import ArchiveError
from hems.software.install import FORM, InstallError, Workshop, install
from hems.software.orders import PASSED, Answer, Order, at_work, ordered, removed
from hems.software.sides import ANSWER, UPDATES, Sides, SidesError, put, verdict
from hems.software.suiting import Host, package_for, unsuitable
from hems.software.switch import (
    ASKED,
    PACKAGE,
    SwitchError,
    armed,
    disarmed,
    judged,
    packaged,
    returned,
)
from hems.store.schema import REVISIONS

ROOT: Final = "root.json"
"""In the folder of the sides: the root of trust, put there by whoever set the machine up."""
KNOWN: Final = "known"
_INCOMING: Final = ".incoming.tar"
_URL: Final = "https://passed.invalid"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Helper:
    """What it works on.

    Attributes:
        sides: What it changes.
        home: The home's folder, whose `updates` the hub writes to.
        vendor: Whose list names the hub's software.
        shop: With what it installs.
    """

    sides: Sides
    home: Path
    vendor: str
    shop: Workshop

    def serve(self) -> Answer | None:
        """Carry out the order that waits; returns what came of it, None where there was none.

        Raises:
            SidesError: What came of it cannot be written down.
        """
        with at_work(self.sides.root):
            return self._serve()

    def _serve(self) -> Answer | None:
        order = ordered(self.home)
        removed(self.home)  # before: an order that ends the machine is not to be met again
        if order is None:
            return None
        try:
            answer = Answer(id=order.id, done=True, text=self._do(order))
        except (
            SwitchError,
            SidesError,
            InstallError,
            ArchiveError,
            FirmwareError,
            OSError,
        ) as error:
            answer = Answer(id=order.id, done=False, text=str(error))
        _log.info("%s: %s", order.ask, answer.text)
        put(self.sides.root / ANSWER, answer.model_dump(), mode=0o644)
        return answer

    def host(self) -> Host:
        """Return the machine, and what runs on it.

        Raises:
            SidesError: The record cannot be read.
        """
        state = packaged(self.sides.read(), self.sides.packaged())
        form = REVISIONS[-1]  # this program is the package's own
        if state.current != PACKAGE:
            with suppress(OSError):
                form = (self.sides.place(state.current) / FORM).read_text(encoding="ascii")
        return Host(
            version=state.version(state.current),
            python=f"{sys.version_info.major}.{sys.version_info.minor}",
            machine=platform.machine(),
            form=form,
            free=shutil.disk_usage(self.sides.root).free,
        )

    def _do(self, order: Order) -> str:
        """Carry out an order; returns what was done, in words."""
        with self.sides.held():
            said = self._switched(order)
        return self._install(order.version) if order.ask == "install" else said

    def _switched(self, order: Order) -> str:
        """Take the record to what an order wants of it; returns what was done, in words."""
        state = judged(packaged(self.sides.read(), self.sides.packaged()), verdict(self.home))
        match order.ask:
            case "install":
                self.sides.write(state)
                return ""
            case "arm":
                after = armed(state)
                self.sides.write(after)
                return f"{after.version(after.candidate)} is tried at the next start"
            case "cancel":
                self.sides.write(disarmed(state))
                return "nothing is tried at the next start"
            case "back":
                after = returned(state, ASKED)
                self.sides.write(after)
                return f"{after.version(after.current)} runs from the next start on"

    def _install(self, version: str) -> str:
        place = Place(
            url=_URL,
            root=self.sides.root / ROOT,
            folder=self.sides.root / KNOWN,
            context=None,
            passed=self.home / UPDATES / PASSED,
        )
        found = tuf_client.refresh(place)
        listed = next((each for each in found.lists if each.vendor == self.vendor), None)
        if listed is None:
            why = next((each.why for each in found.refused if each.vendor == self.vendor), "none")
            raise InstallError(f"the list of {self.vendor}: {why}")
        host = self.host()
        package = _package(listed, version, host)
        why = unsuitable(package, host)
        if why:
            raise InstallError(f"{version}: {why}")
        incoming = self.sides.root / _INCOMING
        try:
            tuf_client.fetch_release(place, self.vendor, package.file, incoming)
            install(self.sides, incoming, package, host, self.shop)
        finally:
            incoming.unlink(missing_ok=True)
        return f"{version} is installed beside {host.version}"


def _package(listed: FirmwareList, version: str, host: Host) -> Package:
    """Return the archive of a version for this machine.

    Raises:
        InstallError: There is none, or it must not run.
    """
    release = next((each for each in listed.releases if each.version == version), None)
    if release is None:
        raise InstallError(f"{version} is on no list that counts")
    if release.state is State.UNTRUSTED:
        raise InstallError(f"{version} must not run: {release.advisory}")
    package = package_for(release, host)
    if package is None:
        raise InstallError(f"{version} is not offered for Python {host.python} on {host.machine}")
    return package

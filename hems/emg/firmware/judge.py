"""What is to be thought of the firmware that a device runs. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from der.model import Connection
from der.sentence import Verbatim, say
from hems.bulletin import Bulletin, Firmware, FirmwareRange, State, alike, matches
from hems.emg.firmware.version import compare


class Standing(StrEnum):
    """How a device's firmware stands."""

    LATEST = "latest"
    """The newest that its maker and the service provider have signed."""
    ALLOWED = "allowed"
    """A newer one is known, and this one may run."""
    OUTDATED = "outdated"
    """Older than the newest, and on no list."""
    UNTRUSTED = "untrusted"
    """It must not run."""
    UNKNOWN = "unknown"
    """On no list; or the device does not say what it runs."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of it.

    Attributes:
        standing: How it stands.
        newest: The newest version known; empty where none is, or it is this one.
        why: Why it must not run, one clause; empty where it may.
    """

    standing: Standing
    newest: str = ""
    why: str = ""

    @property
    def words(self) -> str:
        """One sentence for the owner; empty where there is nothing to do."""
        if self.standing is Standing.UNTRUSTED:
            if self.newest:
                return say(
                    "This firmware must not run: {why}. {newest} is the newest; ask the installer.",
                    why=self.why,
                    newest=Verbatim(self.newest),
                )
            return say("This firmware must not run: {why}.", why=self.why)
        if self.newest:
            return say(
                "A newer firmware is known: {newest}. Ask the installer.",
                newest=Verbatim(self.newest),
            )
        return ""


def judged(
    device: Connection, listed: Iterable[Firmware], ranges: Iterable[FirmwareRange] = ()
) -> Verdict:
    """Return what is thought of a device's firmware.

    What the enterprise warns of goes before what a list allows.

    Args:
        device: As it describes itself.
        listed: All entries of all lists that both vendor and service provider signed.
        ranges: What a bulletin names as not to run.
    """
    of = (alike(device.manufacturer), alike(device.model))
    own = [each for each in listed if each.of == of]
    latest = next((each.version for each in own if each.state is State.LATEST), "")
    newest = latest if compare(latest, device.firmware) == 1 else ""
    if not device.firmware.strip():
        return Verdict(Standing.UNKNOWN)
    for named in ranges:
        if matches(named, device.manufacturer, device.model) and within(named, device.firmware):
            return Verdict(Standing.UNTRUSTED, newest, named.why)
    entry = next((each for each in own if compare(each.version, device.firmware) == 0), None)
    if entry is not None:
        return _of_entry(entry, latest)
    return Verdict(Standing.OUTDATED, newest) if newest else Verdict(Standing.UNKNOWN)


def within(named: FirmwareRange, version: str) -> bool:
    """Return whether a version is one of a range; one that cannot be compared is not."""
    return any(compare(each, version) == 0 for each in named.versions) or (
        bool(named.below) and compare(version, named.below) == -1
    )


def distrusted(device: Connection, bulletin: Bulletin) -> str:
    """Return why an enterprise does not trust a device; empty where it does, or says nothing.

    What is said of one device goes before what is said of its model, and that before what is said
    of all of its maker's; of two that name it alike, the later.
    """
    said: Sequence[tuple[int, int, str]] = [
        (bool(word.model) + 2 * bool(word.serial), number, "" if word.trusted else word.why)
        for number, word in enumerate(bulletin.devices)
        if matches(word, device.manufacturer, device.model)
        and (not word.serial or alike(word.serial) == alike(device.serial))
    ]
    return max(said, default=(0, 0, ""))[2]


def _of_entry(entry: Firmware, latest: str) -> Verdict:
    if entry.state is State.UNTRUSTED:
        why = entry.advisory or say("its maker has taken it back")
        return Verdict(Standing.UNTRUSTED, latest, why)
    if entry.state is State.LATEST:
        return Verdict(Standing.LATEST)
    return Verdict(Standing.ALLOWED, latest)

"""Which version of the hub's own software may take the place of the present one. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from der.sentence import Verbatim, say
from hems.bulletin import FirmwareList, Release, State
from hems.emg.firmware.version import compare


@dataclass(frozen=True, slots=True)
class Software:
    """How the hub's own software stands.

    Attributes:
        update: What may take its place; None for nothing.
        warning: What is wrong with what runs, one sentence; empty for nothing.
    """

    update: Release | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Offered:
    """What the lists that count say of the hub's own software.

    Attributes:
        software: How it stands by them.
        at: When all of them were last verified, UTC epoch seconds; None for never.
    """

    software: Software = Software()
    at: float | None = None


def software(runs: str, lists: Iterable[FirmwareList], vendor: str) -> Software:
    """Return how the hub's own software stands.

    Only a version that is certainly newer is offered, so that nobody leads a hub back to one whose
    mistakes are known; one that must not run gives way to the newest that may, and to no older.

    Args:
        runs: The version that runs.
        lists: Those that count.
        vendor: Whose list names the hub's software.
    """
    releases = [each for found in lists if found.vendor == vendor for each in found.releases]
    newer = [
        each
        for each in releases
        if each.state is not State.UNTRUSTED and compare(each.version, runs) == 1
    ]
    latest = next((each for each in newer if each.state is State.LATEST), None)
    own = next((each for each in releases if compare(each.version, runs) == 0), None)
    if own is None or own.state is not State.UNTRUSTED:
        return Software(latest)
    why = own.advisory or say("its maker has taken it back")
    return Software(
        latest,
        say("The hub's software {version} must not run: {why}.", version=Verbatim(runs), why=why),
    )

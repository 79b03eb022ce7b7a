"""The lists that count: those verified last, of each vendor. Pure."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from hems.bulletin import Firmware, FirmwareList


class RefusedList(BaseModel):
    """A vendor's list that does not count, and why."""

    model_config = ConfigDict(frozen=True)

    vendor: str
    why: str


class Refreshed(BaseModel):
    """What one look at the repository came to; it goes from process to process as JSON."""

    model_config = ConfigDict(frozen=True)

    lists: tuple[FirmwareList, ...] = ()
    refused: tuple[RefusedList, ...] = ()
    error: str = ""
    """Why the repository as a whole was refused or out of reach; empty where it was not."""
    hostile: bool = False
    """Whether it was refused, rather than out of reach."""


class Known(BaseModel):
    """What is kept of all looks."""

    model_config = ConfigDict(frozen=True)

    lists: tuple[FirmwareList, ...] = ()
    at: float | None = None
    """When all was last as it should be, UTC epoch seconds; None for never."""

    @property
    def firmware(self) -> Sequence[Firmware]:
        """All entries of all lists."""
        return [entry for each in self.lists for entry in each.firmware]


def known(before: Known, found: Refreshed, now: float) -> Known:
    """Return what is known after a look.

    A list that is refused leaves the vendor's former one in force, and so does a repository that
    cannot be had: whoever cuts the line, or spoils a list, must not gain that a version which must
    not run may run again. A vendor that is in the repository no more is forgotten.
    """
    if found.error:
        return before
    refused = {each.vendor for each in found.refused}
    kept = [each for each in before.lists if each.vendor in refused]
    return Known(lists=(*found.lists, *kept), at=before.at if refused else now)

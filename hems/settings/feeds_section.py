"""The enterprise's word about threats, devices and firmware; and what it gets back."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from hems.settings.section import Duration, Section, Text


def _https(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError(f"{url!r} is no https address")
    if parts.username or parts.query or parts.fragment:
        raise ValueError(f"{url!r}: host, port and path, and nothing else")
    return url


HttpsUrl = Annotated[str, AfterValidator(_https)]
LookEvery = Annotated[Duration, Field(ge=10.0, le=30 * 86_400.0)]


class FeedsSection(Section):
    """The enterprise's bulletin; without an address there is none."""

    url: HttpsUrl | None = None
    """The enterprise's server: https://HOST:PORT."""
    utility: Text | None = None
    """Name of the utility whose certificate and trust are used there; the first one's if left
    out."""
    trust: Path | None = None
    """Root certificates under which a bulletin's signer must stand, PEM; the utility's if left
    out."""
    every: LookEvery = 900.0
    """How often it is asked for."""
    statistics: bool = False
    """Whether days in numbers are given back: kinds of security events, and which devices with
    which firmware there are; no readings, names or addresses."""

    @model_validator(mode="after")
    def _somebody_to_tell(self) -> Self:
        if self.statistics and self.url is None:
            raise ValueError("statistics need a url to which they are told")
        return self


class Unlisted(StrEnum):
    """What is done about firmware that is on no list."""

    ALLOW = "allow"
    QUARANTINE = "quarantine"


class FirmwareSection(Section):
    """Lists of firmware that vendor and service provider have signed; none without a place."""

    url: HttpsUrl | None = None
    """The repository: https://HOST:PORT/firmware."""
    folder: Path | None = None
    """A folder that holds the repository, in place of a server: what is signed counts, whoever
    brings it."""
    root: Path | None = None
    """Its root of trust, as the service provider gave it (`root.json`)."""
    utility: Text | None = None
    """Name of the utility whose certificate and trust are used there; the first one's if left
    out."""
    every: LookEvery = 86_400.0
    """How often the lists are looked at."""
    unknown: Unlisted = Unlisted.ALLOW
    """What is done about a device whose firmware is on no list, or that does not say it."""
    vendor: Text = "hems"
    """Under which vendor the hub's own software is listed."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.url is not None and self.folder is not None:
            raise ValueError("url or folder: the lists come from one place")
        if self.there != (self.root is not None):
            raise ValueError("url and root go together, and so do folder and root")
        if self.unknown is Unlisted.QUARANTINE and not self.there:
            raise ValueError('unknown = "quarantine" needs lists: give url and root')
        return self

    @property
    def there(self) -> bool:
        """Whether there are lists."""
        return self.url is not None or self.folder is not None


def check_known(feeds: FeedsSection, firmware: FirmwareSection, utilities: Sequence[str]) -> None:
    """See that there is a utility whose certificate can be shown to the enterprise.

    Args:
        feeds: The one section.
        firmware: The other.
        utilities: Names of the home's utilities.

    Raises:
        ValueError: There is none, or none of the name that is given.
    """
    for name, section in (("feeds", feeds), ("firmware", firmware)):
        if section.url is not None and not utilities:
            raise ValueError(f"{name}: there is no utility whose certificate could be shown")
        if section.utility is not None and section.utility not in utilities:
            raise ValueError(f"{name}: there is no utility {section.utility!r}")

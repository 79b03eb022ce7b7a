"""A manifest: the files of one version of the software, and how a machine with it starts.

It is written as canonical JSON (keys in order, no blanks) and signed as a whole (`certs.signed`).
"""

import json
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from certs.errors import CertificateError

FORMAT: Final = 1
PCRS: Final = 24
"""A TPM has platform configuration registers 0 to 23."""
_MOST_S: Final = 253_402_300_799
"""The last second of the year 9999."""


class ManifestError(CertificateError):
    """A manifest that cannot be used; `str()` names the file and what is wrong with it."""


def _relative(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\0" in path or "\n" in path or "." in parts:
        raise ValueError(f"{path!r} is no path within an installation")
    if path != str(PurePosixPath(path)):
        raise ValueError(f"{path!r} is not written in the shortest way")
    return path


def _within(path: str) -> str:
    if ".." in PurePosixPath(path).parts:
        raise ValueError(f"{path!r} leaves the installation")
    return path


Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Inside = Annotated[str, AfterValidator(_relative), AfterValidator(_within)]
Beside = Annotated[str, AfterValidator(_relative)]
"""Of a distribution: its programs lie beside its packages ("../../../bin/x")."""
Second = Annotated[int, Field(ge=0, le=_MOST_S)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Entry(_Part):
    """A file.

    Attributes:
        path: Relative to the installation.
        size: Octets.
        sha256: Hex digits.
    """

    path: Inside
    size: int = Field(ge=0)
    sha256: Digest


class LooseEntry(Entry):
    """A file of a distribution that its own record has no digest of."""

    path: Beside


class Package(_Part):
    """One of the software's own packages: nothing else may be in its folder.

    Attributes:
        name: Of its folder.
        files: All of them.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    files: tuple[Entry, ...]

    @model_validator(mode="after")
    def _its_own(self) -> Self:
        for entry in self.files:
            if PurePosixPath(entry.path).parts[0] != self.name:
                raise ValueError(f"{entry.path} is not in the package {self.name}")
        return self


class Distribution(_Part):
    """Somebody else's software that ours stands on.

    Attributes:
        name: As its metadata has it.
        version: The same.
        folder: Of its metadata, within the folder of such software.
        record: SHA-256 of its RECORD, which has a digest of nearly each of its files.
        loose: Those of which it has none.
    """

    name: Text
    version: Text
    folder: Inside
    record: Digest
    loose: tuple[LooseEntry, ...] = ()


class Manifest(_Part):
    """What a service provider approves.

    Attributes:
        format: Of this document.
        name: Of the software.
        version: Its version.
        publisher: Who approves it, as people know them.
        number: Greater than that of each manifest before it, so that none of them comes back.
        valid_from: From when it counts, UTC epoch seconds.
        valid_until: Until when.
        packages: Our own.
        distributions: Others'.
        ignored: Folders in packages that are not part of the software, such as what a page was
            built from in a checkout.
        compiled: Whether compiled files are listed too; else `__pycache__` is not looked at.
        closed: Whether nothing else may be installed beside it.
        boot: Digests of the TPM's registers (SHA-256 bank) that the machine is to start with, by
            their number; empty where they are whatever they were first.
    """

    format: int = Field(default=FORMAT, ge=FORMAT, le=FORMAT)
    name: Text
    version: Text
    publisher: Text
    number: int = Field(ge=1, lt=2**63)
    valid_from: Second
    valid_until: Second
    packages: tuple[Package, ...] = Field(min_length=1)
    distributions: tuple[Distribution, ...] = ()
    ignored: tuple[Inside, ...] = ()
    compiled: bool = False
    closed: bool = True
    boot: dict[str, Digest] = {}

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.valid_until <= self.valid_from:
            raise ValueError("it ends before it begins")
        known = {str(number) for number in range(PCRS)}
        for register in self.boot:
            if register not in known:
                raise ValueError(f"boot: there is no register {register!r} in a TPM")
        paths = [entry.path for package in self.packages for entry in package.files]
        if len(set(paths)) != len(paths):
            raise ValueError("a file is listed twice")
        return self

    def canonical(self) -> bytes:
        """Return the octets that are signed."""
        return json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=True
        ).encode()


def read_manifest(body: bytes, where: Path) -> Manifest:
    """Return what a manifest says.

    Args:
        body: What was signed.
        where: The file it stands in, for messages.

    Raises:
        ManifestError: It is none, or says what cannot be.
    """
    try:
        return Manifest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ManifestError(
            f"{where}: is no manifest: {place + ': ' if place else ''}{first['msg']}"
        ) from error

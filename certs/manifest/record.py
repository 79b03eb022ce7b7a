"""The RECORD of a Python distribution: its files and their digests, as its maker wrote them."""

import base64
import binascii
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from certs.manifest.manifest import ManifestError

NAME: Final = "RECORD"
_ROW: Final = 3
_SHA256: Final = "sha256="


@dataclass(frozen=True, slots=True)
class Row:
    """A file.

    Attributes:
        path: Relative to the folder that the distribution is in.
        sha256: Hex digits; empty where the record has no digest of it.
    """

    path: str
    sha256: str


def rows(text: str, where: Path) -> Iterator[Row]:
    """Yield what a record lists.

    Args:
        text: Its content.
        where: Its file, for messages.

    Raises:
        ManifestError: It is damaged.
    """
    try:
        for row in csv.reader(text.splitlines(), strict=True):
            if len(row) != _ROW or not row[0] or PurePosixPath(row[0]).is_absolute():
                raise ManifestError(f"{where}: the record is damaged: {row!r}")
            yield Row(row[0], _hex(row[1], where))
    except csv.Error as error:
        raise ManifestError(f"{where}: the record is damaged: {error}") from error


def _hex(written: str, where: Path) -> str:
    """Return a digest as hex digits; what is by another algorithm counts as none."""
    if not written.startswith(_SHA256):
        return ""
    text = written.removeprefix(_SHA256)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()
    except (binascii.Error, ValueError) as error:
        raise ManifestError(f"{where}: the record has a damaged digest: {written}") from error

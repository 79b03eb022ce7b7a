"""Erasing a home and proving it: keys in hardware, files, and a look at what is left."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from hems.archive import wipe
from hems.archive.belongings import Belongings
from hems.archive.traces import Search, search
from hems.archive.wipe import Proof
from hems.commands.held_keys import HeldProof, erase_held
from hems.commands.home_traces import traces

FLASH: Final = (
    "On flash the disk may keep old cells until it clears them: only a key that was in hardware, "
    "an encrypted disk, or destroying it, is proof. Backups elsewhere stay."
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What came of erasing a home.

    Attributes:
        at: When it was done, UTC epoch seconds.
        held: Of its keys in hardware.
        proof: Of its files.
        search: Of looking for what must not be there any more.
        outside: Files elsewhere that its configuration named: they are left where they are.
    """

    at: float
    held: HeldProof
    proof: Proof
    search: Search
    outside: tuple[Path, ...]

    @property
    def left(self) -> tuple[str, ...]:
        """What is not erased, each with the reason; empty where all of it is."""
        return (*self.held.left, *self.proof.left, *self.search.found, *self.search.unread)

    def lines(self) -> Iterator[str]:
        """Yield the report for people."""
        for said in self.held.gone:
            yield f"erased {said}"
        for gone in self.proof.gone:
            digest = f"; as it lay there encrypted: SHA-256 {gone.sha256}" if gone.sha256 else ""
            yield f"erased {gone.path} ({gone.size} octets written over, then removed{digest})"
        looked = ", ".join(self.search.kinds) or "nothing"
        yield (
            f"looked again at {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(self.at))}: "
            f"{self.search.files} files are in the home's folder, {self.search.size} octets; "
            f"looked for in them: {looked}; found: {len(self.search.found)}"
        )
        for path in self.outside:
            yield f"left where it is, for it lies outside the home's folder: {path}"
        yield FLASH

    def report(self) -> str:
        """Return the report as JSON; nothing in it is secret."""
        return json.dumps(
            {
                "erased_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.at)),
                "software": version("hems"),
                "hardware": list(self.held.gone),
                "files": [
                    {
                        "path": str(gone.path),
                        "octets": gone.size,
                        "how": "written over, then removed",
                        "sha256_of_ciphertext": gone.sha256 or None,
                    }
                    for gone in self.proof.gone
                ],
                "looked_for": list(self.search.kinds),
                "looked_into_files": self.search.files,
                "outside": [str(path) for path in self.outside],
                "left": list(self.left),
                "note": FLASH,
            },
            indent=2,
        )


def erase_home(path: Path, belongings: Belongings) -> Erasure:
    """Erase a home: keys in hardware, then the store's key, other keys, and files. Blocks.

    The hub must not run, and `wipe.mark` has decided it.

    Args:
        path: The home's configuration file.
        belongings: What belongs to the home.
    """
    wanted = traces(path, belongings)
    held = erase_held(path, belongings)
    proof = wipe.erase(belongings)
    looked = search([belongings.folder], wanted)
    outside = tuple(each for each in belongings.outside if each.exists())
    return Erasure(time.time(), held, proof, looked, outside)

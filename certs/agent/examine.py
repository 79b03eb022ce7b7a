"""Reading a manifest: a process that checks it, tells what must lie where, and ends.

`python -m certs.agent.examine`; one JSON object on its standard input, and on its standard output
first one with what the manifest says of itself, then a line for each file.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from certs.errors import CertificateError
from certs.manifest.check import check_manifest
from certs.manifest.expected import Damaged, expected
from certs.manifest.installation import Installation
from certs.pem import read_certificates, read_crls


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        manifest: The file.
        roots: Whom to believe, PEM.
        crls: Who of them is believed no more, PEM; empty for no such lists.
        root: Folder of our own packages.
        sites: Folders of others' software.
    """

    manifest: str
    roots: str
    root: str
    sites: tuple[str, ...]
    crls: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first line of the answer.

    Attributes:
        error: Why the manifest does not count; empty if it does.
        publisher: Who signed it.
        version: Of the software.
        number: Of the manifest.
        until: Until when it counts, UTC epoch seconds.
        packages: Folders of our own packages.
        ignored: Folders that are not looked at.
        compiled: Whether compiled files are listed.
        closed: Whether nothing else may be there.
        boot: What the TPM's registers must hold.
        damaged: Records that were changed.
    """

    error: str = ""
    publisher: str = ""
    version: str = ""
    number: int = 0
    until: int = 0
    packages: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    compiled: bool = False
    closed: bool = True
    boot: dict[str, str] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()


def answer(question: Question, now: float, out: TextIO) -> None:
    """Write what a manifest says, or why it does not count.

    Args:
        question: Which manifest.
        now: UTC epoch seconds.
        out: Where to.
    """
    installation = Installation(Path(question.root), tuple(Path(s) for s in question.sites))
    try:
        roots = read_certificates(Path(question.roots))
        crls = read_crls(Path(question.crls)) if question.crls else ()
        manifest = check_manifest(Path(question.manifest), roots, now, crls=crls)
    except CertificateError as error:
        out.write(json.dumps(asdict(Verdict(error=str(error)))) + "\n")
        return
    listed = list(expected(manifest, installation))
    verdict = Verdict(
        publisher=manifest.publisher,
        version=manifest.version,
        number=manifest.number,
        until=manifest.valid_until,
        packages=tuple(str(installation.root / each.name) for each in manifest.packages),
        ignored=tuple(str(installation.root / each) for each in manifest.ignored),
        compiled=manifest.compiled,
        closed=manifest.closed,
        boot=manifest.boot,
        damaged=tuple(each.path for each in listed if isinstance(each, Damaged)),
    )
    out.write(json.dumps(asdict(verdict)) + "\n")
    for each in listed:
        if not isinstance(each, Damaged):
            out.write(f"{each.size} {each.sha256} {each.path}\n")


def main() -> int:
    """Answer the one question on standard input; returns the exit code."""
    raw: Any = json.loads(sys.stdin.read())
    answer(Question(**{**raw, "sites": tuple(raw["sites"])}), time.time(), sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

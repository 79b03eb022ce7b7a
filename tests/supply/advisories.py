"""Known vulnerabilities of parts, asked of OSV; what was told last is kept for want of an answer.

Python's parts are asked for by pip-audit, the page's by one question of our own: one source
answers for both, and the page's registry need not.
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from tests.supply.parts import PYTHON_LOCK, ROOT, Ecosystem, Part

SOURCE: Final = "https://api.osv.dev"
KEPT: Final = ROOT / "docs" / "security" / "advisories.json"

_TIMEOUT_S: Final = 10.0
_LIMIT_S: Final = 600.0
"""In this time the source must have answered for all parts."""
_MOST_SAID: Final = 160
_BATCH: Final = 500


class UnreachedError(Exception):
    """The source of advisories does not answer; `str()` says why."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Advisory(_Record):
    """A known vulnerability of a part.

    Attributes:
        part: Ecosystem and name: "pypi/aiohttp".
        version: The one that has it.
        ids: By what names it is known.
        what: What it is, in a line.
        fixed: Versions that do not have it.
    """

    part: str
    version: str
    ids: tuple[str, ...]
    what: str = ""
    fixed: tuple[str, ...] = ()

    def line(self) -> str:
        """Return it in a line."""
        mended = f"; fixed in {', '.join(self.fixed)}" if self.fixed else ""
        return f"{self.part} {self.version}: {', '.join(self.ids)}: {self.what}{mended}"


class Kept(_Record):
    """What the source said last.

    Attributes:
        day: When; None if it was never reached.
        asked: Version by part, as it was asked about.
        found: What it knew.
    """

    day: date | None = None
    asked: dict[str, str] = {}
    found: tuple[Advisory, ...] = ()


def asked(parts: Iterable[Part]) -> dict[str, str]:
    """Return versions by part; of one that is there twice, both in one text."""
    made: dict[str, str] = {}
    for part in parts:
        name = f"{part.ecosystem}/{part.name}"
        made[name] = f"{made[name]} {part.version}" if name in made else part.version
    return made


def read_kept(file: Path = KEPT) -> Kept:
    """Return what is kept; nothing where nothing was ever kept."""
    return Kept.model_validate_json(file.read_text(encoding="utf-8")) if file.exists() else Kept()


def keep(kept: Kept, file: Path = KEPT) -> None:
    """Write what was told."""
    text = json.dumps(kept.model_dump(mode="json"), indent=1, sort_keys=True)
    file.write_text(text + "\n", encoding="utf-8")


def told(parts: Sequence[Part], source: str = SOURCE, lock: Path = PYTHON_LOCK) -> list[Advisory]:
    """Return what a source knows of parts.

    Args:
        parts: Of both ecosystems; Python's are taken from the lock file.
        source: Its address.
        lock: Python's lock file.

    Raises:
        UnreachedError: It does not answer.
        RuntimeError: pip-audit cannot read the lock file.
    """
    page = [part for part in parts if part.ecosystem is Ecosystem.NPM]
    return [*_of_page(page, source), *_of_python(source, lock)]


def _of_python(source: str, lock: Path) -> list[Advisory]:
    command = [sys.executable, "-m", "pip_audit", "-r", str(lock), "--disable-pip"]
    command += ["--require-hashes", "-s", "osv", "--osv-url", f"{source}/v1/query"]
    command += ["--format", "json", "--desc", "on", "--aliases", "on", "--progress-spinner", "off"]
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=_LIMIT_S, env=quiet
        )
    except subprocess.TimeoutExpired as error:
        raise UnreachedError(f"{source} has not answered within {_LIMIT_S:g} s") from error
    try:
        found = _PipAudit.model_validate_json(done.stdout)
    except ValueError as error:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1][:_MOST_SAID]
        if "requests.exceptions" in done.stderr or "ServiceError" in done.stderr:
            raise UnreachedError(f"{source} does not answer pip-audit: {said}") from error
        raise RuntimeError(f"pip-audit cannot do its work: {said}") from error
    return [
        Advisory(
            part=f"pypi/{each.name}",
            version=each.version or "",
            ids=(flaw.id, *flaw.aliases),
            what=flaw.description.splitlines()[0][:_MOST_SAID] if flaw.description else "",
            fixed=flaw.fix_versions,
        )
        for each in found.dependencies
        for flaw in each.vulns
    ]


class _Flaw(_Record):
    id: str
    aliases: tuple[str, ...] = ()
    description: str = ""
    fix_versions: tuple[str, ...] = ()


class _Dependency(_Record):
    name: str
    version: str | None = None
    vulns: tuple[_Flaw, ...] = ()


class _PipAudit(_Record):
    dependencies: tuple[_Dependency, ...]


def _of_page(parts: Sequence[Part], source: str) -> list[Advisory]:
    found = []
    for start in range(0, len(parts), _BATCH):
        batch = parts[start : start + _BATCH]
        queries = [
            {"package": {"name": part.name, "ecosystem": "npm"}, "version": part.version}
            for part in batch
        ]
        answer = _post(f"{source}/v1/querybatch", json.dumps({"queries": queries}).encode())
        try:
            results = _Batch.model_validate_json(answer).results
        except ValueError as error:
            raise UnreachedError(f"{source} answers nonsense") from error
        if len(results) != len(batch):
            raise UnreachedError(f"{source} answers for {len(results)} of {len(batch)} parts")
        for part, result in zip(batch, results, strict=True):
            name = f"npm/{part.name}"
            found += [
                Advisory(part=name, version=part.version, ids=(flaw.id,)) for flaw in result.vulns
            ]
    return found


class _Result(_Record):
    vulns: tuple[_Flaw, ...] = ()


class _Batch(_Record):
    results: tuple[_Result, ...]


def _post(url: str, body: bytes) -> bytes:
    if not url.startswith(("https://", "http://")):
        raise UnreachedError(f"{url} is no web address")
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        url, data=body, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the same
            content: bytes = answer.read()
            return content
    except (OSError, urllib.error.URLError) as error:
        raise UnreachedError(f"{url} does not answer: {error}") from error

"""What the hub and its page are made of: every part of others, from the lock files; no network."""

import base64
import importlib.metadata
import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PYTHON_LOCK: Final = ROOT / "requirements.lock"
TPM_LOCK: Final = ROOT / "packaging" / "tpm.lock"
PAGE_LOCK: Final = ROOT / "web" / "app" / "package-lock.json"
TOOL_LOCK: Final = ROOT / "packaging" / "lighthouse" / "package-lock.json"
PROJECT: Final = ROOT / "pyproject.toml"

_PINNED: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\]+)", re.MULTILINE)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA: Final = re.compile(r"^    #(?: via)?[ ]+(?!via$)([A-Za-z0-9._-]+)", re.MULTILINE)
_REQUIRED: Final = re.compile(r"^[A-Za-z0-9._-]+")
_ASIDE: Final = frozenset({"dev", "devOptional", "optional", "peer"})
"""How npm marks what building and testing need, and what others leave to whoever wants it."""
_LONGEST_LICENCE: Final = 100


class Ecosystem(StrEnum):
    """Where a part comes from."""

    PYPI = "pypi"
    NPM = "npm"


class Use(StrEnum):
    """What a part is needed for."""

    SHIPPED = "shipped"
    """It runs in every hub, or in its page."""
    OPTIONAL = "optional"
    """It runs in a hub that uses what needs it."""
    TOOL = "tool"
    """It builds, tests or measures; no hub has it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of others, in one version.

    Attributes:
        ecosystem: Where it comes from.
        name: As it is called there.
        version: Which one the lock file has.
        use: What it is needed for.
        hashes: Algorithm and hex digits of each file that may be installed.
        licence: As it states it; empty where it states none, or is not installed here.
        direct: Whether this project asks for it by itself.
        needed_by: Other parts that need it.
    """

    ecosystem: Ecosystem
    name: str
    version: str
    use: Use
    hashes: tuple[tuple[str, str], ...]
    licence: str
    direct: bool
    needed_by: tuple[str, ...]


def all_parts() -> list[Part]:
    """Return every part of others, by ecosystem and name."""
    found = [
        *python_parts(PYTHON_LOCK.read_text(encoding="utf-8"), PROJECT.read_bytes()),
        *(
            Part(Ecosystem.PYPI, each.name, each.version, Use.OPTIONAL, each.hashes, "", True, ())
            for each in pinned(TPM_LOCK.read_text(encoding="utf-8"))
        ),
        *page_parts(PAGE_LOCK.read_bytes()),
        *page_parts(TOOL_LOCK.read_bytes(), tools=True),
    ]
    unique = {(part.ecosystem, part.name, part.version): part for part in reversed(found)}
    return sorted(unique.values(), key=lambda part: (part.ecosystem, part.name, part.version))


@dataclass(frozen=True, slots=True)
class Pin:
    """One version in a lock file of pip-compile.

    Attributes:
        name: Of the part.
        version: Of the part.
        hashes: Algorithm and hex digits of each file that may be installed.
        via: Who needs it.
        text: The whole entry, as it stands there.
    """

    name: str
    version: str
    hashes: tuple[tuple[str, str], ...]
    via: tuple[str, ...]
    text: str


def pinned(lock: str) -> Iterator[Pin]:
    """Yield the entries of a lock file of pip-compile."""
    starts = [*_PINNED.finditer(lock)]
    ends = [match.start() for match in starts[1:]] + [len(lock)]
    for match, end in zip(starts, ends, strict=True):
        block = lock[match.end() : end]
        hashes = tuple(("SHA-256", digits) for digits in _HASH.findall(block))
        text = lock[match.start() : end]
        yield Pin(match[1], match[2], hashes, tuple(_VIA.findall(block)), text)


def children_of(pins: Iterable[Pin]) -> Mapping[str, set[str]]:
    """Return what each part needs itself."""
    children: dict[str, set[str]] = defaultdict(set)
    for pin in pins:
        for parent in pin.via:
            children[parent].add(pin.name)
    return children


def python_parts(lock: str, project: bytes) -> Iterator[Part]:
    """Yield the parts of a lock file of pip-compile.

    Args:
        lock: Its text, with hashes and with notes of who needs what.
        project: The project's own description, TOML.
    """
    pins = list(pinned(lock))
    children = children_of(pins)
    wanted = tomllib.loads(project.decode())["project"]
    extras: Mapping[str, Sequence[str]] = wanted["optional-dependencies"]
    shipped = closure(names(wanted["dependencies"]), children)
    some = [name for extra, told in extras.items() if extra != "dev" for name in names(told)]
    optional = closure(some, children)
    direct = {*names(wanted["dependencies"]), *some, *names(extras["dev"])}
    for pin in pins:
        use = Use.TOOL
        if pin.name in shipped:
            use = Use.SHIPPED
        elif pin.name in optional:
            use = Use.OPTIONAL
        needed_by = tuple(sorted(set(pin.via) - {"hems"}))
        yield Part(
            Ecosystem.PYPI,
            pin.name,
            pin.version,
            use,
            pin.hashes,
            python_licence(pin.name),
            pin.name in direct,
            needed_by,
        )


def names(requirements: Iterable[str]) -> list[str]:
    """Return the names in requirements, as the lock file writes them."""
    found = [_REQUIRED.match(each) for each in requirements]
    return [re.sub(r"[-_.]+", "-", match[0]).lower() for match in found if match is not None]


def closure(roots: Iterable[str], children: Mapping[str, set[str]]) -> set[str]:
    """Return parts and all that they need, by what each needs itself."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += children.get(name, ())
    return found


def python_licence(name: str) -> str:
    """Return what an installed package says of its licence; empty for nothing."""
    try:
        told = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    if "License-Expression" in told:
        return told["License-Expression"]
    named = [each for each in told.get_all("Classifier") or () if each.startswith("License ::")]
    if named:
        return " AND ".join(each.rpartition(" :: ")[2] for each in named)
    lines = told["License"].strip().splitlines() if "License" in told else []
    return lines[0].strip()[:_LONGEST_LICENCE] if lines else ""


def page_parts(lock: bytes, *, tools: bool = False) -> Iterator[Part]:
    """Yield the parts of a lock file of npm (format 3).

    Args:
        lock: Its content, JSON.
        tools: Whether nothing of it is shipped.
    """
    packages = json.loads(lock)["packages"]
    own = packages[""]
    direct = {*own.get("dependencies", {}), *own.get("devDependencies", {})}
    needs: dict[str, set[str]] = defaultdict(set)
    for path, told in packages.items():
        for each in (*told.get("dependencies", {}), *told.get("optionalDependencies", {})):
            needs[each].add(_npm_name(path))
    for path, told in packages.items():
        if not path or told.get("link"):
            continue
        name = _npm_name(path)
        yield Part(
            Ecosystem.NPM,
            name,
            told["version"],
            Use.TOOL if tools or _ASIDE & told.keys() else Use.SHIPPED,
            tuple(_integrity(told.get("integrity", ""))),
            str(told.get("license", "")),
            name in direct and path == f"node_modules/{name}",
            tuple(sorted(needs[name] - {""})),
        )


def _npm_name(path: str) -> str:
    return path.rpartition("node_modules/")[2]


def _integrity(text: str) -> Iterator[tuple[str, str]]:
    """Yield the hashes of a subresource-integrity text."""
    for each in text.split():
        algorithm, _, digits = each.partition("-")
        yield f"SHA-{algorithm.removeprefix('sha')}", base64.b64decode(digits).hex()

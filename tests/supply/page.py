"""The list of parts for people: `docs/security/sbom.md`."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.supply import adopted
from tests.supply.adopted import Adopted
from tests.supply.parts import ROOT, Ecosystem, Part, Use

FILE: Final = ROOT / "docs" / "security" / "sbom.md"
REASONS: Final = ROOT / "docs" / "security" / "parts.toml"

_HEAD: Final = """\
# Parts of others

Written by `make sbom` from the lock files; do not edit. The same command writes the list as
CycloneDX 1.6 (`build/hems-VERSION.cdx.json`): every part with its version, licence, the day on
which this version came into our lock file, who needs it, and the hash of every file that may be
installed. Installing goes by these hashes (`pip --require-hashes`, `npm ci`), so what is installed
is what was reviewed, whoever answers for the registry.

The day is not that of publication: lock files do not tell it. Publishers' own signatures are not
checked; the hash in the lock file, reviewed when it changes, stands for them. Python, OpenSSL,
SQLite and the operating system are the machine's and are patched with it; `sqlcipher3`,
`cryptography`, `lxml`, `numpy` and `highspy` bring libraries inside their own files, which these
hashes cover and this list does not take apart. The list says too much rather than too little: what
one part asks of another only for a tool, and what of the page's parts the bundler leaves out, are
in it as shipped.
"""


def reasons(file: Path = REASONS) -> Mapping[str, str]:
    """Return why this project asks for each part that it asks for by itself."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return {f"{kind}/{name}": why for kind, names in told.items() for name, why in names.items()}


def render(parts: Sequence[Part], since: Adopted, why: Mapping[str, str]) -> str:
    """Return the page as Markdown."""
    lines = [_HEAD]
    for use, title in (
        (Use.SHIPPED, "In every hub, and in its page"),
        (Use.OPTIONAL, "In hubs that use what needs them"),
    ):
        lines += [f"## {title}", "", *_table([p for p in parts if p.use is use], since, why), ""]
    tools = [part for part in parts if part.use is Use.TOOL]
    lines += ["## Tools: they build, test and measure, and no hub has them", ""]
    lines += _table([part for part in tools if part.direct], since, why)
    rest = [part for part in tools if not part.direct]
    lines += ["", f"They need {len(rest)} more:", ""]
    for ecosystem in Ecosystem:
        named = [f"{part.name} {part.version}" for part in rest if part.ecosystem is ecosystem]
        lines += [f"{ecosystem.value}: {', '.join(named)}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(parts: Iterable[Part], since: Adopted, why: Mapping[str, str]) -> list[str]:
    rows = ["| part | version | in lock since | licence | why |", "|---|---|---|---|---|"]
    for part in parts:
        reason = why.get(f"{part.ecosystem}/{part.name}") if part.direct else None
        told = reason or f"needed by {', '.join(part.needed_by)}"
        named = part.name if part.ecosystem is Ecosystem.PYPI else f"{part.name} (npm)"
        licence = part.licence or "not stated"
        day = since[adopted.key(part)]
        rows.append(f"| {named} | {part.version} | {day} | {licence} | {told} |")
    return rows

"""What stands in the documents between fences: code, files and commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.traceability import ROOT

DOCS: Final = ROOT / "docs"
_FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_CONTINUED: Final = re.compile(r"\s*\\\n\s*")
_SKETCH: Final = re.compile(r"\.\.\.|…$|\[|\w ?\| ?\w")
_COMMAND: Final = re.compile(r"(?:\.venv/bin/)?hems(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences.

    Attributes:
        page: The page.
        kind: What the fence says that it is; empty where it says nothing.
        text: What stands there.
    """

    page: Path
    kind: str
    text: str


def blocks(page: Path, kind: str | None = None) -> list[Block]:
    """Return the blocks of a page, those of one kind where it is named."""
    found = _FENCED.findall(page.read_text(encoding="utf-8"))
    return [Block(page, each, text) for each, text in found if kind in {None, each}]


def pages() -> list[Path]:
    """Return all pages that people read."""
    own = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    return [*own, *sorted(DOCS.rglob("*.md"))]


def commands(block: Block) -> Iterator[list[str]]:
    """Yield the `hems` commands of a block as words, without those that are only sketched.

    A line with "..." or with several commands in one (`a | b`) is a sketch; what stands behind
    two blanks on a line is a remark.
    """
    text = _CONTINUED.sub(" ", block.text)
    for line in text.splitlines():
        bare = line.strip().removeprefix("$ ")
        if not _COMMAND.match(bare) or _SKETCH.search(bare):
            continue
        words = shlex.split(re.split(r"\s{2,}|\s#", bare)[0])
        if words[-1] == "&":
            words.pop()
        yield words[1:]

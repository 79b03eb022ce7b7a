"""What the papers for people quote is said by the program: in its code or on its page."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.papers.blocks import DOCS
from tests.traceability import ROOT

QUOTING = ("first-hour.md", "troubleshooting.md")
PACKAGES = ("hems", "der", "programs", "certs")
PAGE_WORDS = ROOT / "web" / "app" / "src" / "locales" / "en"
_HOLE = re.compile(r"\{[^{}]*\}")
_QUOTE = re.compile(r"“([^”]+)”")
_SYSTEM = frozenset({"No such file or directory", "Permission denied"})
"""Said by the operating system."""


def _strings(tree: ast.AST) -> Iterator[str]:
    """Yield all texts of a module, "…" in the place of what is put in."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)):
                yield _HOLE.sub("…", text)
            case ast.JoinedStr(values=parts):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts
                )


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield _HOLE.sub("…", value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)


@cache
def said() -> str:
    """Return all that the program can say, a line each."""
    found: set[str] = set()
    own = (path for each in PACKAGES for path in (ROOT / each).rglob("*.py"))
    for path in (*own, *(ROOT / "web").glob("*.py")):
        found.update(_strings(ast.parse(path.read_text(encoding="utf-8"))))
    for path in PAGE_WORDS.glob("*.json"):
        found.update(_leaves(json.loads(path.read_text(encoding="utf-8"))))
    return "\n".join(found)


@pytest.mark.parametrize("name", QUOTING)
def test_what_is_quoted_is_said(name: str) -> None:
    quotes = set(_QUOTE.findall((DOCS / name).read_text(encoding="utf-8"))) - {"…"} - _SYSTEM
    assert quotes
    assert [quote for quote in sorted(quotes) if quote not in said()] == []


def test_what_nobody_says_is_found() -> None:
    assert "The fridge has run away" not in said()
    tree = ast.parse('say("{id}: a" " wait of {seconds:g} s")\nraise ValueError(f"{x} is no {y}")')
    assert {"…: a wait of … s", "… is no …"} <= set(_strings(tree))

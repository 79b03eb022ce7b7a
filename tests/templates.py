"""The templates of all sentences that the hub can say, found in the source itself."""

import ast
import importlib
import pkgutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import programs
from programs.about import About
from programs.page import promise

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("der", "programs", "hems", "web")
_MAKERS: Final = frozenset({"say", "Template"})


def templates() -> frozenset[str]:
    """Return every template, and every sentence of what is told of the programmes.

    Raises:
        AssertionError: One is put together at run time, so that nobody could translate it.
    """
    found = {*_of_programmes(), *_of_maps()}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if "from der.sentence import" not in text and path.name != "sentence.py":
                continue  # some other `say`
            for call in _made(ast.parse(text)):
                first = call.args[0] if call.args else None
                if isinstance(first, ast.Name) and path.name == "sentence.py":
                    continue  # where a waiting template is filled in
                literal = isinstance(first, ast.Constant) and isinstance(first.value, str)
                assert literal, f"{path}:{call.lineno}: no literal template"
                found.add(str(first.value))  # type: ignore[union-attr]
    return frozenset(found)


def _made(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in _MAKERS
        ):
            yield node


def _of_maps() -> Iterator[str]:
    """Yield what devices do without the hub, and at which risk, as their maps say."""
    for path in (ROOT / "der").rglob("*.toml"):
        control = tomllib.loads(path.read_text(encoding="utf-8")).get("control", {})
        expiry = control.get("expiry", {})
        yield from (expiry[key] for key in ("safe", "risk") if key in expiry)


def _of_programmes() -> Iterator[str]:
    """Yield what a person reads of each use case before joining."""
    for module in pkgutil.iter_modules(programs.__path__, "programs."):
        about = getattr(importlib.import_module(module.name), "ABOUT", None)
        if isinstance(about, About):
            told = (about.title, about.triggered_by, about.asks, about.ends, about.leaving)
            yield from (text for text in (*told, promise(about)) if text)

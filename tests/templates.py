"""The templates of all sentences that the hub can say, found in the source itself."""

import ast
import importlib
import pkgutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
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
    for where, call in _made():
        first = call.args[0] if call.args else None
        literal = isinstance(first, ast.Constant) and isinstance(first.value, str)
        assert literal, f"{where}: no literal template"
        found.add(str(first.value))  # type: ignore[union-attr]
    return frozenset(found)


def wrong_values() -> list[str]:
    """Return where a sentence is made with other values than its template has places."""
    wrong = []
    for where, call in _made("say"):
        template, given = ast.literal_eval(call.args[0]), {each.arg for each in call.keywords}
        if None not in given and {p[1] for p in Formatter().parse(template)} - {None} != given:
            wrong.append(f"{where}: {template!r}")
    return wrong


def _made(*makers: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield where sentences and templates are made."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if not ("from der.sentence import" in text or path.name == "sentence.py"):
                continue  # some other `say`
            for node in ast.walk(ast.parse(text)):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id in (makers or _MAKERS)
                    and not (path.name == "sentence.py" and isinstance(node.args[0], ast.Name))
                ):
                    yield f"{path}:{node.lineno}", node


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

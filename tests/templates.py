"""The templates of all sentences that the hub can say, found in the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("der", "programs", "hems", "web")


def templates() -> frozenset[str]:
    """Return every literal that is given to `say`.

    Raises:
        AssertionError: One is put together at run time, so that nobody could translate it.
    """
    found: set[str] = set()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if "from der.sentence import" not in text:
                continue  # some other `say`
            for call in _said(ast.parse(text)):
                first = call.args[0] if call.args else None
                literal = isinstance(first, ast.Constant) and isinstance(first.value, str)
                assert literal, f"{path}:{call.lineno}: no literal template"
                found.add(str(first.value))  # type: ignore[union-attr]
    return frozenset(found)


def _said(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            yield node

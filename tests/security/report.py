"""The matrix, as a table, as JSON and as Markdown."""

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.security.attack import Kind, Outcome

_CUT: Final = 70


def line_of(outcome: Outcome) -> str:
    """Return one line of the table."""
    verdict = "withstood" if outcome.withstood else "GOT THROUGH"
    return f"{verdict:11}  {outcome.id:60}  {outcome.seconds:5.1f} s  {_short(outcome.answer)}"


def summary(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the count of attacks by class."""
    all_, held = Counter(o.kind for o in outcomes), Counter(o.kind for o in outcomes if o.withstood)
    lines = [
        f"{kind.value:14} {held[kind]:4} of {all_[kind]:4} withstood" for kind in Kind if all_[kind]
    ]
    longest = max((o.longest_s for o in outcomes), default=0.0)
    cycles = sum(o.cycles or 0 for o in outcomes)
    return [
        *lines,
        f"{'all':14} {sum(held.values()):4} of {len(outcomes):4} withstood",
        f"{cycles} control cycles meanwhile, the longest took {longest:.2f} s",
    ]


def write(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write the matrix to `path` as JSON, and beside it as Markdown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [dataclasses.asdict(outcome) | {"withstood": outcome.withstood} for outcome in outcomes]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(markdown(outcomes), encoding="utf-8")


def markdown(outcomes: Sequence[Outcome]) -> str:
    """Return the matrix as Markdown: attack, answer, log entry, control cycles."""
    lines = ["# Attacks, and how they ended", "", "```", *summary(outcomes), "```"]
    for kind in Kind:
        mine = [outcome for outcome in outcomes if outcome.kind is kind]
        if not mine:
            continue
        lines += ["", f"## {kind.value.capitalize()}", ""]
        lines += ["| Attack | Answer | Entry | In | Cycles |", "|---|---|---|---|---|"]
        lines += [_row(outcome) for outcome in mine]
    return "\n".join(lines) + "\n"


def _row(outcome: Outcome) -> str:
    does = outcome.does if outcome.withstood else f"**{outcome.does}: {'; '.join(outcome.faults)}**"
    cycles = "-" if outcome.cycles is None else str(outcome.cycles)
    cells = (does, outcome.answer, outcome.entry, outcome.where or "-", cycles)
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    plain = "".join(char if char.isprintable() else " " for char in text)
    return plain.replace("|", "\\|").replace("<", "&lt;")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _CUT else f"{flat[: _CUT - 1]}…"

"""The programmes as a page of the documentation: `python -m programs.page > docs/programmes.md`.

A test holds the page and the registry together.
"""

import sys
from collections.abc import Iterable
from itertools import groupby
from typing import Final

from programs.about import About
from programs.registry import ALL, Manner, Programme

_HEARD: Final = (
    "Within one control cycle, a second, of hearing of it: at once where the utility can notify "
    "the home, else with the next poll."
)
_SEEN: Final = "Each control cycle, a second, on what the home measures or was told."
_MANNERS: Final = {
    Manner.ALWAYS: "part of every home",
    Manner.AGREED: "by the agreement with the utility, which says what binds",
    Manner.CHOSEN: "as the owner chooses",
}
_HEAD: Final = """\
# Programmes

Written by `python -m programs.page` from `programs/registry.py`; do not edit.

What a home can take part in, and what it does of itself. The page and `hems programme` list the \
same, each with how it stands in the home, and say before anybody leaves one what that means. \
Where two ask for different things, the stronger rank decides (`programs/proposal.py`), not the \
order here. What was delivered is kept for ten years and exported for settlement: `hems programme \
export`, `GET /api/settlement.csv`. A file holds the events that ended in its time, so that of two \
months that meet each event is in one.
"""


def promise(about: About) -> str:
    """Return how soon and how surely a use case acts, one sentence."""
    return about.promise or (_HEARD if about.carried_by else _SEEN)


def page(programmes: Iterable[Programme] = ALL) -> str:
    """Return the page as Markdown: a section a use case, the home's own last."""
    ordered = sorted(programmes, key=_order)
    parts = [_HEAD]
    for cases, group in groupby(ordered, lambda p: p.about.use_cases):
        parts.append(f"## {', '.join(cases) or 'The home itself'}\n")
        parts += [_section(programme) for programme in group]
    return "\n".join(parts)


def _order(programme: Programme) -> tuple[int, list[int]]:
    numbers = [int(case.rpartition("-")[2]) for case in programme.about.use_cases]
    return (0 if numbers else 1, numbers)


def _section(programme: Programme) -> str:
    about = programme.about
    rows = {
        "Set going by": about.triggered_by,
        "Asks": about.asks,
        "Ends": about.ends,
        "Carried by": ", ".join(about.carried_by),
        "Defined in": about.clause,
        "Latency class": about.latency.value,
        "Promise": promise(about),
        "Taking part": _manner(programme),
        "Leaving it": about.leaving,
    }
    lines = [f"### {about.title} (`{programme.id}`)", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {_cell(text)} |" for name, text in rows.items() if text]
    return "\n".join(lines) + "\n"


def _manner(programme: Programme) -> str:
    asked = "" if programme.joined else "; not before the owner joins"
    return _MANNERS[programme.manner] + asked


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.write(page())

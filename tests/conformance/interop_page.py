"""The committed page of clients against our head-end: docs/interop-headend.md."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.conformance import page
from tests.conformance.pairs import Pair
from tests.conformance.scenario import Profile
from tests.conformance.verdicts import Verdict

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "interop-headend.md"
TITLES: Final[Mapping[str, str]] = {
    "py20305": "The `py20305` client",
    "ours": "Our own client",
}
_HEAD: Final = (
    "# Clients against the head-end\n\n"
    "Written by a command for each client, which carries every scenario of"
    " [the list](conformance.md) out; do not edit.\n\n"
    "```\n"
    'make conformance ARGS="--server headend --client py20305 --page"\n'
    'make conformance ARGS="--server headend --page"\n'
    "```\n\n"
    "The server is `hems headend run` in a process of its own, over mutual TLS, SQLite beneath it."
    " What a scenario has the utility do is ordered at the operator's door, or set in its"
    " configuration and the worker started again. A scenario is **done** when all its checks held:"
    " the client's column says what its device was set to, the server's what the head-end had"
    " recorded of its responses, in order. What says *client*, *server* or *test* was not possible"
    " with that one, and why. **Differs** is what a client does in another way than the scenario"
    " asks, and where; such a scenario has to fail, else the page is out of date.\n"
)
"""What stands above the tables."""
_ROW: Final = re.compile(r"\| ([A-Z]+-[0-9A-Z-]+) (?:\|[^|]*){3,4}\|")
_WORDS: Final = {"pass": "done", "fail": "**fails**"}
_DIFFERS: Final = "differs: "
_INSTANT: Final = re.compile(r"\b1\d{9}\b")
"""Epoch s, which no two runs have in common."""


def write(pair: Pair, profile: Profile, verdicts: Sequence[Verdict], path: Path = PAGE) -> None:
    """Write what came of a client's scenarios; rows of those that were not played stay."""
    parts = {name: part(name, path) for name in TITLES}
    kept = rows(parts[pair.client]) | {each.scenario.id: row(each) for each in verdicts}
    parts[pair.client] = _part(pair.client, profile, kept)
    text = "\n".join([_HEAD, *(each for each in parts.values() if each)])
    path.write_text(text, encoding="utf-8")


def part(client: str, path: Path = PAGE) -> str:
    """Return a client's part of the page as it is; empty if there is none."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    _, mark, rest = text.partition(f"## {TITLES[client]}\n")
    return mark + rest.partition("\n## ")[0].rstrip("\n") + "\n" if mark else ""


def rows(text: str) -> dict[str, str]:
    """Return the rows of scenarios in a table by their ids."""
    found = (_ROW.fullmatch(line) for line in text.splitlines())
    return {match[1]: match[0] for match in found if match}


def _part(client: str, profile: Profile, known: Mapping[str, str]) -> str:
    """Return a client's part of the page, in the order of the list of scenarios."""
    order = [name for name in rows(page.PAGE.read_text(encoding="utf-8")) if name in known]
    counts = Counter(known[name].split(" | ")[2].strip("*") for name in order)
    told = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    lines = [
        f"## {TITLES[client]}",
        "",
        f"Profile {profile.value}: {len(order)} scenarios, {told}.",
        "",
        "| id | scenario | outcome | client | server |",
        "|---|---|---|---|---|",
        *(known[name] for name in order),
    ]
    return "\n".join(lines) + "\n"


def row(verdict: Verdict) -> str:
    """Return a scenario's row."""
    word, told = _outcome(verdict)
    reason = _INSTANT.sub("(an instant)", told.replace("|", "/"))
    cells = [reason, ""] if reason else [", ".join(verdict.client), "; ".join(verdict.server)]
    return f"| {verdict.scenario.id} | {verdict.scenario.title} | {word} | {' | '.join(cells)} |"


def _outcome(verdict: Verdict) -> tuple[str, str]:
    """Return how a scenario came out in a word, and the reason if it was not done."""
    if verdict.verdict != "open":
        return _WORDS[verdict.verdict], verdict.reason
    if verdict.reason.startswith(_DIFFERS):
        return "**differs**", verdict.reason.removeprefix(_DIFFERS)
    who, mark, why = verdict.reason.partition(": ")
    return (f"*{who}*", why) if mark else ("*test*", verdict.reason)

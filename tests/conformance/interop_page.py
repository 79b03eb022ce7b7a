"""The committed page of clients against our head-end: docs/interop-headend.md."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.conformance.pairs import Pair
from tests.conformance.scenario import Profile
from tests.conformance.verdicts import Verdict

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "interop-headend.md"
TITLES: Final[Mapping[str, str]] = {
    "py20305": "The `py20305` client",
    "ours": "Our own client",
}
_HEAD: Final = """\
# Clients against the head-end

Written by a command for each client, which carries every scenario of [the list](conformance.md) out; do not edit.

```
make conformance ARGS="--server headend --client py20305 --page"
make conformance ARGS="--server headend --page"
```

The server is `hems headend run` in a process of its own, over mutual TLS, SQLite beneath it. What a scenario has the utility do is ordered at the operator's door, or set in its configuration and the worker started again. A scenario is **done** when all its checks held: the client's column says what its device was set to, the server's what the head-end had recorded of its responses, in order. What says *client*, *server* or *test* was not possible with that one; **differs** is what a client does in another way than the scenario asks, with the place in it; such a scenario has to fail, else the page is out of date.
"""
"""What stands above the tables."""
_WORDS: Final = {"pass": "done", "fail": "**fails**"}
_DIFFERS: Final = "differs: "


def write(pair: Pair, profile: Profile, verdicts: Sequence[Verdict], page: Path = PAGE) -> None:
    """Write a client's part of the page; the other's stays."""
    parts = {name: part(name, page) for name in TITLES}
    parts[pair.client] = render(pair, profile, verdicts)
    text = "\n".join([_HEAD, *(each for each in parts.values() if each)])
    page.write_text(text, encoding="utf-8")


def part(client: str, page: Path = PAGE) -> str:
    """Return a client's part of the page as it is; empty if there is none."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    found = re.search(rf"^## {re.escape(TITLES[client])}\n.*?(?=^## |\Z)", text, re.M | re.S)
    return "" if found is None else found[0].rstrip("\n") + "\n"


def render(pair: Pair, profile: Profile, verdicts: Sequence[Verdict]) -> str:
    """Return a client's part of the page."""
    counts = Counter(_outcome(verdict)[0] for verdict in verdicts)
    told = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    lines = [
        f"## {TITLES[pair.client]}",
        "",
        f"Profile {profile.value}: {len(verdicts)} scenarios, {told}.",
        "",
        "| id | scenario | outcome | client | server |",
        "|---|---|---|---|---|",
        *(row(verdict) for verdict in verdicts),
    ]
    return "\n".join(lines) + "\n"


def row(verdict: Verdict) -> str:
    """Return a scenario's row."""
    word, told = _outcome(verdict)
    reason = told.replace("|", "/")
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

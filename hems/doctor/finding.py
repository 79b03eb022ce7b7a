"""One thing that was looked at: how it is, where, and what to do about it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum


class Level(IntEnum):
    """How grave it is; the numbers are the command's exit codes."""

    OK = 0
    ATTENTION = 1
    """It works, and will not for long, or not as well as it should."""
    TROUBLE = 2
    """Something does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found.

    Attributes:
        level: How grave it is.
        check: What was looked at: "disk", "time", ...
        what: How it is, in a sentence without its full stop.
        where: A file, an address, a device; empty where `check` says all.
        do: What to do about it; empty where there is nothing to do.
    """

    level: Level
    check: str
    what: str
    where: str = ""
    do: str = ""

    @property
    def line(self) -> str:
        """It all, on one line."""
        place = f"{self.where}: " if self.where else ""
        remedy = f" -> {self.do}" if self.do else ""
        return plain(f"{self.level.name.lower():<10} {self.check:<13} {place}{self.what}{remedy}")


def ok(check: str, what: str, where: str = "") -> Finding:
    """Return that something is as it should be."""
    return Finding(Level.OK, check, what, where)


def attention(check: str, what: str, where: str = "", do: str = "") -> Finding:
    """Return that something wants to be looked after."""
    return Finding(Level.ATTENTION, check, what, where, do)


def trouble(check: str, what: str, where: str = "", do: str = "") -> Finding:
    """Return that something does not work."""
    return Finding(Level.TROUBLE, check, what, where, do)


def worst(findings: Iterable[Finding]) -> Level:
    """Return how grave the gravest is."""
    return max((each.level for each in findings), default=Level.OK)


def as_json(findings: Sequence[Finding]) -> str:
    """Return all of them for programs: the worst level, and each finding."""
    told = [{**asdict(each), "level": each.level.name.lower()} for each in findings]
    return json.dumps({"level": worst(findings).name.lower(), "findings": told}, indent=2)


def plain(text: str) -> str:
    """Return a text that moves no cursor: names and errors come from peers and files."""
    return "".join(char if char.isprintable() else "?" for char in text)

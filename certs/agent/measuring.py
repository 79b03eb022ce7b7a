"""The installed software against its manifest, a little at a time.

The agent's own code and what it trusts come first; others' software follows, less often. Whatever
the manifest does not allow for is found within a minute.
"""

import json
import os
import time
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from certs.agent.aside import Aside
from certs.agent.opening import Opening
from certs.agent.tree import Listed, Scope, Tree, What, Wrong

OWN_EVERY_S: Final = 10.0
SITES_EVERY_S: Final = 45.0
CHECK_AGAIN_S: Final = 3_600.0
_FIRST: Final = "certs"
_MODULE: Final = "certs.agent.examine"

Mark = tuple[int, int, int] | None


class Examined:
    """What a manifest said.

    Attributes:
        verdict: Its first line, as `certs.agent.examine.Verdict` has it.
        own: Our packages.
        sites: Others' software.
    """

    def __init__(self, answer: BinaryIO, opening: Opening) -> None:
        """Read the answer.

        Raises:
            ValueError: It is none.
        """
        self.verdict: dict[str, Any] = json.loads(answer.readline())
        folders: dict[str, dict[str, tuple[int, bytes]]] = {}
        for line in answer:
            size, sha256, path = os.fsdecode(line.rstrip(b"\n")).split(" ", 2)
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, {})[name] = (int(size), bytes.fromhex(sha256))
        packages = sorted(self.verdict["packages"], key=lambda p: not p.endswith(f"/{_FIRST}"))
        own = {f: e for f, e in folders.items() if _within(f, packages)}
        others: dict[str, Listed] = {f: e for f, e in folders.items() if f not in own}
        ignored = frozenset(self.verdict["ignored"])
        compiled, closed = bool(self.verdict["compiled"]), bool(self.verdict["closed"])
        self.own = Tree(Scope(packages, own, ignored, compiled=compiled))
        self.sites = Tree(
            Scope(
                opening.sites if others else (),
                others,
                ignored | frozenset(packages),
                compiled=compiled,
                closed=closed,
            )
        )


class Measuring:
    """Measures.

    Args:
        opening: What.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._aside: Aside | None = None
        self._examined: Examined | None = None
        self._error = ""
        self._looked_at: tuple[Mark, Mark] | None = None
        self._asked_at = -CHECK_AGAIN_S
        self._sweeps: dict[Tree, Iterator[bool]] = {}
        self._due: dict[Tree, float] = {}

    @property
    def checked(self) -> bool:
        """Whether all of it was read at least once, or that there is nothing to go by."""
        found = self._examined
        return bool(self._error) or (
            found is not None and found.own.passes > 0 and found.sites.passes > 0
        )

    @property
    def error(self) -> str:
        """Why the manifest does not count; empty while it does, or nobody knows yet."""
        return self._error

    @property
    def verdict(self) -> dict[str, Any] | None:
        """What the manifest says of itself; None while nobody knows, or it does not count."""
        return None if self._examined is None or self._error else self._examined.verdict

    @property
    def wrong(self) -> list[Wrong]:
        """The files that are not as they should be."""
        found = self._examined
        if found is None or self._error:
            return []
        damaged = [Wrong(path, What.CHANGED) for path in found.verdict["damaged"]]
        return sorted({*damaged, *found.own.wrong, *found.sites.wrong})

    def again(self) -> None:
        """Have the manifest, and every file, read again."""
        self._asked_at = -CHECK_AGAIN_S
        if self._examined is not None:
            self._examined.own.forget()
            self._examined.sites.forget()
            self._due.clear()

    def step(self, now: float, budget_s: float) -> bool:
        """Measure for a while; returns whether there is more to do at once.

        Args:
            now: Monotonic seconds.
            budget_s: How long at most, but for a single folder.
        """
        self._examine(now)
        until = time.monotonic() + budget_s
        while time.monotonic() < until:
            if not self._one(now):
                return self._aside is not None
        return True

    def end(self) -> None:
        """Leave no process behind."""
        if self._aside is not None:
            self._aside.end()

    def _examine(self, now: float) -> None:
        if self._aside is not None:
            answer = self._aside.done(now)
            if answer is not None:
                self._aside = None
                with answer:
                    self._take(answer)
            return
        present = (_mark(self._opening.manifest), _mark(self._opening.crls))
        if present != self._looked_at or now - self._asked_at >= CHECK_AGAIN_S:
            self._looked_at, self._asked_at = present, now
            self._ask(now)

    def _ask(self, now: float) -> None:
        names = ("manifest", "roots", "crls", "root", "sites")
        question = {name: getattr(self._opening, name) for name in names}
        try:
            self._aside = Aside(_MODULE, (), json.dumps(question).encode(), now)
        except OSError as error:
            self._error = f"the manifest cannot be checked: {error.strerror}"

    def _take(self, answer: BinaryIO) -> None:
        try:
            examined = Examined(answer, self._opening)
        except (ValueError, KeyError, TypeError):
            self._error = "the manifest cannot be checked: what checks it has failed"
            return
        self._error = str(examined.verdict["error"])
        if self._error or self._same(examined):
            return
        self._examined = examined
        self._sweeps.clear()
        self._due.clear()

    def _same(self, examined: Examined) -> bool:
        """Return whether the manifest, and the records, are those that are known already."""
        return self._examined is not None and self._examined.verdict == examined.verdict

    def _one(self, now: float) -> bool:
        """Look at one folder; returns whether there was one to look at."""
        if self._examined is None or self._error:
            return False
        for tree, every_s in (
            (self._examined.own, OWN_EVERY_S),
            (self._examined.sites, SITES_EVERY_S),
        ):
            sweep = self._sweeps.get(tree)
            if sweep is None:
                if now < self._due.get(tree, now):
                    continue
                self._due[tree] = now + every_s
                sweep = self._sweeps[tree] = tree.sweep(now)
            if next(sweep, None) is None:
                del self._sweeps[tree]
                continue
            return True
        return False


def _within(folder: str, packages: list[str]) -> bool:
    return any(folder == package or folder.startswith(f"{package}/") for package in packages)


def _mark(path: str) -> Mark:
    try:
        of = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return (of.st_ino, of.st_size, of.st_mtime_ns)

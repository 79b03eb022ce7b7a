"""Which side of the hub's software runs, and when it gives way to the former one. Pure.

    settled --armed--> armed --started--> trial --proved-----------------> settled
                                            |----failed, or too many starts--> settled, on the
                                                                              former side

The record is all there is: the link that the service follows is made after it, at each start, so
that a power cut between the two is made good by the next start.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

PACKAGE: Final = "package"
"""The side that the machine's package manager looks after; no update writes to it."""
SIDES: Final = ("a", "b")
"""Those that updates are installed into, in turn."""
MOST_STARTS: Final = 3
"""A version that has not proved itself by then is not started again: two may be power cuts."""
ASKED: Final = "somebody asked for it"
"""Why a version was taken back with which nothing needs to be wrong."""
_MOST_BARRED: Final = 20


class Phase(StrEnum):
    """How far a change is."""

    SETTLED = "settled"
    """One version runs, for good."""
    ARMED = "armed"
    """The next start is the first of the new version."""
    TRIAL = "trial"
    """The new version runs, and must prove itself."""


class SwitchError(Exception):
    """What is asked makes no sense as things stand; `str()` says why."""


@dataclass(frozen=True, slots=True)
class State:
    """Which side runs, and what is to become of it.

    Attributes:
        phase: How far a change is.
        current: The side that runs.
        former: The side that the current one took the place of; empty for none.
        candidate: The side on which a verified new version waits; empty for none.
        versions: Which version each side holds, by side.
        migrates: Whether the candidate, or what is on trial, brings the store to another form.
        starts: How often the version on trial was started.
        trial: How many trials there have been; a verdict names its own.
        returned: The last trial that ended on the former side; 0 for none.
        why: Why that was.
        barred: Versions that have failed here; they are not tried again unless somebody asks.
    """

    phase: Phase = Phase.SETTLED
    current: str = PACKAGE
    former: str = ""
    candidate: str = ""
    versions: tuple[tuple[str, str], ...] = ()
    migrates: bool = False
    starts: int = 0
    trial: int = 0
    returned: int = 0
    why: str = ""
    barred: tuple[str, ...] = ()

    def version(self, side: str) -> str:
        """Return which version a side holds; empty where that is not known."""
        return dict(self.versions).get(side, "")

    @property
    def idle(self) -> str:
        """The side that an update may be installed into."""
        return next(each for each in SIDES if each not in {self.current, self._needed})

    @property
    def _needed(self) -> str:
        """The side that must stay as it is beside the current one; empty for none.

        Once a version has settled its predecessor may go: what comes next returns to the present.
        """
        return "" if self.phase is Phase.SETTLED else (self.former or self.candidate)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is found of a version on trial.

    Attributes:
        trial: Of which trial.
        good: Whether it has proved itself.
        why: What is wrong with it, one clause; empty where nothing is.
    """

    trial: int
    good: bool
    why: str = ""


def begun(state: State) -> State:
    """Return the state in which the idle side may be written to: nobody counts on it any more.

    Raises:
        SwitchError: A version is on trial, or about to be.
    """
    _settled(state)
    idle = state.idle
    former = "" if state.former == idle else state.former
    versions = tuple(pair for pair in state.versions if pair[0] != idle)
    return replace(state, candidate="", former=former, versions=versions, migrates=False)


def installed(state: State, version: str, *, migrates: bool) -> State:
    """Return the state after a verified version was installed into the idle side.

    Raises:
        SwitchError: A version is on trial, or about to be.
    """
    state = begun(state)
    side = state.idle
    return replace(
        state,
        candidate=side,
        versions=(*state.versions, (side, version)),
        migrates=migrates,
    )


def armed(state: State) -> State:
    """Return the state in which the next start is the first of the candidate.

    Raises:
        SwitchError: There is none, or it is on its way already.
    """
    _settled(state)
    if not state.candidate:
        raise SwitchError("no new version is installed")
    return replace(state, phase=Phase.ARMED)


def disarmed(state: State) -> State:
    """Return the state in which the candidate waits again."""
    return replace(state, phase=Phase.SETTLED) if state.phase is Phase.ARMED else state


def started(state: State, verdict: Verdict | None = None) -> State:
    """Return the state for a start of the hub.

    Args:
        state: Before.
        verdict: What was found meanwhile; one of another trial counts nothing.
    """
    match state.phase:
        case Phase.ARMED:
            return replace(
                state,
                phase=Phase.TRIAL,
                current=state.candidate,
                former=state.current,
                candidate="",
                starts=1,
                trial=state.trial + 1,
            )
        case Phase.TRIAL:
            after = judged(state, verdict)
            if after != state:
                return after
            if state.starts >= MOST_STARTS:
                return returned(state, f"it did not prove itself within {MOST_STARTS} starts")
            return replace(state, starts=state.starts + 1)
        case Phase.SETTLED:
            return state


def judged(state: State, verdict: Verdict | None) -> State:
    """Return the state after a verdict; the same where that says nothing of this trial."""
    if state.phase is not Phase.TRIAL or verdict is None or verdict.trial != state.trial:
        return state
    if not verdict.good:
        return returned(state, verdict.why or "it did not prove itself")
    # A former version that cannot read the store any more is none to go back to.
    former = "" if state.migrates else state.former
    return replace(
        state, phase=Phase.SETTLED, former=former, migrates=False, starts=0, returned=0, why=""
    )


def returned(state: State, why: str) -> State:
    """Return the state in which the former side runs again.

    Raises:
        SwitchError: There is none, or none that could read the store.
    """
    if state.phase is Phase.ARMED:
        raise SwitchError("a new version is about to be tried: cancel that first")
    if not state.former:
        raise SwitchError("there is no former version to go back to that can read the store")
    failed = state.version(state.current)
    barred = (*(each for each in state.barred if each != failed), failed)[-_MOST_BARRED:]
    return replace(
        state,
        phase=Phase.SETTLED,
        current=state.former,
        former="",
        candidate="",
        migrates=False,
        starts=0,
        returned=state.trial,
        why=why,
        barred=barred,
    )


def packaged(state: State, version: str) -> State:
    """Return the state at a start, where the package manager may have brought another version.

    A package that is newer than what runs takes its place at once: that was somebody's own doing.

    Args:
        state: Before.
        version: Of the package.
    """
    if version == state.version(PACKAGE):
        return state
    running = state.version(state.current)
    if state.current == PACKAGE or newer(version, running):
        # Whatever waits, or could be gone back to, was meant for what ran before.
        return State(versions=((PACKAGE, version),), trial=state.trial, barred=state.barred)
    others = tuple(pair for pair in state.versions if pair[0] != PACKAGE)
    return replace(state, versions=((PACKAGE, version), *others))


def newer(one: str, other: str) -> bool:
    """Return whether a version is certainly newer; only numbers between dots are compared."""
    numbers = [[int(part) for part in each.split(".") if part.isdecimal()] for each in (one, other)]
    plain = all(part.isdecimal() for each in (one, other) for part in each.split("."))
    return plain and numbers[0] > numbers[1]


def _settled(state: State) -> None:
    if state.phase is not Phase.SETTLED:
        raise SwitchError(f"a new version is {state.phase} already")

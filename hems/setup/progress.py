"""How far a home is set up; pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from der.sentence import say


class Step(StrEnum):
    """A step of the guided path, in its order."""

    LANGUAGE = "language"
    ACCOUNT = "account"
    HOME = "home"
    TARIFF = "tariff"
    DEVICES = "devices"
    UTILITY = "utility"
    DONE = "done"


class State(StrEnum):
    """How a step stands."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


MISSING: Final = {
    Step.ACCOUNT: say("Nobody has an account yet: whoever is on this machine is the owner."),
    Step.HOME: say("The home has no name, place or main breaker of its own yet."),
    Step.TARIFF: say("What energy costs is not known: the home only uses its own sun first."),
    Step.DEVICES: say("No device is known yet."),
    Step.UTILITY: say("The home is not enrolled with a utility."),
}
"""What is said of a step that is not done."""
_SKIPPABLE: Final = frozenset({Step.ACCOUNT, Step.TARIFF, Step.DEVICES, Step.UTILITY})


@dataclass(frozen=True, slots=True)
class Kept:
    """What is remembered of the path.

    Attributes:
        passed: Steps that were gone through and leave nothing else behind.
        skipped: Steps that somebody has put off.
        finished: Whether its end was reached.
    """

    passed: frozenset[Step] = frozenset()
    skipped: frozenset[Step] = frozenset()
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """How the home stands.

    Attributes:
        by_hand: Whether a person has written a configuration.
        account: Whether somebody has an account.
        home: Whether something was said of the home itself.
        tariff: Whether a tariff is known.
        devices: How many devices there are.
        utility: Whether a utility is configured.
    """

    by_hand: bool
    account: bool
    home: bool
    tariff: bool
    devices: int
    utility: bool


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as shown.

    Attributes:
        id: Which.
        state: How it stands.
        optional: Whether it can be put off.
        missing: What is missing, one sentence; empty where nothing is.
    """

    id: Step
    state: State
    optional: bool
    missing: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a home is set up.

    Attributes:
        finished: Whether the path is over; a home that a person configured never had one.
        steps: All steps in order.
        next: The first that is open.
    """

    finished: bool
    steps: Sequence[StepView]
    next: Step


def progress(facts: Facts, kept: Kept) -> Progress:
    """Return how far a home is set up."""
    finished = kept.finished or facts.by_hand
    done: Collection[Step] = {
        step
        for step, there in (
            (Step.LANGUAGE, Step.LANGUAGE in kept.passed or finished),
            (Step.ACCOUNT, facts.account),
            (Step.HOME, facts.home),
            (Step.TARIFF, facts.tariff),
            (Step.DEVICES, facts.devices > 0),
            (Step.UTILITY, facts.utility),
            (Step.DONE, finished),
        )
        if there
    }
    steps = tuple(_view(step, done, kept) for step in Step)
    following = next((view.id for view in steps if view.state is State.OPEN), Step.DONE)
    return Progress(finished, steps, following)


def with_step(kept: Kept, step: Step, state: State) -> Kept:
    """Return what is remembered once a step was passed, put off or taken up again.

    Raises:
        ValueError: The step cannot be put off.
    """
    if state is State.SKIPPED and step not in _SKIPPABLE:
        raise ValueError(step)
    passed, skipped = kept.passed - {step}, kept.skipped - {step}
    return Kept(
        passed | {step} if state is State.DONE else passed,
        skipped | {step} if state is State.SKIPPED else skipped,
        kept.finished or (step is Step.DONE and state is State.DONE),
    )


def _view(step: Step, done: Collection[Step], kept: Kept) -> StepView:
    state = State.OPEN
    if step in done:
        state = State.DONE
    elif step in kept.skipped:
        state = State.SKIPPED
    missing = "" if state is State.DONE else MISSING.get(step, "")
    return StepView(step, state, step in _SKIPPABLE, missing)

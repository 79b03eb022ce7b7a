"""The rule of the sides: rows, and any order of what can happen beside a slow oracle."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hems.software.switch import (
    MOST_STARTS,
    PACKAGE,
    Phase,
    State,
    SwitchError,
    Verdict,
    armed,
    begun,
    disarmed,
    installed,
    judged,
    newer,
    packaged,
    returned,
    started,
)
from tests.examples import examples

FIRST = packaged(State(), "0.1.0")


def _on_trial(*, migrates: bool = False) -> State:
    return started(armed(installed(FIRST, "0.2.0", migrates=migrates)))


@pytest.mark.requirement("LC-PATCH")
def test_a_version_that_proves_itself_stays() -> None:
    trial = _on_trial()
    assert (trial.phase, trial.current, trial.former) == (Phase.TRIAL, "a", PACKAGE)
    kept = started(trial, Verdict(1, good=True))
    assert (kept.phase, kept.current, kept.former) == (Phase.SETTLED, "a", PACKAGE)
    assert started(kept) == kept
    assert kept.idle == "b"
    assert returned(kept, "the owner wants it").current == PACKAGE


@pytest.mark.requirement("LC-PATCH")
def test_a_version_that_does_not_gives_way() -> None:
    state = _on_trial()
    for start in range(2, MOST_STARTS + 1):
        state = started(state)
        assert (state.phase, state.starts) == (Phase.TRIAL, start)
    state = started(state, Verdict(0, good=True))  # of another trial
    assert (state.phase, state.current, state.returned) == (Phase.SETTLED, PACKAGE, 1)
    assert "3 starts" in state.why
    assert state.barred == ("0.2.0",)


def test_a_bad_verdict_ends_the_trial_at_once() -> None:
    after = judged(_on_trial(), Verdict(1, good=False, why="two devices are gone"))
    assert (after.current, after.why) == (PACKAGE, "two devices are gone")


@pytest.mark.parametrize(
    ("state", "act", "why"),
    [
        (FIRST, armed, "no new version"),
        (_on_trial(), begun, "trial already"),
        (_on_trial(), armed, "trial already"),
        (armed(installed(FIRST, "2", migrates=False)), armed, "armed already"),
        (FIRST, lambda state: returned(state, "x"), "no former version"),
        (armed(installed(FIRST, "2", migrates=False)), lambda s: returned(s, "x"), "cancel that"),
        # The former version cannot read what the new one has made of the store.
        (
            judged(_on_trial(migrates=True), Verdict(1, good=True)),
            lambda state: returned(state, "x"),
            "no former version to go back to that can read the store",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(state: State, act: object, why: str) -> None:
    with pytest.raises(SwitchError, match=why):
        act(state)  # type: ignore[operator]  # rows of functions of one kind


def test_what_is_armed_can_be_cancelled() -> None:
    waiting = installed(FIRST, "0.2.0", migrates=True)
    assert disarmed(armed(waiting)) == waiting
    assert disarmed(FIRST) == FIRST


@pytest.mark.parametrize(
    ("package", "runs"),
    [("0.1.1", "a"), ("0.2.0", "a"), ("0.3.0", PACKAGE), ("0.10.0", PACKAGE), ("0.3.dev1", "a")],
)
def test_a_newer_package_takes_the_place_of_an_update(package: str, runs: str) -> None:
    updated = judged(_on_trial(), Verdict(1, good=True))
    after = packaged(updated, package)
    assert after.current == runs
    assert after.version(PACKAGE) == package
    assert packaged(after, package) == after


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [("0.10.0", "0.9.9", True), ("1", "1", False), ("1.0", "1.1", False), ("2rc1", "1", False)],
)
def test_newer(one: str, other: str, said: bool) -> None:
    assert newer(one, other) is said


class Machine(RuleBasedStateMachine):
    """A slow oracle knows what each side holds, and which of them can read the store."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.number = FIRST, 1
        self.holds = {PACKAGE: 1}
        self.reads = {PACKAGE: 0}
        self.form = 0
        """Of the store as it was before the trial, if there is one; else as it is."""

    def ask(self, act: Callable[[State], State]) -> None:
        """Do something; what is refused changes nothing."""
        before = self.state
        try:
            self.state = act(before)
        except SwitchError:
            return
        if before.phase is Phase.TRIAL and self.state.phase is Phase.SETTLED:
            self.form = self.reads[self.state.current]

    @rule(migrates=st.booleans())
    def install(self, migrates: bool) -> None:
        self.ask(lambda state: installed(state, f"0.{self.number + 1}.0", migrates=migrates))
        if self.state.candidate and self.state.version(self.state.candidate) not in {
            f"0.{number}.0" for number in self.holds.values()
        }:
            self.number += 1
            self.holds[self.state.candidate] = self.number
            self.reads[self.state.candidate] = self.form + migrates

    @rule()
    def arm(self) -> None:
        self.ask(armed)

    @rule()
    def cancel(self) -> None:
        self.ask(disarmed)

    @rule(said=st.sampled_from([None, 0, 1]), good=st.booleans())
    def start(self, said: int | None, good: bool) -> None:
        found = None if said is None else Verdict(self.state.trial - said, good=good)
        self.ask(lambda state: started(state, found))

    @rule()
    def back(self) -> None:
        self.ask(lambda state: returned(state, "asked"))

    @rule()
    def package(self) -> None:
        self.number += 1
        self.form = self.reads[self.state.current]
        self.state = packaged(self.state, f"0.{self.number}.0")
        self.holds[PACKAGE] = self.number
        self.reads[PACKAGE] = self.form
        assert self.state.current == PACKAGE
        assert self.state.phase is Phase.SETTLED

    @invariant()
    def every_side_that_counts_is_there(self) -> None:
        state = self.state
        for side in filter(None, (state.current, state.former, state.candidate)):
            assert state.version(side) == f"0.{self.holds[side]}.0"
        assert len({state.current, state.former, state.candidate} - {""}) == 1 + bool(
            state.former
        ) + bool(state.candidate)

    @invariant()
    def the_way_back_can_read_the_store(self) -> None:
        state = self.state
        if state.phase is not Phase.TRIAL:
            assert self.reads[state.current] == self.form
        else:
            assert state.former
            assert 1 <= state.starts <= MOST_STARTS
            assert state.migrates == (self.reads[state.current] != self.form), "it is kept"
        if state.former:
            assert self.reads[state.former] == self.form

    @invariant()
    def the_idle_side_is_not_in_use(self) -> None:
        if self.state.phase is Phase.SETTLED:
            assert self.state.idle != self.state.current


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=examples(60), stateful_step_count=30, deadline=None)


@given(st.integers(1, 20))
def test_no_trial_lasts_for_ever(starts: int) -> None:
    state = _on_trial()
    for _ in range(starts):
        state = started(state)
    assert (state.phase is Phase.TRIAL) == (starts < MOST_STARTS)
    assert replace(state, starts=0).current == ("a" if starts < MOST_STARTS else PACKAGE)

"""How far a home is set up, by what is known of it and what was put off."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.setup.progress import Facts, Kept, State, Step, progress, with_step

NEW = Facts(by_hand=False, account=False, home=False, tariff=False, devices=0, utility=False)


def states(facts: Facts, kept: Kept) -> dict[Step, State]:
    return {view.id: view.state for view in progress(facts, kept).steps}


def test_a_new_hub_begins_at_the_language() -> None:
    found = progress(NEW, Kept())
    assert (found.finished, found.next) == (False, Step.LANGUAGE)
    assert {view.id for view in found.steps if view.missing} == set(Step) - {
        Step.LANGUAGE,
        Step.DONE,
    }


def test_a_home_that_a_person_configured_has_no_path() -> None:
    found = progress(replace(NEW, by_hand=True, home=True, devices=6, tariff=True), Kept())
    assert found.finished
    assert {view.id for view in found.steps if view.missing} == {Step.ACCOUNT, Step.UTILITY}


@given(st.lists(st.tuples(st.sampled_from(Step), st.sampled_from(State))), st.booleans())
def test_what_was_put_off_is_never_in_the_way_and_never_forgotten(
    moves: list[tuple[Step, State]], account: bool
) -> None:
    facts, kept = replace(NEW, account=account), Kept()
    for step, state in moves:
        try:
            kept = with_step(kept, step, state)
        except ValueError:
            assert state is State.SKIPPED
            assert not next(v for v in progress(NEW, Kept()).steps if v.id is step).optional
    found = progress(facts, kept)
    order = list(Step)
    opened = [view.id for view in found.steps if view.state is State.OPEN]
    assert found.next is (opened[0] if opened else Step.DONE)
    assert order.index(found.next) == min([order.index(s) for s in opened], default=len(order) - 1)
    for view in found.steps:
        if view.state is State.SKIPPED:
            assert view.missing, "it is still missing"
    assert found.finished is kept.finished


def test_a_step_that_is_done_elsewhere_counts() -> None:
    kept = with_step(Kept(), Step.DEVICES, State.SKIPPED)
    assert states(replace(NEW, devices=1), kept)[Step.DEVICES] is State.DONE
    assert states(NEW, kept)[Step.DEVICES] is State.SKIPPED


@pytest.mark.parametrize("step", [Step.LANGUAGE, Step.HOME, Step.DONE])
def test_some_steps_cannot_be_put_off(step: Step) -> None:
    with pytest.raises(ValueError, match=step):
        with_step(Kept(), step, State.SKIPPED)

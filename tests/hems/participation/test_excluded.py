"""A hub that cannot be relied on takes part in no programme that may be left."""

from dataclasses import replace

import pytest

from hems.participation.consent import text_version
from hems.programme_surface import Decision, ProgrammeView
from programs.registry import ALL, BY_ID, Manner, Policies
from tests.hems.participation.play import EVENT, Play, T, signal_of

pytestmark = [pytest.mark.requirement("L1-TAMPER")]

PEAK = "peak-shaving"
WHY = "This hub's software is not what Example Energy signed: a.py was changed."


async def listed(play: Play, programme: str) -> ProgrammeView:
    return next(view for view in await play.part.programmes() if view.id == programme)


def decision(*, joined: bool) -> Decision:
    return Decision(joined, "Ada", text_version(BY_ID[PEAK]), None)


async def test_events_are_left_and_come_back_to(play: Play) -> None:
    play.clock.at = T
    play.part.exclude(WHY)
    assert play.reacted == 1
    play.events, play.signals = [EVENT], [signal_of(EVENT)]
    assert play.part.told(play.signals) == [], "not even its first moment is obeyed"
    play.live(0, 3, 4000.0)
    await play.work_done()
    assert play.chosen == [("0A", True)]
    play.events = [replace(EVENT, opted_out=True)]
    play.part.exclude("")
    play.live(3, 6, 4000.0)
    await play.work_done()
    assert play.chosen == [("0A", True), ("0A", False)]
    assert play.part.told(play.signals) == play.signals


async def test_what_binds_and_what_keeps_the_home_safe_goes_on(play: Play) -> None:
    play.clock.at = T
    play.part.exclude(WHY)
    binding = replace(EVENT, binding=True)
    play.events, play.signals = [binding], [signal_of(binding)]
    assert play.part.told(play.signals) == play.signals
    play.live(0, 3, 4000.0)
    await play.work_done()
    assert play.chosen == []
    left = play.part.applied(Policies()).left
    assert not left & {p.id for p in ALL if p.manner is Manner.ALWAYS}
    assert not left & {"self-consumption", "economy"}, "what the home does for itself"
    assert {PEAK, "reserve", "regulation"} <= left


async def test_what_the_agreement_binds_the_home_to_goes_on(play: Play) -> None:
    play.bound = "By the agreement its events bind."
    play.part.exclude(WHY)
    assert play.part.takes_part(PEAK)
    assert PEAK not in play.part.left


async def test_the_owner_reads_why(play: Play) -> None:
    assert (await listed(play, PEAK)).missing == ""
    play.part.exclude(WHY)
    found = await listed(play, PEAK)
    assert (found.joined, found.missing) == (False, WHY)
    play.part.exclude("")
    found = await listed(play, PEAK)
    assert (found.joined, found.missing) == (True, "")


async def test_what_the_owner_left_stays_left_afterwards(play: Play) -> None:
    play.clock.at = T
    play.part.exclude(WHY)
    await play.part.decide(PEAK, decision(joined=False))
    play.part.exclude("")
    assert not play.part.takes_part(PEAK)


async def test_joining_does_not_undo_it(play: Play) -> None:
    play.clock.at = T
    await play.part.decide(PEAK, decision(joined=False))
    play.part.exclude(WHY)
    await play.part.decide(PEAK, decision(joined=True))
    assert not play.part.takes_part(PEAK)
    play.part.exclude("")
    assert play.part.takes_part(PEAK)


async def test_the_same_reason_twice_is_no_news(play: Play) -> None:
    play.part.exclude(WHY)
    play.part.exclude(WHY)
    assert play.reacted == 1

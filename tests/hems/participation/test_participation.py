"""Joining and leaving: consent, what it means for events, what cannot be left, restarts."""

import math
from dataclasses import replace

import pytest

from hems.participation.consent import Consent, takes_part, text_version
from hems.participation.consequence import Pay
from hems.participation.participation import Terms
from hems.programme_surface import (
    CannotLeaveError,
    ConsentError,
    Decision,
    UnknownProgrammeError,
)
from hems.store.errors import StoreFullError
from hems.surface import SurfaceError
from programs.registry import ALL, BY_ID, Manner, Policies
from programs.signal import SignalKind
from tests.hems.participation.play import EVENT, Play, T, signal_of

pytestmark = pytest.mark.requirement("L1-OWNER")

PEAK = "peak-shaving"


def decision(programme: str, *, joined: bool, until: float | None = None) -> Decision:
    return Decision(joined, "Ada", text_version(BY_ID[programme]), until)


async def leave(play: Play, programme: str = PEAK, until: float | None = None) -> None:
    await play.part.decide(programme, decision(programme, joined=False, until=until))


async def test_by_default_the_home_takes_part_as_the_registry_says(play: Play) -> None:
    found = {view.id: view for view in await play.part.programmes()}
    assert list(found) == [programme.id for programme in ALL]
    assert {p for p, view in found.items() if not view.joined} == {
        programme.id for programme in ALL if not programme.joined
    }
    assert found[PEAK].decided_by == ""
    assert found["economy"].standing.words == "It follows the plan."


async def test_what_was_left_asks_nothing_and_its_events_are_left(play: Play) -> None:
    play.clock.at = T
    await leave(play)
    assert play.reacted == 1
    assert PEAK in play.part.applied(Policies()).left
    play.events, play.signals = [EVENT], [signal_of(EVENT)]
    assert play.part.told(play.signals) == []
    play.live(0, 3, 4000.0)
    await play.work_done()
    assert play.chosen == [("0A", True)]
    assert play.part.told(None) is None


async def test_what_binds_goes_on(play: Play) -> None:
    play.clock.at = T
    await leave(play)
    bound = replace(EVENT, binding=True)
    play.events, play.signals = [bound], [signal_of(bound)]
    play.live(0, 3, 4000.0)
    assert play.work == []
    assert play.part.told(play.signals) == play.signals


async def test_an_event_for_two_programmes_is_left_with_both_only(play: Play) -> None:
    play.clock.at = T
    both = ((SignalKind.IMPORT_LIMIT, 1500.0), (SignalKind.EXPORT_LIMIT, 0.0))
    play.events = [replace(EVENT, asks=both)]
    await leave(play)
    play.live(0, 1, 4000.0)
    assert play.work == []
    await leave(play, "envelope")
    play.live(2, 3, 4000.0)
    await play.work_done()
    assert play.chosen == [("0A", True)]


async def test_an_owner_who_comes_back_to_one_event_stays_in_it(play: Play) -> None:
    play.clock.at = T
    await leave(play)
    play.events, play.signals = [EVENT], [signal_of(EVENT)]
    play.live(0, 1, 4000.0)
    await play.work_done()
    await play.anew().load()  # not even a restart leaves it again
    play.live(2, 5, 4000.0)
    assert play.work == []
    assert play.part.told(play.signals) == play.signals


async def test_joining_again_comes_back_to_what_was_left_with_it(play: Play) -> None:
    play.clock.at = T
    await leave(play)
    play.events = [EVENT, replace(EVENT, event="0B", opted_out=True)]
    play.live(0, 1, 4000.0)
    await play.work_done()
    play.events = [replace(each, opted_out=True) for each in play.events]
    await play.part.decide(PEAK, decision(PEAK, joined=True))
    assert play.chosen == [("0A", True), ("0A", False)]  # 0B the owner left by hand
    assert play.part.takes_part(PEAK)


async def test_consent_is_kept_with_what_was_shown(play: Play) -> None:
    play.clock.at = T
    await leave(play, until=T + 3600.0)
    await play.anew().load()
    view = next(v for v in await play.part.programmes() if v.id == PEAK)
    assert (view.joined, view.decided_by, view.decided_at) == (False, "Ada", T)
    assert (view.until, view.version) == (T + 3600.0, text_version(BY_ID[PEAK]))
    kept = (await play.store.settings.all())["consents peak-shaving"]
    assert view.version in kept
    play.clock.at = T + 3600.0
    assert play.part.takes_part(PEAK)


async def test_what_is_no_choice_cannot_be_left(play: Play) -> None:
    with pytest.raises(CannotLeaveError, match="main breaker"):
        await leave(play, "main-breaker")
    play.bound = "By the agreement with utility its events bind."
    with pytest.raises(CannotLeaveError, match="agreement"):
        await leave(play)
    await leave(play, "economy")  # the owner's own
    views = {view.id: view for view in await play.part.programmes()}
    assert views[PEAK].bound == play.bound
    assert views[PEAK].consequence == ()
    assert not views["economy"].joined


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Decision(joined=False, by="Ada", version="another"), "has changed"),
        (replace(decision(PEAK, joined=False), by="  "), "name"),
        (decision(PEAK, joined=False, until=T - 1.0), "over"),
        (decision(PEAK, joined=False, until=float("inf")), "over"),
        (decision(PEAK, joined=False, until=float("nan")), "over"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(
    play: Play, said: Decision, why: str
) -> None:
    play.clock.at = T
    with pytest.raises(ConsentError, match=why):
        await play.part.decide(PEAK, said)
    assert play.part.takes_part(PEAK)
    assert "consents peak-shaving" not in await play.store.settings.all()


async def test_an_unknown_programme_is_named(play: Play) -> None:
    with pytest.raises(UnknownProgrammeError, match="'warp'"):
        await play.part.decide("warp", decision(PEAK, joined=False))
    with pytest.raises(UnknownProgrammeError):
        await play.part.records(0.0, 1.0, "warp")


async def test_what_cannot_be_kept_is_not_decided(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_name: str, _value: str) -> None:
        raise StoreFullError("the disk is full")

    monkeypatch.setattr(play.store.settings, "put", full)
    with pytest.raises(SurfaceError, match="disk is full"):
        await leave(play)
    assert play.part.takes_part(PEAK)


async def test_a_damaged_consent_is_no_consent(play: Play) -> None:
    await play.store.settings.put("consents peak-shaving", "[{]")
    await play.store.settings.put("events left", "7")
    await play.anew().load()
    assert play.part.takes_part(PEAK)


def test_the_owner_comes_before_the_configuration() -> None:
    own = BY_ID["economy"]
    joined, left = (Consent(j, "Ada", T, None, "") for j in (True, False))
    assert not takes_part(own, (), configured=False, now=T)
    assert takes_part(own, (joined,), configured=False, now=T)
    assert not takes_part(own, (joined, left), configured=None, now=T)
    assert takes_part(BY_ID["main-breaker"], (left,), configured=False, now=T)


def test_each_text_has_a_version_of_its_own() -> None:
    versions = {text_version(programme) for programme in ALL}
    assert len(versions) == len(ALL)
    one = BY_ID[PEAK]
    other = replace(one, about=replace(one.about, leaving="Nothing happens."))
    assert text_version(one) != text_version(other)
    assert text_version(one) != text_version(replace(one, manner=Manner.CHOSEN))
    assert text_version(one) != text_version(replace(one, about=replace(one.about, promise="No.")))


async def test_leaving_is_told_beforehand(play: Play) -> None:
    play.terms = Terms(pay={"emergency": Pay(0.4, "EUR")})
    play.anew()
    shed = replace(EVENT, asks=((SignalKind.SHED, 3000.0),))
    play.live(-100, -1, 5000.0)
    play.events, play.signals = [shed], [signal_of(shed, 5000.0)]
    play.live(0, 300, 2000.0)
    assert play.part.consequences["0A"] == (
        "Leaving it now, it is answered as partly completed (code 8), with 250 Wh of 500 Wh "
        "delivered: 0.10 EUR earned, 0.10 EUR given up."
    )
    play.live(301, 601, 2000.0)
    play.events, play.signals = [replace(shed, state="completed")], []
    play.live(602, 603, 2000.0)
    assert "0A" not in play.part.consequences
    await play.part._keeper.flush()
    view = next(v for v in await play.part.programmes() if v.id == "emergency")
    assert view.consequence == (
        BY_ID["emergency"].about.leaving,
        "It had one event in the last 30 days and delivered 500 Wh, for 0.20 EUR.",
    )


async def test_a_coming_event_and_a_binding_one(play: Play) -> None:
    play.clock.at = T - 60.0
    play.events = [replace(EVENT, state="coming")]
    assert "opt-out (code 4)" in play.part.consequences["0A"]
    play.events = [replace(EVENT, binding=True)]
    assert play.part.consequences["0A"] == (
        "It cannot be left: by the agreement the events of Peak Saver bind."
    )


async def test_standing_follows_the_event(play: Play) -> None:
    play.events, play.signals = [EVENT], [signal_of(EVENT)]
    play.live(0, 1, 4000.0)
    stands = {s.programme: s for s in play.part.standings}
    assert stands[PEAK].active
    assert stands[PEAK].words == "Peak Saver asks for it now."
    assert not stands["envelope"].active


async def test_when_the_time_of_leaving_is_over_its_events_are_come_back_to(play: Play) -> None:
    play.clock.at = T
    await leave(play, until=T + 10.0)
    play.events = [EVENT, replace(EVENT, event="0B", opted_out=True)]
    play.live(0, 1, 4000.0)
    await play.work_done()
    play.events = [replace(each, opted_out=True) for each in play.events]
    play.live(2, 9, 4000.0)
    assert play.work == []
    play.live(10, 13, 4000.0)
    await play.work_done()
    assert play.chosen == [("0A", True), ("0A", False)]


async def test_joining_while_an_event_is_on_its_way_out_comes_back_to_it(play: Play) -> None:
    play.clock.at = T
    await leave(play)
    play.events = [EVENT]
    play.live(0, 0, 4000.0)
    await play.part.decide(PEAK, decision(PEAK, joined=True))
    await play.work_done()
    play.events = [replace(EVENT, opted_out=True)]
    play.live(1, 3, 4000.0)
    await play.work_done()
    assert play.chosen == [("0A", True), ("0A", False)]


async def test_what_is_asked_without_an_event_stays_and_that_is_told_beforehand(
    play: Play,
) -> None:
    play.clock.at = T
    default = replace(signal_of(EVENT), event="DD", program="Feeder", ends_at=math.inf)
    play.signals = [default]
    views = {view.id: view for view in await play.part.programmes()}
    assert "What Feeder asks while there is no event stays." in views[PEAK].consequence
    assert len(views["envelope"].consequence) == 1
    await leave(play)
    assert play.part.told([default]) == [default]

"""Taking part where the home is obliged to, or has nothing to take part with."""

import pytest

from hems.participation.consent import text_version
from hems.participation.participation import Terms
from hems.programme_surface import CannotLeaveError, ConsentError, Decision, ProgrammeView
from programs.registry import BY_ID
from tests.hems.participation.play import Play


async def listed(play: Play, programme: str) -> ProgrammeView:
    return next(view for view in await play.part.programmes() if view.id == programme)


@pytest.mark.requirement("BUC-6")
async def test_who_is_obliged_takes_part_whatever_was_decided_before(play: Play) -> None:
    economic = BY_ID["economic"]
    version = text_version(economic)
    await play.part.decide("economic", Decision(joined=True, by="Ada", version=version))
    await play.part.decide("economic", Decision(joined=False, by="Ada", version=version))
    play.terms = Terms(obliged=frozenset({"economic"}))
    play.bound = "The home is obliged."
    await play.anew().load()
    assert play.part.takes_part("economic")
    with pytest.raises(CannotLeaveError, match="obliged"):
        await play.part.decide("economic", Decision(joined=False, by="Ada", version=version))
    assert not (await listed(play, "economy")).bound  # of others the owner decides


@pytest.mark.requirement("L1-OWNER")
async def test_what_the_home_has_nothing_for_is_not_joined_and_cannot_be(play: Play) -> None:
    why = "No reserve is agreed for this home."
    play.terms = Terms(missing={"reserve": why, "microgrid": "No switch."})
    await play.anew().load()
    found = await listed(play, "reserve")
    assert (found.joined, found.missing, found.consequence) == (False, why, ())
    assert not (await listed(play, "microgrid")).joined
    decision = Decision(joined=True, by="Ada", version=text_version(BY_ID["reserve"]))
    with pytest.raises(ConsentError, match=why):
        await play.part.decide("reserve", decision)

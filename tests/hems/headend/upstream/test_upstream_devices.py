"""A utility that lists an aggregator's homes one by one, behind its one certificate."""

import time
from collections.abc import AsyncIterator, Sequence

import pytest

from certs.identity import sfdi
from certs.pki import Pki
from certs.tls import server_context
from tests.hems.headend.ours import until
from tests.hems.headend.upstream.conftest import NAMES, Run
from tests.hems.headend.upstream.houses import House, Street, lfdi_of
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.fleet import Fleet
from tests.hems.sep2.utility import PIN, serving

pytestmark = pytest.mark.requirement("PRO-2030.5")


@pytest.fixture
async def fleet(pki: Pki) -> AsyncIterator[Fleet]:
    """A utility that lists the aggregator and two of its three homes."""
    own = lfdi_of(pki, "aggregator")
    made = Fleet(own, sfdi(own))
    for name in NAMES[:2]:
        made.enrol(lfdi_of(pki, name))
    async with serving(made, server_context(pki.identity("utility"), pki.trust)):
        yield made


def listed(houses: Sequence[House]) -> dict[str, object]:
    pin = f"{PIN:06d}"
    return {"pin": pin, "devices": [{"lfdi": house.lfdi, "pin": pin} for house in houses]}


def now() -> int:
    return int(time.time())


async def test_homes_that_it_lists_answer_by_themselves_each_once(
    run: Run, pki: Pki, fleet: Fleet, houses: Sequence[House]
) -> None:
    own, (a, b, c) = lfdi_of(pki, "aggregator"), houses
    fleet.append("/derp/1/derc", control("E1", now(), 600, limit_w=3000))
    url = fleet.base + "/dcap"
    async with run(url=url, **listed(houses[:2])):
        await until(lambda: [house.limit_w for house in houses] == [1000, 1000, 1000])
        first = {(lfdi, code) for lfdi in (own, a.lfdi, b.lfdi) for code in (1, 2)}
        await until(lambda: {(t[0], t[2]) for t in fleet.told} == first)
        await b.leave()
        await until(lambda: (b.lfdi, 4) in {(t[0], t[2]) for t in fleet.told})
        # What it may use without a limit, the others have to do without.
        await until(lambda: [a.limit_w, c.limit_w] == [500, 500])
    async with run(url=url, **listed(houses[:2])):  # again, on the same database
        await until(lambda: fleet.asked.count("GET /derp/1/derc") > 3)
        await b.client.engine.opt_in(b.events[-1])
        await until(lambda: (b.lfdi, 5) in {(t[0], t[2]) for t in fleet.told})
    told = [(t[0], t[1], t[2]) for t in fleet.told]
    assert len(told) == len(set(told))
    assert {t[0] for t in told} == {own, a.lfdi, b.lfdi}, "the third is none of the utility's"


async def test_an_event_for_one_home_goes_to_that_home_as_it_stands(
    run: Run, fleet: Fleet, houses: Sequence[House], street: Street
) -> None:
    one = houses[1]
    own_list = fleet.programmes("/derp/own", "A2")
    fleet.strike(one.lfdi)
    fleet.enrol(one.lfdi, lists=("/derp/own",))
    fleet.append(own_list, control("E2", now(), 600, limit_w=700))
    async with run(url=fleet.base + "/dcap", **listed(houses[:2])):
        await until(lambda: one.limit_w == 700)
        await until(lambda: {(t[0], t[2]) for t in fleet.told} == {(one.lfdi, 1), (one.lfdi, 2)})
        fleet.change(own_list, der_control=(), all=0)
        await until(lambda: one.limit_w is None)
        await until(lambda: (one.lfdi, 6) in {(t[0], t[2]) for t in fleet.told})
    assert [homes for _, homes in street.dispatched.values()] == [frozenset({one.lfdi})]
    assert houses[0].limit_w is None

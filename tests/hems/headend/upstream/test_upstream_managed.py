"""Our aggregator at our own head-end, which lets its certificate speak for homes."""

import time
from collections.abc import Sequence

import pytest

from certs.pki import Pki
from hems.headend.server import HeadEnd
from tests.hems.headend.conftest import PIN, Operator
from tests.hems.headend.ours import until, until_told
from tests.hems.headend.upstream.conftest import Run
from tests.hems.headend.upstream.houses import House, lfdi_of

pytestmark = pytest.mark.requirement("PRO-2030.5")


async def test_homes_behind_one_certificate_answer_each_for_itself(
    run: Run, utility: HeadEnd, operator: Operator, pki: Pki, houses: Sequence[House]
) -> None:
    own, (a, b, _) = lfdi_of(pki, "aggregator"), houses
    wish = {"lfdi": own, "pin": PIN, "edition": "csip-aus", "may_register": True}
    assert (await operator.ask("POST", "/aggregators", wish))[0] == 201
    homes = {"homes": [{"lfdi": a.lfdi, "pin": PIN}]}
    assert (await operator.ask("POST", f"/aggregators/{own}/homes", homes))[0] == 201
    assert utility.book.home(b.lfdi) is None

    event = await operator.event(limit_import_w=3000, start=int(time.time()), seconds=600)
    devices = [{"lfdi": a.lfdi, "pin": PIN}]
    async with run(devices=devices):
        await until(lambda: [house.limit_w for house in houses] == [1000, 1000, 1000])

        async def codes() -> dict[str, set[int]] | None:
            _, told = await operator.ask("GET", f"/events/{event['id']}")
            said = {h["lfdi"]: {r["status"] for r in h["responses"]} for h in told["homes"]}
            return said if said.get(own) == {1, 2} and said.get(a.lfdi) == {1, 2} else None

        said = await until_told(codes)
        assert set(said) == {own, a.lfdi}, "the utility knows no others"


async def test_a_home_that_the_utility_does_not_list_is_entered_by_its_aggregator(
    run: Run, utility: HeadEnd, operator: Operator, pki: Pki, houses: Sequence[House]
) -> None:
    own, fresh = lfdi_of(pki, "aggregator"), houses[1].lfdi
    wish = {"lfdi": own, "pin": PIN, "edition": "csip-aus", "may_register": True}
    assert (await operator.ask("POST", "/aggregators", wish))[0] == 201
    async with run(devices=[{"lfdi": fresh, "pin": PIN}], register_devices=True):
        home = await until(lambda: utility.book.home(fresh))
        assert (home.aggregator, home.in_band) == (own, True)

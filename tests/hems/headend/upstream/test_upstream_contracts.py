"""What homes' contracts forbid is not promised to the utility, nor asked of them."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from certs.pki import Pki
from tests.hems.headend.conftest import Operator
from tests.hems.headend.ours import until
from tests.hems.headend.street import CHECKS
from tests.hems.headend.upstream.conftest import NAMES
from tests.hems.headend.upstream.houses import lfdi_of
from tests.hems.headend.upstream.test_upstream_joined import (
    SUPPORT,
    WITHIN_S,
    Aggregator,
    Start,
    living,
    port,
    shed,
    start,
    told,
)
from tests.waiting import until as until_told

pytestmark = pytest.mark.requirement("L3-POLICY", "PRO-2030.5")

__all__ = ["living", "port", "start"]


async def good(own: Aggregator, method: str, path: str, body: object) -> None:
    status, answer = await own.ask(method, path, body)
    assert status in {200, 201}, answer


async def operate(own: Aggregator, lfdi: str) -> None:
    """Take a home's hub to operation in the aggregator's own fleet."""
    await good(own, "PUT", "/fleet/groups/tx", {"kind": "transformer"})
    await good(own, "PUT", f"/fleet/sites/{lfdi[:8]}", {"group": "tx"})
    await good(own, "POST", "/fleet/hubs", {"lfdi": lfdi, "site": lfdi[:8]})
    place = f"/fleet/hubs/{lfdi}"
    record = {
        "tested_by": "Tina Test",
        "witnessed_by": "Willi Witness",
        "checks": [{"name": name, "passed": True} for name in CHECKS],
        "at": time.time() - 1,
        "document": "ab" * 32,
    }
    await good(own, "POST", f"{place}/commissioning", record)
    await good(own, "POST", f"{place}/state", {"to": "commissioned"})
    await good(own, "PUT", f"{place}/licence", {"number": "L-1"})
    await good(own, "POST", f"{place}/state", {"to": "operating"})


async def limit(own: Aggregator, lfdi: str, most_w: int) -> None:
    wish = {"largest_event_w": most_w, "may_disconnect": True, "reason": "contract"}
    await good(own, "PUT", f"/fleet/hubs/{lfdi}/policy", wish)


async def test_a_contract_bounds_a_share_and_one_that_changes_has_it_shared_anew(
    start: Start, living: Callable[[Operator], Any], operator: Operator, pki: Pki
) -> None:
    async with start() as own:
        first = lfdi_of(pki, NAMES[0])
        await operate(own, first)
        homes = await living(own)
        await limit(own, first, 700)
        event = await operator.event(shed_w=3000, seconds=40, **SUPPORT)

        def every() -> list[float] | None:
            found = [watts for watts in shed(homes) if watts is not None]
            return found if len(found) == len(homes) else None

        asked = await until(every)
        assert sum(asked) == 3000
        assert 300 < asked[0] <= 700
        await told(operator, event, 2)
        # What it was asked for is more than its contract lets through now: it goes on without it.
        await limit(own, first, 300)
        await until(lambda: shed(homes) == [None, 1500, 1500])

        async def stand() -> Any:
            _, seen = await own.ask("GET", "/upstream")
            return seen["events"][0]["homes"] if seen["events"] else None

        both = {"running": 2, "refused": 1}
        await until_told(stand, lambda seen: seen == both, WITHIN_S, "it does not count on it")

"""A fleet for tests: groups, sites, and hubs that were commissioned as it has to be."""

import time
from dataclasses import dataclass

from tests.hems.headend.conftest import Home, Operator

CHECKS = ("identity", "registration", "event", "readings", "limits", "safe-state")


@dataclass
class Street:
    """A feeder with two transformers, a home on each, both operating."""

    operator: Operator
    a: Home
    b: Home

    async def good(self, method: str, path: str, body: object = None) -> object:
        status, answer = await self.operator.ask(method, path, body)
        assert status in {200, 201}, answer
        return answer

    async def operate(self, home: Home, site: str) -> None:
        wish = {"lfdi": home.lfdi, "site": site}
        await self.good("POST", "/fleet/hubs", wish)
        place = f"/fleet/hubs/{home.lfdi}"
        record = {
            "tested_by": "Tina Test",
            "witnessed_by": "Willi Witness",
            "checks": [{"name": name, "passed": True} for name in CHECKS],
            "at": time.time() - 1,
            "document": "ab" * 32,
        }
        await self.good("POST", f"{place}/commissioning", record)
        await self.good("POST", f"{place}/state", {"to": "commissioned"})
        await self.good("PUT", f"{place}/licence", {"number": "L-1"})
        await self.good("POST", f"{place}/state", {"to": "operating"})

"""Groups of homes, seen and commanded by themselves."""

from pathlib import Path

import pytest

from tests.hems.headend.conftest import Home, Operator
from tests.hems.headend.street import Street
from tests.hems.headend.telecontrol.centre import Centre

pytestmark = pytest.mark.requirement("PRO-GATEWAY")

CON, TERM = (7, False), (10, False)
GOOD = 0
TABLE = """\
common;address;type;carries;group;scale;minutes;amount;direct
1;11;M_ME_TF_1;homes;tx;;;;
1;12;M_ME_TF_1;homes;site-a;;;;
1;13;M_SP_TB_1;event_running;tx;;;;
1;14;M_SP_TB_1;event_running;site-a;;;;
1;15;M_SP_TB_1;event_running;site-b;;;;
1;20;C_SE_NC_1;target_w;site-a;1000;15;each;yes
1;21;C_SE_NC_1;target_w;tx;1;15;all;yes
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "points.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


async def test_groups_are_seen_and_commanded_by_themselves(
    home: Home, other: Home, centre: Centre, operator: Operator
) -> None:
    street = Street(operator, home, other)
    await street.good("POST", "/fleet/groups", {"groups": [{"id": "tx", "kind": "transformer"}]})
    for who, name in ((home, "a"), (other, "b")):
        await street.good("PUT", f"/fleet/sites/site-{name}", {"group": "tx"})
        await street.operate(who, f"site-{name}")
    found = await centre.values(lambda told: told[11][0] == 2)
    assert found[12] == (1.0, GOOD)
    assert (found[13], found[14], found[15]) == (False, False, False)
    assert await centre.set_point(20, 1.5) == [CON, TERM]
    found = await centre.values(lambda told: bool(told[14]))
    assert (found[13], found[15]) == (True, False)  # for one of its homes
    _, told = await operator.ask("GET", "/events")
    assert (told["events"][0]["group"], told["events"][0]["asks"]) == (
        "site-a",
        {"target_w": 1500.0},
    )

    # What all are to do together is shared by those whom contracts let be asked.
    wish = {"largest_event_w": 500, "may_disconnect": True, "reason": "contract"}
    await street.good("PUT", f"/fleet/hubs/{home.lfdi}/policy", wish)
    assert await centre.set_point(21, 3000) == [CON, TERM]
    _, told = await operator.ask("GET", "/events")
    assert (told["events"][0]["reached"], told["events"][0]["asks"]) == (1, {"target_w": 3000.0})
    await street.good("PUT", f"/fleet/hubs/{other.lfdi}/policy", wish)
    assert await centre.set_point(21, 4000) == [(7, True)]  # it would reach nobody

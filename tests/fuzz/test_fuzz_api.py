"""The API of a running hub, asked at random by each role; the long run is `make fuzz FUZZ=api`."""

from pathlib import Path

import pytest

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.e2e.rig import Rig
from tests.fuzz.api_target import LEFT_OUT, ask_as_each_role
from web.parts import all_operations

pytestmark = [pytest.mark.requirement("LC-TEST"), pytest.mark.requirement("PRV-RBAC")]

WITHIN_S = 120.0


@pytest.mark.timeout(240)
@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.deep), 4])
async def test_whatever_is_asked_the_hub_answers_as_it_describes(
    tmp_path: Path, every: int
) -> None:
    async with Rig(Stage(tmp_path / "stage", Scene(page_port=0, battery="hold"))) as rig:
        found = await ask_as_each_role(rig.stage.page, WITHIN_S, examples=1, every=every)
    assert not found.wrong, "\n".join(f"{what}\n  {how}" for what, how in found.wrong.items())
    assert len(found.reached) > 20
    assert found.asked[200] > 10
    assert found.asked[401] > 10, "who has not logged in is told nothing"
    assert found.asked[403] > 10, "other roles are refused what they may not"
    assert {400, 404, 422} & found.asked.keys()


def test_what_is_left_out_is_there() -> None:
    assert set(LEFT_OUT) <= {f"{each.method} {each.path}" for each in all_operations()}

"""The client at a server that answers 304, or in pages of one item: nothing is missed."""

import ssl
import time

import pytest

from hems.sep2 import resources as res
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.utility import marker, serving

pytestmark = pytest.mark.requirement("PRO-2030.5")

LIST = "/derp/1/derc"


@pytest.mark.parametrize("largest", [1, 255])
async def test_what_has_not_changed_is_not_sent_again_and_changes_are_found(
    home: Home, context: ssl.SSLContext, largest: int
) -> None:
    utility = home.utility(poll_s=1)
    utility.tags, utility.largest = True, largest
    utility.append(LIST, marker())
    utility.append(LIST, control("E0", int(time.time()) + 9000, 60))
    async with serving(utility, context), home.client(utility.base + "/dcap", listen=None):
        await utility.until(lambda: utility.unchanged.count(LIST) >= 2 * (2 if largest == 1 else 1))
        assert "/tm" not in utility.unchanged, "a clock is read each time"
        assert home.state == "connected"
        running = control("E1", int(time.time()) - 1, 600)
        utility.append(LIST, running)
        await home.until(lambda: home.limit_w == 1500)
        seen = len(utility.unchanged)
        await utility.until(lambda: LIST in utility.unchanged[seen:])
        assert home.limit_w == 1500, "a list that did not change keeps its events"
        listed = utility.resources[LIST]
        assert isinstance(listed, res.DERControlList)
        utility.change(LIST, der_control=listed.der_control[:-1], all=2)
        await home.until(lambda: home.limit_w is None)
    assert home.alarms == []


async def test_a_list_of_255_controls_in_pages_of_one(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility(poll_s=900)
    utility.largest = 1
    start = int(time.time()) + 9000
    for number in range(254):
        utility.append(LIST, control(f"A{number:03d}", start + 60 * number, 60))
    utility.append(LIST, control("E1", int(time.time()) - 1, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap", listen=None):
        await home.until(lambda: home.limit_w == 1500)
        await utility.until(lambda: len(set(utility.codes)) >= 256)
    assert utility.asked.count("GET " + LIST) == 255

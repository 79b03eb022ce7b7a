"""What the public CSIP-AUS procedures for servers ask, and other clients than ours need."""

import pytest

from hems.headend.records import Edition
from hems.sep2.resources import ConnectionPoint, EndDeviceList, MirrorUsagePoint
from tests.hems.headend.conftest import Home, MakeHome, Operator

pytestmark = pytest.mark.requirement("PRO-2030.5")

UNCOUNTED = b"""<MirrorMeterReadingList xmlns="urn:ieee:std:2030.5:ns"><MirrorMeterReading>
<mRID>9C1747383E0FDAE996F45F1200009F1C</mRID>
<Reading><timePeriod><duration>60</duration><start>1795384260</start></timePeriod>
<value>5000</value></Reading></MirrorMeterReading></MirrorMeterReadingList>"""


async def _device_of(home: Home) -> str:
    (device,) = (await home.get("/edev", EndDeviceList)).end_device
    link = device.connection_point_link
    return "" if link is None else link.href


async def test_a_home_puts_its_connection_point(home: Home, other: Home) -> None:
    path = await _device_of(home)
    assert (await home.ask("GET", path)).status == 404
    put = await home.ask("PUT", path, ConnectionPoint(connection_point_id="4102001234"))
    assert put.status == 204
    kept = await home.get(path, ConnectionPoint)
    assert (kept.connection_point_id, kept.href) == ("4102001234", path)
    assert (await other.ask("GET", path)).status in {403, 404}


async def test_only_csip_aus_has_connection_points(operator: Operator, make_home: MakeHome) -> None:
    home = make_home("home-c")
    await operator.enter(home, Edition.Y2023)
    assert await _device_of(home) == ""


async def test_no_document_names_its_encoding(home: Home) -> None:
    answer = await home.ask("GET", "/dcap")
    assert answer.body.startswith(b'<?xml version="1.0"?>\n<DeviceCapability')


async def test_readings_may_come_uncounted(home: Home) -> None:
    point = MirrorUsagePoint(
        mrid="5A" * 16, role_flags=3, service_category_kind=0, status=1, device_lfdi=home.lfdi
    )
    place = (await home.ask("POST", "/mup", point)).location
    assert (await home.ask("POST", place, UNCOUNTED)).status == 201

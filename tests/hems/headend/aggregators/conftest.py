"""An aggregator with two homes behind its certificate, and a home that is none of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from certs.identity import sfdi
from certs.pki import Pki
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.sep2.resources import (
    DERControlList,
    DERControlResponse,
    DERProgramList,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
)
from tests.hems.headend.conftest import PIN, SCHEMA_OF, Home, MakeHome, Operator, schema
from tests.hems.headend.street import Street

A, B, ALIEN = "A1" * 20, "B2" * 20, "C3" * 20


@dataclass
class Group:
    """An aggregator on the wire, and its operator's door.

    Attributes:
        home: Its certificate.
        operator: The utility's operator.
    """

    home: Home
    operator: Operator

    @property
    def place(self) -> str:
        return f"/aggregators/{self.home.lfdi}"

    async def good(self, method: str, path: str, body: object = None) -> dict[str, object]:
        status, answer = await self.operator.ask(method, path, body)
        assert status in {200, 201}, answer
        assert isinstance(answer, dict)
        return answer

    async def give(self, *lfdis: str) -> None:
        await self.good("POST", f"{self.place}/homes", {"homes": [{"lfdi": x} for x in lfdis]})

    async def devices(self) -> dict[str, EndDevice]:
        found = await self.home.get("/edev?l=255", EndDeviceList)
        return {str(each.lfdi): each for each in found.end_device}

    async def path(self, lfdi: str) -> str:
        """Return where an EndDevice is."""
        return str((await self.devices())[lfdi].href)


@pytest.fixture
async def group(make_home: MakeHome, operator: Operator) -> Group:
    """home-a's certificate is an aggregator's, which speaks for A and B."""
    made = Group(make_home("home-a"), operator)
    wish = {"lfdi": made.home.lfdi, "pin": PIN, "edition": "csip-aus"}
    status, answer = await operator.ask("POST", "/aggregators", wish)
    assert status == 201, answer
    await made.give(A, B)
    made.home.validator = schema(SCHEMA_OF[Edition.CSIP_AUS])
    wish = {"lfdi": ALIEN, "pin": PIN, "edition": "csip-aus"}
    assert (await operator.ask("POST", "/homes", wish))[0] == 201
    return made


def end_device(lfdi: str) -> EndDevice:
    """Return an EndDevice as it is posted."""
    return EndDevice(sfdi=sfdi(lfdi), lfdi=lfdi, changed_time=int(time.time()))


def response(lfdi: str, event: object, status: int = 1) -> DERControlResponse:
    """Return a response of a home to an event."""
    return DERControlResponse(
        created_date_time=int(time.time()),
        end_device_lfdi=lfdi,
        status=status,
        subject=str(event),
    )


async def operate(street: Street, lfdi: str, site: str) -> None:
    """Take a hub that has no certificate of its own to operation."""
    home = street.a
    kept, home.lfdi = home.lfdi, lfdi
    try:
        await street.operate(home, site)
    finally:
        home.lfdi = kept


async def events_of(group: Group, lfdi: str) -> set[str]:
    """Return the events that a home is to follow, found by links as a client does."""
    device = (await group.devices())[lfdi]
    assert device.function_set_assignments_list_link is not None
    found: set[str] = set()
    link = device.function_set_assignments_list_link.href
    for offer in (
        await group.home.get(f"{link}?l=9", FunctionSetAssignmentsList)
    ).function_set_assignments:
        assert offer.der_program_list_link is not None
        listed = await group.home.get(f"{offer.der_program_list_link.href}?l=9", DERProgramList)
        assert listed.href == offer.der_program_list_link.href
        assert listed.all == offer.der_program_list_link.all
        for program in listed.der_program:
            controls = program.der_control_list_link
            if controls is not None:
                items = await group.home.get(f"{controls.href}?l=9", DERControlList)
                found |= {control.mrid for control in items.der_control}
    return found


@pytest.fixture
def pki_home(pki: Pki) -> Callable[[HeadEnd, str], Home]:
    """Make a home of a head-end that is not the fixture's."""
    return lambda head_end, name: Home(pki.identity(name), pki, head_end.addresses.base_url)

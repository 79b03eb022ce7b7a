"""What the outbox posts: the same bytes each time, its own server's rows only, and nothing kept."""

import random
import ssl
from dataclasses import replace

import pytest

from certs.tls import client_context
from hems.sep2 import resources as res
from hems.sep2.book.answers import Answerer, resource_of
from hems.sep2.book.kinds import KINDS, Kind
from hems.sep2.book.ledger import ResponseRow
from hems.sep2.book.outbox import Outbox
from hems.sep2.errors import MalformedError
from hems.sep2.transport.http import Transport
from hems.sep2.xml import serialize
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.kinds_made import load_control
from tests.hems.sep2.utility import serving

pytestmark = pytest.mark.requirement("PRO-2030.5")

LFDI = "0" * 39 + "1"
ROW = ResponseRow(
    subject="E1",
    lfdi=LFDI,
    status=2,
    modes="",
    created=1000,
    reply_to="/rsp",
    kind="DERControlResponse",
    server="utility",
)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_each_kind_has_its_class_of_response(kind: Kind) -> None:
    made = kind.response
    response = resource_of(replace(ROW, kind=made.__name__))
    assert type(response) is made
    assert (response.subject, response.status, response.created_date_time) == ("E1", 2, 1000)


def test_modes_are_told_as_bits() -> None:
    response = resource_of(replace(ROW, modes="opModConnect,opModTargetV"))
    assert isinstance(response, res.DERControlResponse)
    assert (response.modes_responded, response.modes_responded2) == (1 << 2, 1 << 9)


@pytest.mark.parametrize("detail", [b"<garbage", b"<DERControlResponse/>"])
def test_a_row_that_cannot_be_read_is_one_clear_error(detail: bytes) -> None:
    with pytest.raises(MalformedError):
        resource_of(replace(ROW, kind="DrResponse", detail=detail))


def test_a_row_of_an_unknown_kind_is_one_clear_error() -> None:
    with pytest.raises(MalformedError, match="NewResponse"):
        resource_of(replace(ROW, kind="NewResponse"))


def test_what_it_says_beyond_its_code_comes_from_the_ledger() -> None:
    answerer = Answerer("utility", LFDI)
    detail = answerer.detail(load_control("E1", 1, 1), b"", 61.4)
    row = replace(ROW, kind="DrResponse", detail=detail)
    response = resource_of(row)
    assert isinstance(response, res.DrResponse)
    assert response.override_duration == 61
    assert serialize(resource_of(row)) == serialize(response)
    assert answerer.detail(load_control("E1", 1, 1), b"", 1e9).count(b">65535<") == 1


async def test_only_what_this_server_is_owed_goes_there(
    home: Home, context: ssl.SSLContext
) -> None:
    async with serving(home.utility(), context) as utility:
        tls = client_context(home.pki.identity("hub"), home.pki.trust)
        others = replace(ROW, server="elsewhere", status=1)
        broken = replace(ROW, kind="NewResponse", status=3, created=999)
        await home.ledger.save([], [others, broken, ROW])
        alarms: list[str] = []
        async with Transport(utility.base, tls) as transport:
            outbox = Outbox(
                home.ledger,
                "utility",
                transport,
                random.Random(1),  # noqa: S311 - jitter, not secrets
                alarm=alarms.append,
            )
            assert await outbox.drain() is None
        assert utility.codes == [("E1", 2)]
        assert list(await home.ledger.unposted("elsewhere")) == [others]
        assert len(alarms) == 1
        assert "NewResponse" in alarms[0]


async def test_a_reply_to_of_its_own_for_each_event_leaves_nothing_behind(
    home: Home, context: ssl.SSLContext
) -> None:
    async with serving(home.utility(), context) as utility:
        tls = client_context(home.pki.identity("hub"), home.pki.trust)
        async with Transport(utility.base, tls) as transport:
            outbox = Outbox(home.ledger, "utility", transport, random.Random(1))  # noqa: S311 - jitter
            for n in range(20):
                row = replace(ROW, subject=f"{n:02X}", reply_to=f"/rsp?event={n}")
                await home.ledger.save([], [row])
                await outbox.drain()
            await outbox.drain()
        assert len(utility.codes) == 20
        kept = [len(each) for each in vars(outbox).values() if isinstance(each, dict | set)]
        assert sum(kept) == 0

"""PostgreSQL fails over in the middle of a dispatch: what was acknowledged is there, once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from certs.pki import Pki
from hems.headend.db import postgresql
from hems.headend.db.database import Database
from hems.headend.errors import StoreError
from hems.headend.orders.repeats import KEY
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import DERControlList, DERControlResponse
from tests.hems.headend.conftest import Home, Operator
from tests.postgres import Pair
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-2030.5", "LC-TEST")
WAIT_S = 60.0
BEFORE, ALL = 8, 24


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Pair() as running:
        yield running


@pytest.fixture
async def workers(settings: HeadEndSettings, pair: Pair) -> AsyncIterator[list[HeadEnd]]:
    chosen = settings.model_copy(update={"database": pair.database(), "busy_timeout_s": 2.0})
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(HeadEnd(chosen)) for _ in range(2)]


async def order(operator: Operator, watts: float) -> tuple[str, int]:
    """Order as the console and the commands do: under a name, again until it is answered.

    Returns:
        The event's mRID, and how often it was ordered.
    """
    attempts = 0
    while True:
        attempts += 1
        wish = {"limit_import_w": watts, "minutes": 30}
        status, said = await operator.ask("POST", "/events", wish, **{KEY: f"{watts}"})
        if status == 201:
            return str(said["id"]), attempts
        assert status == 503, said
        await asyncio.sleep(0.2)


@pytest.mark.timeout(300)
async def test_nothing_that_was_acknowledged_is_lost_or_there_twice(
    workers: list[HeadEnd], pair: Pair, pki: Pki
) -> None:
    operators = [Operator(each) for each in workers]
    homes = [Home(pki.identity("home-a"), pki, each.addresses.base_url) for each in workers]
    await operators[0].enter(homes[0])
    failing: asyncio.Task[None] | None = None
    taken: list[str] = []
    refused = 0
    for number in range(ALL):
        if number == BEFORE:
            failing = asyncio.create_task(asyncio.to_thread(pair.fail_over))
        mrid, attempts = await order(operators[number % 2], 1000.0 + number)
        taken.append(mrid)
        refused += attempts - 1
    assert failing is not None
    await failing
    assert refused, "it failed over without anybody noticing; nothing is shown"

    async def listed(home: Home) -> Counter[str]:
        found = await home.get("/derp/1/derc?l=255", DERControlList)
        return Counter(control.mrid for control in found.der_control)

    for home in homes:
        await until(
            lambda home=home: listed(home),  # type: ignore[misc]
            lambda seen: set(seen) == set(taken),
            WAIT_S,
            "all is at the home by each worker",
        )
        assert set((await listed(home)).values()) == {1}
    for mrid in taken:
        answer = DERControlResponse(
            created_date_time=1_800_000_000, end_device_lfdi=homes[0].lfdi, status=1, subject=mrid
        )
        assert (await homes[0].ask("POST", "/rsps/1/r", answer)).status == 201
        assert (await homes[1].ask("POST", "/rsps/1/r", answer)).status == 201
    assert len(await workers[0].store.responses()) == len(taken)
    _, seen = await operators[1].ask("GET", "/events")
    assert Counter(e["id"] for e in seen["events"]) == Counter(taken)
    for operator in operators:
        await operator.aclose()
    for home in homes:
        await home.aclose()


async def test_a_standby_alone_is_no_database(pair: Pair) -> None:
    address = pair.database().replace(f"127.0.0.1:{pair.primary.port},", "")
    with pytest.raises(StoreError, match="cannot be used as database"):
        await Database.open(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://hems:secret@127.0.0.1:1/none", "cannot be used"),
        ("postgresql://hems:secret@127.0.0.1:x/none", "cannot be used"),
        ("postgresql://hems:secret@127.0.0.1:1,127.0.0.1:2/none", "cannot be used"),
    ],
)
async def test_what_is_no_database_is_named_without_its_password(address: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as error:
        await Database.open(address)
    assert "secret" not in str(error.value)
    assert "127.0.0.1" in str(error.value)


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("postgresql://a@h/d", "postgresql://a@h/d"),
        ("postgresql://a:p%40w@h:1,i:2/d", "postgresql://a:***@h:1,i:2/d"),
        ("postgresql:///d", "postgresql:///d"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, seen: str) -> None:
    assert postgresql.shown(address) == seen

"""What happened here reaches the server's log: in order, once, over failures and restarts."""

import ssl

import pytest

from certs.pki import Pki
from hems.sep2 import resources as res
from hems.sep2.enddevice.logevents import DER, STANDARD_PEN, VENDOR, Happening, LogPoster, LogQueue
from hems.sep2.rules.dialect import Dialect
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles
from tests.hems.sep2.kept_up import LFDI, RNG, assert_valid, running, transport_to
from tests.hems.sep2.utility import Utility

pytestmark = [pytest.mark.requirement("PRO-2030.5")]

LOG = "/edev/1/lel"
DEVICE = res.EndDevice(
    href="/edev/1", sfdi=1, changed_time=0, log_event_list_link=res.Link(href=LOG)
)


def happened(code: int, details: str = "") -> Happening:
    return Happening(100.0, DER, code, details)


def a_poster(queue: LogQueue, transport: Transport) -> LogPoster:
    poster = LogPoster(queue, transport, lambda: 40.0, RNG, Troubles())
    poster.use(DEVICE)
    return poster


def codes(utility: Utility) -> list[int]:
    return [event.log_event_code for event in utility.posted(LOG)]


@pytest.mark.parametrize("dialect", list(Dialect))
async def test_it_is_told_as_the_standard_has_it(
    context: ssl.SSLContext, pki: Pki, dialect: Dialect
) -> None:
    utility, queue = Utility(LFDI, 1), LogQueue()
    queue.add(happened(2, "over voltage"))
    queue.add(Happening(101.0, 0, 4, "Zähler " * 20, VENDOR, 99))
    async with transport_to(utility, context, pki, dialect) as transport:
        await a_poster(queue, transport).post()
    first, second = utility.posted(LOG)
    assert first == res.LogEvent(
        created_date_time=140,
        details="over voltage",
        function_set=11,
        log_event_code=2,
        log_event_id=0,
        log_event_pen=STANDARD_PEN,
        profile_id=2,
    )
    assert (second.log_event_id, second.log_event_pen, second.profile_id) == (1, 99, 1)
    assert queue.first is None
    assert_valid(utility, dialect)


async def test_order_is_kept_over_failures_and_one_refused_holds_up_no_other(
    context: ssl.SSLContext, pki: Pki
) -> None:
    utility, queue = Utility(LFDI, 1), LogQueue()
    utility.faults[f"POST {LOG}"] = [503, 400]
    async with (
        transport_to(utility, context, pki) as transport,
        running(a_poster(queue, transport).run()),
    ):
        for code in (2, 4, 6):
            queue.add(happened(code))
        await utility.until(lambda: len(codes(utility)) == 2)
    assert codes(utility) == [4, 6], "503: again; then 400: given up"


async def test_what_waits_outlives_a_restart(context: ssl.SSLContext, pki: Pki) -> None:
    before = LogQueue()
    before.add(happened(2))
    before.add(happened(4))
    first = before.first
    assert first is not None
    before.done(first)
    after = LogQueue()
    after.add(happened(6))
    after.load(before.dump())
    utility = Utility(LFDI, 1)
    async with transport_to(utility, context, pki) as transport:
        await a_poster(after, transport).post()
    assert [(e.log_event_code, e.log_event_id) for e in utility.posted(LOG)] == [(4, 1), (6, 2)]


async def test_without_a_log_at_the_server_it_waits(context: ssl.SSLContext, pki: Pki) -> None:
    utility, queue = Utility(LFDI, 1), LogQueue()
    queue.add(happened(2))
    async with transport_to(utility, context, pki) as transport:
        poster = LogPoster(queue, transport, lambda: 0.0, RNG, Troubles())
        async with running(poster.run()):
            await poster.post()
            assert queue.waiting == [happened(2)]
            poster.use(DEVICE)
            await utility.until(lambda: codes(utility) == [2])


def test_the_oldest_give_way_and_each_change_is_told(caplog: pytest.LogCaptureFixture) -> None:
    changes: list[str] = []
    queue = LogQueue(lambda: changes.append(queue.dump()), kept=2)
    for code in range(5):
        queue.add(happened(code))
    assert [h.code for h in queue.waiting] == [3, 4]
    assert len(changes) == 5
    assert caplog.text.count("is full") == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"next": 1, "waiting": [{}]}', '{"next": "a"}'])
def test_a_text_that_is_no_queue_is_refused(text: str) -> None:
    queue = LogQueue()
    queue.add(happened(2))
    with pytest.raises(ValueError, match=r".+"):
        queue.load(text)
    assert queue.waiting == [happened(2)]

"""XML that is malformed, oversized or laden with entities, to each side of the wire."""

from collections.abc import AsyncIterator

import psutil
import pytest

from certs.tls import server_context
from hems.sep2.resources.wire import SEP_NS
from hems.sep2.xml import MAX_BODY, MEDIA_TYPE
from tests.faults.bench import Bench, Line, ask
from tests.faults.bodies import GOOD, HOSTILE, statuses
from tests.faults.scripted import LyingUtility, control
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST"),
    pytest.mark.requirement("PRO-2030.5"),
]

GROWS_BY_LESS = 30 << 20
"""Bytes of memory that no body of a MiB may cost for good."""


def memory(pid: int) -> int:
    """Return a process's resident memory in bytes."""
    return int(psutil.Process(pid).memory_info().rss)


@pytest.mark.parametrize("kind", HOSTILE)
async def test_posted_to_the_hub_it_is_refused_in_one_sentence(line: Line, kind: str) -> None:
    before, pid = len(line.log("hub")), line.rig.stage.hub.pid
    held = memory(pid)
    status, text = await ask("POST", line.notify, line.as_utility(), HOSTILE[kind])
    assert status in statuses(kind)
    assert text.strip().count("\n") == 0
    assert "Traceback" not in text
    assert "/etc/passwd" not in text
    warned = [said for said in line.log("hub")[before:] if "a notification from" in said]
    assert len(warned) == 1
    assert memory(pid) < held + GROWS_BY_LESS


async def chunks() -> AsyncIterator[bytes]:
    """Yield a body without an end that its head would tell."""
    yield GOOD[:-20].encode()
    for _ in range(2 * MAX_BODY >> 16):
        yield b" " * (1 << 16)


async def test_a_body_of_no_told_length_is_cut_off(line: Line) -> None:
    for url, context in ((line.notify, line.as_utility()), (f"{line.base}/mup", line.as_hub())):
        status, text = await ask("POST", url, context, chunks())
        assert status == 413
        assert text.strip().count("\n") == 0


async def test_other_media_and_methods_are_refused(line: Line) -> None:
    context = line.as_utility()
    assert (await ask("POST", line.notify, context, GOOD.encode(), "text/plain"))[0] == 415
    assert (await ask("POST", line.notify, context, GOOD.encode()))[0] == 404
    assert (await ask("PUT", line.notify, context, GOOD.encode()))[0] == 405
    assert (await ask("GET", line.notify.replace("notify", "etc/passwd"), context))[0] == 404


@pytest.mark.parametrize("path", ["/rsps/1/r", "/mup", "/edev/1/sub", "/edev/1/der/1/ders"])
@pytest.mark.parametrize("kind", HOSTILE)
async def test_posted_to_the_head_end_it_is_refused_in_one_sentence(
    line: Line, kind: str, path: str
) -> None:
    before, pid = len(line.log("head-end")), line.rig.stage.headend.pid
    held = memory(pid)
    method = "PUT" if path.endswith("ders") else "POST"
    status, text = await ask(method, line.base + path, line.as_hub(), HOSTILE[kind])
    assert status in statuses(kind)
    assert text.strip().count("\n") == 0
    assert "/etc/passwd" not in text
    warned = [said for said in line.log("head-end")[before:] if f"{method} '{path}': " in said]
    assert len(warned) == 1
    assert memory(pid) < held + GROWS_BY_LESS


@pytest.mark.parametrize("path", ["/edev", "/edev/1/lel"])
async def test_a_resource_of_another_kind_is_refused_by_the_head_end(line: Line, path: str) -> None:
    status, text = await ask("POST", line.base + path, line.as_hub(), GOOD.encode())
    assert status in {400, 403}
    assert text.strip().count("\n") == 0


async def test_after_all_that_the_next_good_message_works(line: Line) -> None:
    """An event, told by notification (polls are a minute apart), is obeyed and answered."""
    event = await line.rig.dispatch(limit_import_w=2000.0, seconds=300)
    home = await until(
        line.rig.home, lambda home: home.limit_import_w == 2000.0, 3.0, "the event is in force"
    )
    assert home.card(event.id) is not None
    await until(lambda: line.rig.statuses(event.id), lambda codes: codes == [1, 2], 5.0, "answered")
    await line.rig.cancel(event.id)
    assert "Traceback" not in "\n".join(line.log("hub") + line.log("head-end"))


SERVED = [
    (HOSTILE["cut short"], MEDIA_TYPE, "document: not well-formed XML"),
    (HOSTILE["billion laughs"], MEDIA_TYPE, "document: a DOCTYPE is not allowed"),
    (HOSTILE["external entity"], MEDIA_TYPE, "document: a DOCTYPE is not allowed"),
    (HOSTILE["oversized"], MEDIA_TYPE, "longer than 1048576 octets"),
    (HOSTILE["another resource"], MEDIA_TYPE, "the root element must be DERControlList"),
    (b"<html>busy</html>", "text/html", "it is of type 'text/html'"),
    (b"", MEDIA_TYPE, "the answer has no content"),
    (b'{"all": 1}', "application/json", "it is of type 'application/json'"),
    (
        f'<DERControlList xmlns="{SEP_NS}" all="4294967295" results="0"/>'.encode(),
        MEDIA_TYPE,
        "4294967295 items",
    ),
]
"""Body, media type, and what the hub says of it."""
WATCH = "The server's answers would keep the hub busy for good"
"""What the watch over security adds, once for them all."""


async def test_served_to_the_hub_it_costs_one_line_and_nothing_else(bench: Bench) -> None:
    """While many lists lie, an event of an honest one is obeyed; then they tell the truth."""
    lying = LyingUtility(bench.hub_lfdi)
    lying.offer_programs(len(SERVED))
    lists = {f"/derp/{number}/derc": lie for number, lie in enumerate(SERVED, start=1)}
    for path, (body, media, _) in lists.items():
        lying.lies[path] = (200, body, media)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(lying, context), bench.running(bench.config(f"{lying.base}/dcap")) as hub:
        held = memory(hub.child.pid)
        await lying.until(lambda: all(lying.asked.count(f"GET {path}") > 1 for path in lists), 20.0)
        lying.shed("5E", watts=500)
        await lying.until(lambda: ("5E", 2) in lying.codes)
        home = await hub.state("connected")
        card = home.card("5E")
        assert card is not None
        assert card.state == "running"
        (told,) = hub.logged(WATCH)  # of whichever answer was too large first
        for path, (_, _, reason) in lists.items():
            assert len(set(hub.logged(path, reason)) - {told}) == 1, hub.log
            assert any(path in alarm and reason in alarm for alarm in home.alarms), home.alarms
        assert memory(hub.child.pid) < held + GROWS_BY_LESS

        for number in range(1, len(SERVED) + 1):
            lying.list_controls(control(f"C{number}"), program=number)
        honest = {(f"C{number}", 1) for number in range(1, len(SERVED) + 1)}
        await lying.until(lambda: honest <= set(lying.codes), 30.0)

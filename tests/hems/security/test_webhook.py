"""The webhook: signed, patient, kept over a restart, and no way into the home's own network."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from hems.emg.threats.rules.finding import Finding, Threat
from hems.emg.threats.severity import Severity
from hems.emg.threats.telling import Told
from hems.security.webhook import (
    MOST_WAITING,
    SIGNATURE,
    Hook,
    Webhook,
    WebhookError,
    check_address,
    read_secret,
)
from hems.store.store import Store, open_store
from tests.hems.emg.threats.conftest import HeldClock, came
from tests.waiting import until

pytestmark = pytest.mark.requirement("L2-ALARM")

SECRET = b"a secret of the owner's own"
AT = 1_800_000_000.0


def told(about: str = "") -> Told:
    finding = Finding(
        Threat.SCAN, Severity.ALARM, "Somebody scans.", "Look.", about, "10.0.0.7", (3, 4), AT
    )
    return Told(finding, "", b"\x01" * 32, 5)


class Receiver:
    """A little HTTP server that takes what is sent, or not."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, str]] = []
        self.answers: list[int] = []
        self.url = ""

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        status = self.answers.pop(0) if self.answers else 204
        if status < 300:
            self.taken.append((body, request.headers[SIGNATURE]))
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
            yield
        finally:
            await runner.cleanup()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "hems.db", HeldClock())
    yield opened
    await opened.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    async with made.serving():
        yield made


@asynccontextmanager
async def sending(url: str, store: Store, clock: HeldClock) -> AsyncIterator[Webhook]:
    hook = Hook(url, SECRET, private=True)
    webhook = Webhook(hook, store.settings, clock, "hub1", first_wait_s=0.05)
    task = asyncio.create_task(webhook.run())
    try:
        yield webhook
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_finding_is_sent_with_a_right_signature(store: Store, receiver: Receiver) -> None:
    async with sending(receiver.url, store, HeldClock()) as webhook:
        webhook.take(told())
        await came(lambda: receiver.taken)
        await came(lambda: not webhook.waiting)
    (body, signed) = receiver.taken[0]
    assert signed == "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    letter = json.loads(body)
    assert (letter["threat"], letter["row"], letter["evidence"]) == ("scan", 5, [3, 4])
    assert (letter["hub"], letter["link"]) == ("hub1", "01" * 32)


async def test_what_is_not_taken_is_sent_again_in_order(store: Store, receiver: Receiver) -> None:
    receiver.answers = [503, 302, 404]
    async with sending(receiver.url, store, HeldClock()) as webhook:
        webhook.take(told("first"))
        webhook.take(told("second"))
        await came(lambda: len(receiver.taken) == 2)
    assert [json.loads(body)["about"] for body, _ in receiver.taken] == ["first", "second"]


async def test_what_waits_outlives_a_restart(store: Store, receiver: Receiver) -> None:
    clock = HeldClock()
    async with sending("http://127.0.0.1:9/hook", store, clock) as webhook:
        webhook.take(told("before"))
        await until(
            store.settings.all, lambda kept: "before" in kept.get("webhook", ""), 20, "kept"
        )
    async with sending(receiver.url, store, clock) as webhook:
        webhook.take(told("after"))
        await came(lambda: len(receiver.taken) == 2)
    assert [json.loads(body)["about"] for body, _ in receiver.taken] == ["before", "after"]


async def test_what_nobody_takes_is_bounded_and_given_up(store: Store, receiver: Receiver) -> None:
    clock = HeldClock()
    async with sending("http://127.0.0.1:9/hook", store, clock) as webhook:
        for number in range(3 * MOST_WAITING):
            webhook.take(told(f"{number}"))
        assert webhook.waiting == MOST_WAITING
        await asyncio.sleep(0.2)
    clock.at += 8 * 86_400.0
    async with sending(receiver.url, store, clock) as webhook:
        await asyncio.sleep(0.2)
        await came(lambda: not webhook.waiting)
    assert receiver.taken == []


@pytest.mark.parametrize(
    ("url", "private", "good"),
    [
        ("https://hooks.example.org/x", False, True),
        ("https://93.184.216.34/x", False, True),
        ("https://127.0.0.1/x", False, False),
        ("https://192.168.1.1/x", False, False),
        ("https://[::1]/x", False, False),
        ("https://[::ffff:127.0.0.1]/x", False, False),
        ("https://169.254.169.254/x", False, False),
        ("https://2130706433/x", False, False),
        ("https://localhost/x", False, False),
        ("https://127.0.0.1/x", True, True),
    ],
)
def test_the_webhook_is_no_way_into_the_home(url: str, *, private: bool, good: bool) -> None:
    if good:
        check_address(url, private=private)
    else:
        with pytest.raises(WebhookError):
            check_address(url, private=private)


async def test_a_name_that_leads_into_the_home_is_not_followed(
    store: Store, receiver: Receiver
) -> None:
    """`localhost.localdomain`-like names resolve here; the resolver refuses what they lead to."""
    port = receiver.url.rpartition(":")[2]
    hook = Hook(f"http://ip6-localhost:{port}", SECRET)
    webhook = Webhook(hook, store.settings, HeldClock(), "hub1", first_wait_s=0.05)
    task = asyncio.create_task(webhook.run())
    webhook.take(told())
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert webhook.waiting == 1
    assert receiver.taken == []


@pytest.mark.parametrize("content", [None, b"", b"short"])
def test_a_secret_that_is_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WebhookError, match=str(path)):
        read_secret(path)

"""Pushing to a push service over TLS, read by a browser's keys; kept over a restart."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hems.clock import SystemClock
from hems.outward import Ring, RingResolver, public
from hems.plan_surface import PlanView
from hems.push import sealing
from hems.push.address import check_endpoint
from hems.push.errors import BadSubscriptionError, PushError, UnknownSubscriptionError
from hems.push.occasions import CarNeed
from hems.push.push import MOST, Manner, Push, id_of, open_push
from hems.push.subscription import Subject, Subscription
from hems.store.store import Store, open_store
from hems.surface import Snapshot
from tests.hems.push.service import Browser, PushService, push_service
from tests.hems.push.test_occasions import AT, EVENT, HOME, MESSAGE
from tests.waiting import until
from web.words import tell

pytestmark = pytest.mark.requirement("ROLE-UI")


class SetClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = AT

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@dataclass
class Shown:
    """A home that shows what it is told to."""

    home: Snapshot = HOME
    cars: list[CarNeed] = field(default_factory=list)

    def snapshot(self) -> Snapshot:
        return self.home

    def plan(self) -> PlanView | None:
        return None

    def car_needs(self) -> Sequence[CarNeed]:
        return self.cars


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[PushService]:
    async with push_service(tmp_path) as service:
        yield service


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(tmp_path / "hems.db", SystemClock())
    yield store
    await store.close()


@asynccontextmanager
async def hub(
    store: Store,
    service: PushService,
    home: Shown,
    clock: SetClock,
    knows: Callable[[str], bool] = lambda _who: True,
) -> AsyncIterator[Push]:
    manner = Manner(
        ZoneInfo("Europe/Berlin"),
        tell,
        "mailto:owner@example.com",
        private=True,
        trust=service.trusting,
        first_wait_s=0.01,
        knows=knows,
    )
    push = await open_push(home, store.settings, clock, manner)
    service.key = push.signer.public
    try:
        yield push
    finally:
        await push.close()


def wish(browser: Browser, language: str = "en") -> Subscription:
    return Subscription(
        id="",
        endpoint=browser.endpoint,
        p256dh=browser.point,
        auth=browser.auth,
        who="anna",
        called="phone",
        subjects=frozenset(Subject),
        language=language,
        quiet=None,
        since=0.0,
    )


async def delivered(service: PushService, count: int) -> None:
    async def look() -> int:
        return len(service.deliveries)

    await until(look, lambda seen: seen >= count, 20, f"{count} deliveries")


async def test_what_is_new_reaches_the_browser_and_nobody_between_can_read_it(
    store: Store, service: PushService
) -> None:
    home, browser = Shown(), service.browser()
    async with hub(store, service, home, SetClock()) as push:
        await push.subscribe(wish(browser))
        home.home = replace(HOME, events=(EVENT,))
        await push.look()
        await delivered(service, 1)
        (delivery,) = service.deliveries
    assert b"Peak" not in delivery.sealed
    assert browser.read(delivery.sealed) == {
        "title": "Peak Saver asks: Import at most 1.5 kW",
        "body": "From 16:20 to 18:20. The car waits.",
        "path": "/",
        "tag": "events:E1",
        "at": AT,
        "lang": "en",
    }
    assert delivery.headers["TTL"] == str(4 * 3600)
    assert delivery.headers["Urgency"] == "normal"
    assert delivery.headers["Content-Encoding"] == "aes128gcm"
    assert len(delivery.headers["Topic"]) == 32


async def test_after_a_restart_the_same_browsers_are_told_and_nothing_twice(
    store: Store, service: PushService
) -> None:
    home, clock, browser = Shown(), SetClock(), service.browser()
    async with hub(store, service, home, clock) as push:
        await push.subscribe(wish(browser))
        home.home = replace(HOME, events=(EVENT,))
        await push.look()
        await delivered(service, 1)
        key = push.signer.public
    async with hub(store, service, home, clock) as push:
        assert push.signer.public == key
        await push.look()
        home.home = replace(home.home, messages=(MESSAGE,))
        await push.look()
        await delivered(service, 2)
    assert len(service.deliveries) == 2
    assert browser.read(service.deliveries[1].sealed)["body"] == MESSAGE.text


async def test_who_is_not_let_in_any_more_is_told_nothing(
    store: Store, service: PushService
) -> None:
    home, browser, known = Shown(), service.browser(), {"bob"}
    async with hub(store, service, home, SetClock(), known.__contains__) as push:
        await push.subscribe(wish(browser))
        home.home = replace(HOME, events=(EVENT,))
        await push.look()
        assert push.waiting == 0
        known.add("anna")
        await push.look()
        await delivered(service, 1)
    assert len(service.deliveries) == 1


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(
    store: Store, service: PushService, status: int
) -> None:
    service.answers = iter([(status, {})])
    async with hub(store, service, Shown(), SetClock()) as push:
        made = await push.subscribe(wish(service.browser()))
        push.try_out(made.id)

        async def look() -> int:
            return len(push.all())

        await until(look, lambda count: count == 0, 20, "it is forgotten")
    async with hub(store, service, Shown(), SetClock()) as push:
        assert push.all() == []


@pytest.mark.parametrize("answer", [(429, {"Retry-After": "0"}), (503, {}), (500, {})])
async def test_a_busy_service_is_asked_again(
    store: Store, service: PushService, answer: tuple[int, dict[str, str]]
) -> None:
    service.answers = iter([answer, answer])
    browser = service.browser()
    async with hub(store, service, Shown(), SetClock()) as push:
        push.try_out((await push.subscribe(wish(browser))).id)
        await delivered(service, 3)
        assert len(push.all()) == 1
    assert browser.read(service.deliveries[-1].sealed)["title"] == "It works"


@pytest.mark.parametrize("answer", [(413, {}), (301, {"Location": "https://localhost:1/"})])
async def test_a_message_that_is_refused_is_not_sent_again(
    store: Store, service: PushService, answer: tuple[int, dict[str, str]]
) -> None:
    service.answers = iter([answer])
    async with hub(store, service, Shown(), SetClock()) as push:
        made = await push.subscribe(wish(service.browser()))
        push.try_out(made.id)
        await delivered(service, 1)
        push.try_out(made.id)
        await delivered(service, 2)
        assert len(service.deliveries) == 2
        assert len(push.all()) == 1


async def test_a_service_whose_certificate_is_not_trusted_gets_nothing(
    store: Store, service: PushService
) -> None:
    manner = Manner(ZoneInfo("UTC"), tell, "mailto:a@example.com", private=True, first_wait_s=0.01)
    push = await open_push(Shown(), store.settings, SetClock(), manner)
    push.try_out((await push.subscribe(wish(service.browser()))).id)

    async def waiting() -> int:
        return push.waiting

    await until(waiting, lambda count: count == 0, 20, "it is given up")
    await push.close()
    assert service.deliveries == []


async def test_the_same_browser_again_replaces_its_wish(store: Store, service: PushService) -> None:
    browser = service.browser()
    async with hub(store, service, Shown(), SetClock()) as push:
        first = await push.subscribe(wish(browser))
        second = await push.subscribe(replace(wish(browser), subjects=frozenset({Subject.CAR})))
        assert first.id == second.id == id_of(browser.endpoint)
        assert [each.subjects for each in push.all()] == [{Subject.CAR}]
        await push.unsubscribe(first.id)
        with pytest.raises(UnknownSubscriptionError):
            await push.unsubscribe(first.id)


async def test_there_is_a_most_and_a_person_can_be_forgotten(
    store: Store, service: PushService
) -> None:
    async with hub(store, service, Shown(), SetClock()) as push:
        for number in range(MOST):
            await push.subscribe(wish(service.browser(str(number))))
        with pytest.raises(BadSubscriptionError, match="remove one"):
            await push.subscribe(wish(service.browser("more")))
        await push.forget("anna")
        assert push.all() == []


async def test_what_is_kept_and_damaged_is_said_and_begun_anew(
    store: Store, service: PushService
) -> None:
    for name in ("push key", "push subscriptions", "push told"):
        await store.settings.put(name, '{"a": NaN')
    async with hub(store, service, Shown(), SetClock()) as push:
        assert push.all() == []
        await push.subscribe(wish(service.browser()))


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/x",
        "https://192.168.1.1/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://[64:ff9b::a00:1]/x",
        "https://[2002:a00:1::]/x",
        "https://169.254.169.254/latest",
        "https://localhost/x",
        "https://router/x",
        "https://push.example.com:8443/x",
        "https://user@push.example.com/x",
        "https://push.example.com/x#y",
        "https://push.example.com/\n",
        "https://push.example.com/" + "x" * 2000,
        "https://push.exämple.com/",
        "https://[bad/x",
        "ftp://push.example.com/x",
        "https://127.1/x",
        "https://0x7f.1/x",
        "https://push.2130706433/x",
        "",
    ],
)
def test_no_address_leads_into_the_home(endpoint: str) -> None:
    with pytest.raises(BadSubscriptionError):
        check_endpoint(endpoint)


def test_a_push_service_s_address_is_taken() -> None:
    check_endpoint("https://updates.push.services.mozilla.com/wpush/v2/gAAAAAB")
    check_endpoint("https://web.push.apple.com:443/QabcD")
    check_endpoint("https://localhost:8443/x", private=True)


@pytest.mark.parametrize(
    ("address", "internet"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("64:ff9b::808:808", True),
        ("10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - only asked about
        ("no address", False),
    ],
)
def test_which_addresses_are_the_internet_s(address: str, *, internet: bool) -> None:
    assert public(address) is internet


async def test_a_name_that_points_into_the_home_is_not_followed() -> None:
    resolver = RingResolver(Ring.INTERNET)
    with pytest.raises(OSError, match="no address on the internet"):
        await resolver.resolve("localhost", 443)
    await resolver.close()


@pytest.mark.parametrize(
    ("p256dh", "auth"), [("", ""), ("AAAA", "AAAA"), ("!", "!"), ("BA" + "A" * 85, "A" * 22)]
)
def test_damaged_keys_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(PushError, match="damaged"):
        sealing.check_keys(p256dh, auth)


def test_what_seals_is_not_loaded_before_it_is_needed() -> None:
    """A hub that nobody subscribed to does without the memory."""
    told = "import sys, hems.commands.run; print({'http_ece', 'py_vapid'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

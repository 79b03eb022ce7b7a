"""The client against a scripted utility over real mutual TLS."""

import asyncio
import contextlib
import random
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from certs.identity import lfdi, sfdi
from certs.pem import read_certificates
from certs.pki import Pki, init_pki
from certs.tls import client_context, server_context
from hems.clock import SystemClock
from hems.sep2 import resources as res
from hems.sep2.client import Client, ClientSettings, ClientState, ListenSettings
from hems.sep2.der import DerReport
from hems.sep2.discovery import SERVICE_TYPE
from hems.sep2.errors import NotFoundError
from hems.sep2.events import Program, Schedule
from hems.sep2.http import Limits, Transport
from hems.sep2.mirror import MirrorSpec, Sample, SeriesSpec
from hems.sep2.registration import Identity
from hems.sep2.walker import Pace
from hems.sep2.xml import serialize
from tests.hems.sep2.controls_made import control, default, shed
from tests.hems.sep2.memory_ledger import MemoryLedger
from tests.hems.sep2.utility import PIN, Utility, post, serving

MODE = "opModImpLimW"
PACE = Pace(least_poll_s=0.1, default_poll_s=900, first_retry_s=0.05, longest_retry_s=0.1)
METER = SeriesSpec("5E", "net power", uom=38)

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("PRO-IP")]


class Home:
    """A client with its ledger; `start` it as often as a test restarts it."""

    def __init__(self, pki: Pki) -> None:
        certificate = read_certificates(pki.identity("hub").certificate)[0]
        self.pki = pki
        self.lfdi = lfdi(certificate.public_bytes(Encoding.DER))
        self.sfdi = sfdi(self.lfdi)
        self.ledger = MemoryLedger()
        self.schedules: list[tuple[float, Schedule]] = []
        self.states: list[ClientState] = []
        self.alarms: list[str] = []
        self._news = asyncio.Event()

    def utility(self, poll_s: int = 1) -> Utility:
        return Utility(self.lfdi, self.sfdi, default_poll_s=poll_s)

    def make(
        self, url: str | None, zeroconf: AsyncZeroconf | None = None, **changes: Any
    ) -> Client:
        settings = ClientSettings(
            identity=Identity(self.lfdi, self.sfdi, PIN),
            server="utility",
            url=url,
            pace=PACE,
            listen=ListenSettings("127.0.0.1"),
        )
        return Client(
            replace(settings, **changes),
            self._connect,
            self.ledger,
            SystemClock(),
            random.Random(1),  # noqa: S311 - draws, not secrets
            listen_context=server_context(self.pki.identity("hub"), self.pki.trust),
            zeroconf=zeroconf,
            on_schedule=self._on_schedule,
            on_state=self._on_state,
            alarm=self._on_alarm,
        )

    @contextlib.asynccontextmanager
    async def client(self, url: str | None, **changes: Any) -> AsyncIterator[Client]:
        client = self.make(url, **changes)
        task = asyncio.create_task(client.run())
        try:
            yield client
            assert not task.done(), "the client died"
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _connect(self, base: str) -> Transport:
        context = client_context(self.pki.identity("hub"), self.pki.trust)
        return Transport(base, context, limits=Limits(total_s=2, connect_s=2))

    def _on_schedule(self, schedule: Schedule) -> None:
        self.schedules.append((time.perf_counter(), schedule))
        self._news.set()

    def _on_state(self, state: ClientState) -> None:
        self.states.append(state)
        self._news.set()

    def _on_alarm(self, sentence: str) -> None:
        self.alarms.append(sentence)
        self._news.set()

    async def until(self, true: Callable[[], Any]) -> None:
        try:
            async with asyncio.timeout(8):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"never came: {self.states[-3:]} {self.alarms}") from None

    @property
    def limit_w(self) -> Any:
        """The import limit in force, None if there is none."""
        if not self.schedules or MODE not in self.schedules[-1][1].active:
            return None
        return self.schedules[-1][1].active[MODE].value

    @property
    def state(self) -> str:
        return self.states[-1].state if self.states else ""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return init_pki(Path(tmp_path_factory.mktemp("pki")) / "pki")


@pytest.fixture
async def home(pki: Pki) -> Home:
    return Home(pki)


@pytest.fixture
def context(pki: Pki) -> ssl.SSLContext:
    return server_context(pki.identity("utility"), pki.trust)


@pytest.fixture
def notifying(pki: Pki) -> ssl.SSLContext:
    return client_context(pki.identity("utility"), pki.trust)


async def test_finds_its_events_and_answers_them(home: Home, context: ssl.SSLContext) -> None:
    now = int(time.time())
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", now - 5, 600))
    utility.append("/dr/1/edc", shed("E2", now - 5, 600, 2000))
    utility.resources["/derp/1/dderc"] = default("D1", 5000)
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await home.until(lambda: home.limit_w == 1500)
        await utility.until(lambda: len(utility.codes) == 4)
        await home.until(lambda: home.state == "connected")
        active = client.engine.schedule.active
        assert active["TargetReduction.W"].value == 2000
        assert active["TargetReduction.W"].mandatory
    assert sorted(utility.codes) == [("E1", 1), ("E1", 2), ("E2", 1), ("E2", 2)]
    first = utility.posted("/rsp")[0]
    assert first.end_device_lfdi == home.lfdi
    assert abs(first.created_date_time - now) <= 2
    assert not [a for a in utility.asked if a.split()[1] not in utility.resources and "GET" in a]


async def test_finds_its_server_by_dns_sd(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    announcer = AsyncZeroconf(interfaces=["127.0.0.1"])
    listener = AsyncZeroconf(interfaces=["127.0.0.1"])
    try:
        async with serving(utility, context), home.client(None, zeroconf=listener):
            await home.until(lambda: home.state == "searching")
            info = ServiceInfo(
                SERVICE_TYPE,
                f"utility.{SERVICE_TYPE}",
                port=int(utility.base.rsplit(":", 1)[1]),
                addresses=[socket.inet_aton("127.0.0.1")],
                properties={"txtvers": "1", "dcap": "/dcap", "https": None},
                server="utility.local.",
            )
            await (await announcer.async_register_service(info))
            await home.until(lambda: home.limit_w == 1500)
            assert home.states[-1].server == utility.base + "/dcap"
    finally:
        await announcer.async_unregister_all_services()
        await announcer.async_close()
        await listener.async_close()


async def test_only_links_are_followed(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    moved = {"/edev/1/fsa": "/x/7", "/derp": "/y?z=1"}
    utility.resources["/x/7"] = utility.resources.pop("/edev/1/fsa")
    devices = utility.resources["/edev"]
    assert isinstance(devices, res.EndDeviceList)
    device = replace(
        devices.end_device[0],
        function_set_assignments_list_link=res.Link(href=moved["/edev/1/fsa"]),
    )
    utility.change("/edev", end_device=(device,))
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
    assert "GET /edev/1/fsa" not in utility.asked


async def test_registers_itself_where_it_is_unknown(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.change("/edev", end_device=(), all=0)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.state == "connected")
    (made,) = utility.posted("/edev", res.EndDevice)
    assert (made.lfdi, made.sfdi) == (home.lfdi, home.sfdi)


async def test_a_wrong_pin_ends_all_traffic(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.change("/edev/1/rg", pin=PIN + 1)
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await home.until(lambda: home.state == "refused")
        assert "PIN" in client.state.detail
        before = list(utility.asked)
        await client.engine.set_default(Program("A1"), None)
        assert utility.asked == before
    assert utility.asked[-1] == "GET /edev/1/rg"
    assert not utility.got
    assert home.limit_w is None


@pytest.mark.parametrize("status", [503, 429, 500])
async def test_a_response_is_retried_and_posted_once(
    home: Home, context: ssl.SSLContext, status: int
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    utility.faults["POST /rsp"] = [status, status]
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: len(utility.codes) == 2)
        polls = utility.asked.count("GET /derp/1/derc")
        await utility.until(lambda: utility.asked.count("GET /derp/1/derc") > polls + 1)
    assert utility.codes == [("E1", 1), ("E1", 2)]


async def test_a_refused_response_is_given_up_and_the_next_goes_on(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    utility.faults["POST /rsp"] = [400]
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: len(utility.codes) == 1)
    assert utility.codes == [("E1", 2)]
    assert [a for a in home.alarms if "given up" in a and "400" in a]


async def test_a_lost_answer_brings_no_second_response(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    utility.cut.add("/rsp")
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: len(utility.codes) == 2)
        await utility.until(lambda: utility.asked.count("GET /derp/1/derc") > 3)
    assert utility.codes == [("E1", 1), ("E1", 2)]
    assert "GET /rsp" in utility.asked


async def test_a_restart_posts_what_was_owed_and_nothing_twice(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context):
        async with home.client(utility.base + "/dcap"):
            await utility.until(lambda: len(utility.codes) == 2)
        # The process died after the second POST and before it was noted.
        home.ledger.locations.popitem()
        async with home.client(utility.base + "/dcap"):
            await utility.until(lambda: "GET /rsp" in utility.asked)
            await utility.until(lambda: utility.asked.count("GET /derp/1/derc") > 4)
    assert utility.codes == [("E1", 1), ("E1", 2)]
    assert len(home.ledger.locations) == 2


async def test_holds_the_limit_again_with_the_server_unreachable(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
    home.schedules.clear()
    async with home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
        await home.until(lambda: home.state == "unreachable")


async def test_a_notification_acts_at_once(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=900)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: utility.posted("/edev/1/sub"))
        gets = utility.asked.count("GET /derp/1/derc")
        event = control("E1", int(time.time()) - 1, 600)
        listed = res.DERControlList(all=1, results=1, der_control=(event,))
        assert await utility.notify(listed, notifying) == 204
        assert home.limit_w == 1500
        assert utility.asked.count("GET /derp/1/derc") == gets, "the list came along"
        await utility.until(lambda: utility.codes == [("E1", 1), ("E1", 2)])
        utility.append("/derp/1/derc", event)
        utility.append(
            "/derp/1/derc", control("E2", int(time.time()) - 1, 600, creation=9, limit_w=1)
        )
        assert await utility.notify(None, notifying) == 204
        await home.until(lambda: home.limit_w == 1)
        assert utility.asked.count("GET /derp/1/derc") == gets + 1


async def test_what_is_no_notification_of_ours_is_refused(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=900)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: utility.posted("/edev/1/sub"))
        uri = utility.posted("/edev/1/sub")[0].notification_uri
        stranger = res.Notification(
            subscribed_resource="/derp/1/derc", status=0, subscription_uri=utility.base + "/other"
        )
        assert await post(uri, serialize(stranger), notifying) == 404
        assert await post(uri, b"<Notification", notifying) == 400
        assert await post(uri, b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", notifying) == 400
        assert await post(uri, b" " * (2 << 20), notifying) == 413
        assert await utility.notify(None, notifying) == 204


async def test_subscriptions_do_not_pile_up_over_restarts(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    async with serving(utility, context):
        for wanted in (1, 2, 3):
            made = partial(_made, utility, wanted)
            async with home.client(utility.base + "/dcap"):
                await utility.until(made)


def _made(utility: Utility, wanted: int) -> bool:
    """Whether so many subscriptions were asked for in all, and one of them stands."""
    standing = utility.resources["/edev/1/sub"]
    assert isinstance(standing, res.SubscriptionList)
    return len(utility.posted("/edev/1/sub")) == wanted and standing.all == 1


async def test_a_failing_function_set_stalls_no_other(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    del utility.resources["/dr"]
    del utility.resources["/mup"]
    utility.faults["GET /tm"] = [500] * 100
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: utility.codes == [("E1", 1), ("E1", 2)])


async def test_comes_back_when_the_server_does(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    async with serving(utility, context):
        port = int(utility.base.rsplit(":", 1)[1])
    async with home.client(utility.base + "/dcap"):
        await home.until(lambda: home.state == "unreachable")
        utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
        async with serving(utility, context, port):
            await home.until(lambda: home.limit_w == 1500)
            await home.until(lambda: home.state == "connected")


@pytest.mark.requirement("TIME-SERVER")
async def test_runs_on_the_servers_clock_and_keeps_it(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.ahead_s = 5000.0
    utility.append("/derp/1/derc", control("E1", int(time.time() + 5000) - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
        active = home.schedules[-1][1].active[MODE]
        assert active.start == pytest.approx(time.time() - 5, abs=3)
    assert home.ledger.offsets["utility"] == pytest.approx(5000, abs=1.1)


async def test_mirrors_readings_in_one_usage_point_over_restarts(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    spec = MirrorSpec("3A", "home", [METER], post_s=1)
    now = int(time.time())
    async with serving(utility, context):
        for run in (1, 2):
            async with home.client(utility.base + "/dcap", mirrors=[spec]) as client:
                client.add_sample(Sample("5E", now + run, 1, 1234.4))
                await utility.until(partial(_mirrored, utility, run))
    (point,) = utility.posted("/mup")
    assert point.device_lfdi == home.lfdi
    (series,) = point.mirror_meter_reading
    assert series.reading_type.uom == 38
    posts = [r for _, _p, r in utility.got if isinstance(r, res.MirrorMeterReading)]
    readings = [r.mirror_reading_set[0].reading[0] for r in posts]
    assert [r.value for r in readings] == [1234, 1234]
    assert readings[0].time_period is not None
    assert abs(readings[0].time_period.start - now - 1) <= 1


def _mirrored(utility: Utility, wanted: int) -> bool:
    return sum(1 for _, path, _r in utility.got if path.startswith("/mup/")) == wanted


async def test_tells_about_its_der_once(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    report = DerReport(status=res.DERStatus(reading_time=int(time.time())))
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        client.publish_der(report)
        await utility.until(lambda: [p for m, p, _ in utility.got if m == "PUT"])
        client.publish_der(report)
        later = DerReport(status=res.DERStatus(reading_time=int(time.time()) + 9))
        client.publish_der(later)
        await utility.until(lambda: len([p for m, p, _ in utility.got if m == "PUT"]) == 2)
    assert {p for m, p, _ in utility.got if m == "PUT"} == {"/edev/1/der/1/ders"}


async def test_opting_out_reaches_the_utility(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600, required=3))
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await utility.until(lambda: len(utility.codes) == 2)
        await client.engine.opt_out("E1")
        assert home.limit_w is None
        await utility.until(lambda: ("E1", 4) in utility.codes)


def test_listening_everywhere_needs_a_name_for_the_utility() -> None:
    with pytest.raises(ValueError, match="public_host"):
        ListenSettings("0.0.0.0")  # noqa: S104 - refused
    assert ListenSettings("0.0.0.0", public_host="home.example").port == 0  # noqa: S104


async def test_a_client_without_a_server_knows_no_notification(home: Home) -> None:
    client = home.make("https://127.0.0.1:9/dcap")
    with pytest.raises(NotFoundError, match="there is no server"):
        await client.handle_notification(b"")


async def test_a_server_of_another_ca_is_refused(home: Home, tmp_path: Path) -> None:
    other = init_pki(tmp_path / "other")
    strange = server_context(other.identity("utility"), other.trust)
    utility = home.utility()
    async with serving(utility, strange), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.state == "refused")
        assert "127.0.0.1" in home.states[-1].detail
    assert not utility.asked


async def test_a_taken_listening_port_leaves_polling(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    async with serving(utility, context):
        port = int(utility.base.rsplit(":", 1)[1])
        listen = ListenSettings("127.0.0.1", port)
        async with home.client(utility.base + "/dcap", listen=listen):
            await home.until(lambda: home.state == "connected")
    assert [a for a in home.alarms if str(port) in a]

"""Several utilities of one home: what they ask is merged, and what fails touches no other."""

import asyncio
import contextlib
import math
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certs.identity import lfdi, sfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki
from certs.tls import server_context
from der.model import DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from der.registry import CONTROLS
from hems.aside import Aside
from hems.clock import SystemClock
from hems.grid import Grid, GridEvents
from hems.image import Image
from hems.link import House
from hems.sep2 import resources as res
from hems.settings.config import Config
from hems.store.store import Store, open_store
from hems.surface import BindingEventError, UnknownEventError
from programs.signal import SignalKind
from tests.hems.sep2.controls_made import control, default
from tests.hems.sep2.fleet import Fleet, lfdi_of
from tests.hems.sep2.kinds_made import message
from tests.hems.sep2.utility import PIN, serving

pytestmark = [pytest.mark.requirement("PRO-2030.5")]

RANGES = {"meter": (-9000.0, 9000.0), "battery": (-5000.0, 5000.0), "evse": (0.0, 7000.0)}
SPECS = [
    DeviceSpec(kind, DeviceKind(kind), kind, CONTROLS[DeviceKind(kind)], *bounds)
    for kind, bounds in RANGES.items()
]


class Bench:
    """A grid's side of a home between scripted utilities."""

    def __init__(self, pki: Pki, store: Store) -> None:
        self.pki = pki
        self.store = store
        self.alarms: list[str] = []
        own = read_certificates(pki.identity("hub").certificate)[0]
        self.lfdi = lfdi(der(own))
        self._news = asyncio.Event()
        self.aside = Aside(self.alarms.append)

    def utility(self) -> Fleet:
        return Fleet(self.lfdi, sfdi(self.lfdi))

    def config(self, urls: dict[str, str], **changes: Any) -> Config:
        hub = self.pki.identity("hub")
        common = {
            "certificate": hub.certificate,
            "key": hub.key,
            "trust": self.pki.trust.roots,
            "crls": self.pki.trust.crls,
            "pin": str(PIN),
            "poll_least": "0.1 s",
            **changes,
        }
        sections = [{"name": name, "url": f"{url}/dcap", **common} for name, url in urls.items()]
        known = [{"id": "battery", "kind": "battery", "name": "B", "driver": "sunspec", "port": 1}]
        known[0] |= {"min": "-5 kW", "max": "5 kW"}
        return Config.model_validate({"utility": sections, "device": known})

    @contextlib.asynccontextmanager
    async def running(self, config: Config) -> AsyncIterator[Grid]:
        grid = Grid(
            House(config, SPECS, SystemClock(), self.store, 0),
            GridEvents(self._tell, self._tell, self._alarm, self.aside.spawn, self._react),
        )
        self.aside.start()
        task = asyncio.create_task(grid.run())
        try:
            yield grid
            assert not task.done() or not config.utility, "the grid's side died"
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self.aside.stop()

    def _tell(self) -> None:
        self._news.set()

    def _alarm(self, sentence: str) -> None:
        self.alarms.append(sentence)
        self._news.set()

    async def _react(self) -> None:
        self._news.set()

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not true():
                self._news.clear()
                await self._news.wait()


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return init_pki(tmp_path_factory.mktemp("pki") / "pki")


@pytest.fixture
def context(pki: Pki) -> ssl.SSLContext:
    return server_context(pki.identity("utility"), pki.trust)


@pytest.fixture
async def bench(pki: Pki, tmp_path: Path) -> AsyncIterator[Bench]:
    store = await open_store(tmp_path / "home.sqlite", SystemClock())
    yield Bench(pki, store)
    await store.close()


def now() -> int:
    return int(time.time())


def import_limits(grid: Grid) -> list[float]:
    signals = grid.signals() or ()
    return [s.value for s in signals if s.kind is SignalKind.IMPORT_LIMIT]


def states(grid: Grid) -> dict[str, str]:
    return {view.name: view.state for view in grid.utilities}


@pytest.mark.requirement("BUC-1")
async def test_the_stricter_limit_of_two_utilities_holds_and_each_is_answered(
    bench: Bench, context: ssl.SSLContext
) -> None:
    first, second = bench.utility(), bench.utility()
    first.append("/derp/1/derc", control("E1", now() - 5, 600, limit_w=3000))
    second.append("/derp/1/derc", control("E1", now() - 5, 600, limit_w=2000))
    async with serving(first, context), serving(second, context):
        config = bench.config({"grid": first.base, "market": second.base})
        async with bench.running(config) as grid:
            await bench.until(lambda: import_limits(grid) == [2000.0])
            await first.until(lambda: len(first.codes) == 2)
            await second.until(lambda: len(second.codes) == 2)
            second.change("/derp/1/derc", der_control=(), all=0)
            await bench.until(lambda: import_limits(grid) == [3000.0])
            await second.until(lambda: ("E1", 6) in second.codes)
            await bench.until(lambda: set(states(grid).values()) == {"connected"})
            assert [e.state for e in grid.events(Image(0.0, 0, {}))] == ["running", "cancelled"]
    assert first.codes == [("E1", 1), ("E1", 2)], "the same mRID at another utility is another"


async def test_what_goes_wrong_with_one_utility_touches_no_other(
    bench: Bench, context: ssl.SSLContext
) -> None:
    good, wrong = bench.utility(), bench.utility()
    good.append("/derp/1/derc", control("E1", now() - 5, 600, limit_w=3000))
    wrong.append("/derp/1/derc", control("E2", now() - 5, 600, limit_w=1))
    wrong.change("/edev/1/rg", pin=PIN + 1)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
        away = f"https://127.0.0.1:{closed.getsockname()[1]}"
    async with serving(good, context), serving(wrong, context):
        urls = {"wrong": wrong.base, "away": away, "good": good.base}
        async with bench.running(bench.config(urls)) as grid:
            await bench.until(lambda: import_limits(grid) == [3000.0])
            wanted = {"wrong": "refused", "away": "unreachable", "good": "connected"}
            await bench.until(lambda: states(grid) == wanted)
            assert "PIN" in grid.utilities[0].detail
            await good.until(lambda: good.codes == [("E1", 1), ("E1", 2)])
    assert not wrong.got
    assert [a for a in bench.alarms if "PIN" in a]


async def test_a_fault_in_one_client_ends_neither_the_other_nor_the_home(
    bench: Bench, context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    utility = bench.utility()
    utility.append("/derp/1/derc", control("E1", now() - 5, 600, limit_w=3000))

    async def fail() -> None:
        raise RuntimeError("a fault of ours")

    async with serving(utility, context):
        config = bench.config({"good": utility.base, "bad": "https://127.0.0.1:9"})
        async with bench.running(config) as grid:
            monkeypatch.setattr(grid.links[1].client, "run", fail)
            await bench.until(lambda: import_limits(grid) == [3000.0])
    assert [a for a in bench.alarms if "the utility bad failed and starts anew" in a]


async def test_the_owner_leaves_an_event_of_the_utility_that_sent_it(
    bench: Bench, context: ssl.SSLContext
) -> None:
    first, second = bench.utility(), bench.utility()
    second.append("/derp/1/derc", control("E2", now() - 5, 600, limit_w=2000, required=3))
    async with serving(first, context), serving(second, context):
        urls = {"grid": first.base, "market": second.base}
        voluntary = [{"name": "Peak", "binding": False}]
        async with bench.running(bench.config(urls, program=voluntary)) as grid:
            await bench.until(lambda: import_limits(grid) == [2000.0])
            await grid.choose("E2", leave=True)
            assert import_limits(grid) == []
            await second.until(lambda: ("E2", 4) in second.codes)
            with pytest.raises(UnknownEventError):
                await grid.choose("E9", leave=True)
        second.append("/derp/1/derc", control("E3", now() + 900, 600, limit_w=100))
        async with bench.running(bench.config(urls)) as grid:
            await second.until(lambda: ("E3", 1) in second.codes)
            with pytest.raises(BindingEventError):
                await grid.choose("E3", leave=True)


async def test_a_member_is_asked_for_and_reports_its_own_devices(
    bench: Bench, context: ssl.SSLContext
) -> None:
    utility = bench.utility()
    controls = utility.programmes("/derp/b", "A2")
    utility.enrol(lfdi_of("battery"), lists=("/derp/b",))
    own_limit = res.DERControlBase(
        op_mod_imp_lim_w=res.ActivePower.of(1200), op_mod_gen_lim_w=res.ActivePower.of(700)
    )
    utility.append(controls, replace(control("E1", now() - 5, 600), der_control_base=own_limit))
    member = {
        "name": "Cellar",
        "lfdi": lfdi_of("battery"),
        "pin": str(PIN),
        "devices": ["battery"],
    }
    async with serving(utility, context):
        config = bench.config({"grid": utility.base}, member=[member])
        async with bench.running(config) as grid:
            await bench.until(lambda: import_limits(grid) == [1200.0])
            asked = {s.kind: s.devices for s in grid.signals() or ()}
            assert asked[SignalKind.GENERATION_LIMIT] == {"battery"}
            grid.report(image())
            puts = {"/edev/1/der/1/dercap", "/edev/2/der/1/dercap"}
            await utility.until(lambda: puts <= {p for m, p, _ in utility.got if m == "PUT"})
            await utility.until(lambda: len(utility.told) == 2)
    assert {t[0] for t in utility.told} == {lfdi_of("battery")}


@pytest.mark.requirement("BUC-1", "BUC-11")
async def test_what_lies_ahead_is_events_to_come_and_what_stands_by_default(
    bench: Bench, context: ssl.SSLContext
) -> None:
    utility = bench.utility()
    utility.resources["/derp/1/dderc"] = default("D1", 4000)
    utility.append("/derp/1/derc", control("E1", now() + 3_000, 600, limit_w=2000))
    program = {"name": "Peak", "binding": False}
    async with serving(utility, context):
        config = bench.config({"grid": utility.base}, program=[program])
        async with bench.running(config) as grid:
            await bench.until(lambda: len(grid.ahead(time.time())) == 2)
            event, standing = grid.ahead(time.time())
            assert (event.event, event.value) == ("E1", 2000.0)
            assert event.starts_at - time.time() > 2_900
            assert (standing.event, standing.value) == ("D1", 4000.0)
            assert standing.starts_at == -math.inf
            await grid.choose("E1", leave=True)
            assert [s.event for s in grid.ahead(time.time())] == ["D1"], "what was left is not"


def image() -> Image:
    at = time.time()
    readings = {"meter": 500.0, "battery": -1000.0, "evse": 0.0}
    return Image(
        at,
        1,
        {s.id: DeviceState(s, Reading(at, readings[s.id]), Quality.GOOD) for s in SPECS},
    )


async def test_an_agreed_lfdi_is_not_the_certificates(
    bench: Bench, context: ssl.SSLContext
) -> None:
    utility = bench.utility()
    utility.enrol(lfdi_of("agreed"))
    utility.append("/derp/1/derc", control("E1", now() - 5, 600))
    async with serving(utility, context):
        config = bench.config({"grid": utility.base}, lfdi=lfdi_of("agreed"))
        async with bench.running(config) as grid:
            await utility.until(lambda: len(utility.told) == 2)
            assert grid.utilities[0].lfdi == lfdi_of("agreed")
    assert {t[0] for t in utility.told} == {lfdi_of("agreed")}
    assert "GET /edev/1/rg" not in utility.asked


async def test_a_message_is_shown_and_acknowledged_where_it_came_from(
    bench: Bench, context: ssl.SSLContext
) -> None:
    quiet, telling = bench.utility(), bench.utility()
    assigned = telling.resources["/edev/1/fsa"]
    assert isinstance(assigned, res.FunctionSetAssignmentsList)
    more = replace(
        assigned.function_set_assignments[0],
        messaging_program_list_link=res.Link(href="/msg", all=1),
    )
    telling.change("/edev/1/fsa", function_set_assignments=(more,))
    program = res.MessagingProgram(
        href="/msg/1",
        mrid="C1",
        description="News",
        primacy=1,
        locale="en",
        text_message_list_link=res.Link(href="/msg/1/txt", all=1),
    )
    telling.resources["/msg"] = res.MessagingProgramList(
        href="/msg", all=1, results=1, poll_rate=1, messaging_program=(program,)
    )
    urgent = message("E1", now() - 5, 600, priority=2)
    telling.resources["/msg/1/txt"] = res.TextMessageList(
        href="/msg/1/txt", all=1, results=1, text_message=(urgent,)
    )
    async with serving(quiet, context), serving(telling, context):
        config = bench.config({"quiet": quiet.base, "telling": telling.base})
        async with bench.running(config) as grid:
            await telling.until(lambda: ("E1", 2) in telling.codes)
            (shown,) = grid.messages
            assert (shown.text, shown.urgent) == ("Peak price tonight", True)
            assert not grid.events(Image(0.0, 0, {})), "a message asks the home to do nothing"
            await grid.acknowledge(shown.id)
            assert grid.messages[0].acknowledged
            await telling.until(lambda: len(telling.codes) == 3)
            with pytest.raises(UnknownEventError):
                await grid.acknowledge("nothing")


async def test_a_home_without_a_utility_is_asked_nothing(bench: Bench) -> None:
    async with bench.running(Config()) as grid:
        assert grid.signals() == ()
        assert not grid.utilities
        with pytest.raises(UnknownEventError, match="no utility is configured"):
            await grid.choose("E1", leave=True)

"""From the utility down to the homes and back: two head-ends, three homes, all on real sockets."""

import asyncio
import contextlib
import json
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from certs.pki import Pki
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.upstream.settings import UpstreamSettings
from hems.sep2.enddevice.reports import Report
from hems.sep2.errors import UnknownEventError
from hems.sep2.resources import ActivePower, LoadShedAvailability
from hems.sep2.rules.dialect import Dialect
from tests.hems.headend.conftest import PIN, Operator
from tests.hems.headend.ours import until
from tests.hems.headend.upstream.conftest import NAMES
from tests.hems.headend.upstream.houses import Dweller, dwelling, enter, lfdi_of, settings_of
from tests.waiting import until as until_told

pytestmark = pytest.mark.requirement("PRO-2030.5")

WITHIN_S = 40.0
SUPPORT = {"program": "Energy Support"}
SHED = Report(
    load_shed=(LoadShedAvailability(sheddable_power=ActivePower.of(2000)),),
)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def aggregating(
    pki: Pki, folder: Path, utility: HeadEnd, port: int, **changes: Any
) -> HeadEndSettings:
    """Return the settings of a head-end that is an aggregator at the utility."""
    identity = pki.identity("aggregator")
    upstream = UpstreamSettings(
        **{
            "url": utility.addresses.dcap_url,
            "certificate": identity.certificate,
            "key": identity.key,
            "roots": pki.trust.roots,
            "crls": pki.trust.crls,
            "pin": PIN,
            "edition": Dialect.CSIP_AUS,
            "look_s": 0.2,
            "poll_least_s": 0.2,
            "again_s": 0.5,
            "end_s": 1,
            "post_s": 1,
            "turn_s": 3,
            **changes,
        }
    )
    more = {"port": port, "upstream": upstream, "busy_timeout_s": 10.0}
    return settings_of(pki, folder).model_copy(update=more)


class Aggregator(Operator):
    """The operator of the aggregator's head-end."""

    def __init__(self, head_end: HeadEnd) -> None:
        super().__init__(head_end)
        self.head_end = head_end


Start = Callable[..., AbstractAsyncContextManager[Aggregator]]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start(utility: HeadEnd, pki: Pki, tmp_path: Path, port: int) -> Start:
    """Run the aggregator's head-end while a context lasts; again and again on one database."""

    @contextlib.asynccontextmanager
    async def run(at: int = port, **changes: Any) -> AsyncIterator[Aggregator]:
        settings = aggregating(pki, tmp_path / "aggregator", utility, at, **changes)
        async with AsyncExitStack() as stack:
            running = await stack.enter_async_context(HeadEnd(settings))
            yield await stack.enter_async_context(contextlib.aclosing(Aggregator(running)))

    return run


@pytest.fixture
async def living(pki: Pki, port: int) -> AsyncIterator[Callable[[Operator], Any]]:
    """Have three homes, each of which can shed 2 kW, live at the aggregator's head-end."""
    async with AsyncExitStack() as stack:

        async def move_in(operator: Operator) -> Sequence[Dweller]:
            found: list[Dweller] = []
            for name in NAMES:
                await enter(operator, lfdi_of(pki, name))
                url = f"https://127.0.0.1:{port}/dcap"
                found.append(await stack.enter_async_context(dwelling(pki, name, url)))
                found[-1].client.publish(SHED)

            async def told() -> list[Any]:
                _, answer = await operator.ask("GET", "/homes")
                lists = [each["subscriptions"] for each in answer["homes"]]
                own = sum("/edc" in href and len(href) > 10 for some in lists for href in some)
                return [own, *(len(each["load_shed"]) for each in answer["homes"])]

            await until_told(told, lambda seen: seen[0] == 3, WITHIN_S, "their own programmes")
            return found

        yield move_in


def shed(homes: Sequence[Dweller]) -> list[float | None]:
    return [home.shed_w for home in homes]


async def leave(home: Dweller) -> None:
    """Have its owner leave whatever it is asked."""
    for state in home.client.engine.events:
        with contextlib.suppress(UnknownEventError):  # over
            await home.client.engine.opt_out(state.event.mrid)


async def shares(running: HeadEnd, file: Path) -> str:
    """Return what `hems headend shares --homes` says."""
    door = {"url": running.addresses.operator_url, "token": running.token}
    await asyncio.to_thread(file.write_text, json.dumps(door))
    arguments = ("headend", "shares", "--homes", "--operator", str(file))
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hems", *arguments), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await command.communicate()
    assert command.returncode == 0, said
    return said.decode()


async def told(operator: Operator, event: Any, *expected: int) -> list[int]:
    """Wait until the utility was told, and return all that it was told of the event, in order."""

    async def codes() -> list[int]:
        _, shown = await operator.ask("GET", f"/events/{event['id']}")
        return [response["status"] for response in shown["homes"][0]["responses"]]

    return await until_told(codes, lambda seen: set(expected) <= set(seen), WITHIN_S, "told")


def orders(folder: Path) -> list[tuple[str, int]]:
    """Return what was dispatched to homes: the values asked, and to how many each."""
    with contextlib.closing(sqlite3.connect(folder / "aggregator" / "headend.sqlite")) as open_:
        return sorted(
            open_.execute(
                "SELECT e.modes, count(*) FROM own_event e JOIN own_event_home h USING (mrid)"
                " GROUP BY e.mrid"
            ).fetchall()
        )


async def test_a_shed_is_shared_made_up_for_measured_and_answered(
    start: Start, living: Callable[[Operator], Any], operator: Operator, tmp_path: Path
) -> None:
    async with start() as own:
        homes = await living(own)
        for home, net_w in zip(homes, (1500.0, -400.0, 700.0), strict=True):
            home.meter(net_w)

        async def read() -> list[float]:
            _, shown = await operator.ask("GET", "/readings")
            return [reading["value"] for reading in shown["readings"]]

        await until_told(read, lambda seen: 1800.0 in seen, WITHIN_S, "the reading of all")
        event = await operator.event(shed_w=3000, seconds=25, **SUPPORT)
        await until(lambda: shed(homes) == [1000, 1000, 1000])
        await told(operator, event, 1, 2)
        await leave(homes[2])
        await until(lambda: shed(homes) == [1500, 1500, None])

        _, seen = await own.ask("GET", "/upstream")
        (shared,) = seen["events"]
        assert (seen["link"], shared["event"], shared["total_w"]) == (
            "connected",
            event["id"],
            3000,
        )
        assert shared["homes"]["left"] == 1
        _, one = await own.ask("GET", f"/upstream/events/{shared['id']}")
        given = {each["lfdi"]: (each["share_w"], each["part"]) for each in one["shares"]}
        assert [given[home.lfdi][0] for home in homes[:2]] == [1500, 1500]
        assert given[homes[2].lfdi][1] == "left"
        lines = await shares(own.head_end, tmp_path / "operator.json")
        assert f"{event['id']}  shed 3000 W" in lines
        assert "  homes: 2 running, 1 left" in lines
        assert f"    {homes[0].lfdi}  1500 W, running, its meter 1500 W" in lines
        status, refused = await own.ask("GET", "/upstream/events/none")
        assert (status, refused["error"]) == (404, "no shared event 'none'")

        assert sorted(await told(operator, event, 3)) == [1, 2, 3]
    assert orders(tmp_path) == [('{"shed_w": 1000.0}', 3), ('{"shed_w": 1500.0}', 2)]


async def test_a_restart_in_the_middle_doubles_nothing_and_forgets_nothing(
    start: Start, living: Callable[[Operator], Any], operator: Operator, tmp_path: Path
) -> None:
    async with start() as own:
        homes = await living(own)
        event = await operator.event(limit_import_w=3000, minutes=30)
        await until(lambda: [home.limit_w for home in homes] == [1000, 1000, 1000])
        await told(operator, event, 2)
    before = orders(tmp_path)
    async with start() as own:

        async def shared() -> list[Any]:
            _, seen = await own.ask("GET", "/upstream")
            return [seen["link"], *(each["homes"] for each in seen["events"])]

        running = ["connected", {"running": 3}]
        await until_told(shared, lambda seen: seen == running, WITHIN_S, "taken up again")
        assert [home.limit_w for home in homes] == [1000, 1000, 1000]
        assert orders(tmp_path) == before == [('{"limit_import_w": 1000.0}', 3)]
        await operator.ask("POST", f"/events/{event['id']}/cancel")
        await until(lambda: [home.limit_w for home in homes] == [None, None, None])
        assert sorted(await told(operator, event, 6)) == [1, 2, 6], "each once"
        await until_told(shared, lambda seen: seen == ["connected"], WITHIN_S, "let go")


@contextlib.asynccontextmanager
async def process(settings: HeadEndSettings, folder: Path, name: str) -> AsyncIterator[Any]:
    """Run a worker as a program, with its operator; it is killed in the end if it runs still."""
    config = folder / f"{name}.toml"
    config.write_text(_toml(settings, folder / f"{name}.json"))
    with (folder / f"{name}.log").open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hems", "headend", "run", "--config", str(config),
            stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
    try:
        assert running.stdout is not None
        line = await asyncio.wait_for(running.stdout.readline(), WITHIN_S)
        assert line, (folder / f"{name}.log").read_text()
        token = settings.token_file.read_text().strip()
        async with contextlib.aclosing(_Door(json.loads(line)["operator"], token)) as door:
            yield running, door
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.kill()
        await running.wait()


def _toml(settings: HeadEndSettings, ready: Path) -> str:
    def table(values: dict[str, Any]) -> str:
        return "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items())

    values = settings.model_dump(mode="json", exclude_unset=True, exclude={"upstream"})
    upstream = settings.upstream
    assert upstream is not None
    shared = upstream.model_dump(mode="json", exclude_unset=True)
    return f"{table(values | {'ready_file': str(ready)})}\n[upstream]\n{table(shared)}\n"


class _Door(Operator):
    """The operator at a worker that is a program."""

    def __init__(self, url: str, token: str) -> None:
        self._session = aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def workers(utility: HeadEnd, pki: Pki, port: int, tmp_path: Path) -> Sequence[HeadEndSettings]:
    """Return the settings of two workers of the aggregator; homes live at the second."""
    folder = tmp_path / "aggregator"
    return [aggregating(pki, folder, utility, each) for each in (free_port(), port)]


@pytest.mark.deep
async def test_when_the_worker_that_shares_is_killed_another_goes_on(
    workers: Sequence[HeadEndSettings],
    living: Callable[[Operator], Any],
    operator: Operator,
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        killed, first = await stack.enter_async_context(process(workers[0], tmp_path, "first"))
        linked = await until_told(lambda: _look(first), _is_linked, WITHIN_S, "the first shares")
        _, own = await stack.enter_async_context(process(workers[1], tmp_path, "second"))
        homes = await living(own)
        assert (await _look(own))["link"] is None
        event = await operator.event(shed_w=3000, seconds=60, **SUPPORT)
        await until(lambda: shed(homes) == [1000, 1000, 1000])
        await told(operator, event, 2)
        (seen,) = (await _look(own))["events"]
        assert seen["homes"] == {"running": 3}, "who does not share can tell all the same"

        killed.kill()
        await killed.wait()
        after = await until_told(lambda: _look(own), _is_linked, WITHIN_S, "the other shares")
        assert after["holder"] != linked["holder"]
        await leave(homes[2])
        await until(lambda: shed(homes) == [1500, 1500, None])
        assert sorted(await told(operator, event, 2)) == [1, 2]
    assert orders(tmp_path) == [('{"shed_w": 1000.0}', 3), ('{"shed_w": 1500.0}', 2)]


def _is_linked(seen: Any) -> bool:
    return bool(seen["link"] == "connected")


async def _look(door: Operator) -> Any:
    return (await door.ask("GET", "/upstream"))[1]

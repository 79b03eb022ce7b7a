"""Orders that are sent again under the name that their operator gave them: done once."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.errors import RequestError
from hems.headend.operator_models import CancelIn, EventIn
from hems.headend.operators.roles import MACHINE
from hems.headend.orders.repeats import AGAIN, KEPT_S, KEY, LONGEST, named
from hems.headend.orders.settings import FourEyesSettings
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.bad_input import differing, dump
from tests.hems.headend.conftest import Operator
from tests.hems.headend.operators.conftest import Person, Staff
from tests.hems.headend.settle.homes import SetClock
from tests.postgres import Postgres
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRV-RBAC", "LC-TEST")
START = 1_800_000_000.0
WITHIN_S = 60.0
WISH = {"limit_import_w": 1500, "minutes": 10}
SAME = b'{ "minutes": 10.0,\n "limit_import_w": 1.5e3 }'
OTHER = {"limit_import_w": 1501, "minutes": 10}

BAD_KEYS: Mapping[str, list[str]] = {
    "empty": [""],
    "spaces alone": ["  "],
    "too long": ["k" * (LONGEST + 1)],
    "beyond ASCII": ["clé"],
    "not printable": ["a\tb"],
    "twice": ["a", "b"],
    "twice the same": ["a", "a"],
}


@pytest.fixture(params=["sqlite", "postgresql"], name="database")
def _database(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    if request.param == "sqlite":
        return tmp_path / "headend.sqlite"
    running: Postgres = request.getfixturevalue("postgres")
    return running.database()


@pytest.fixture
def settings(settings: HeadEndSettings) -> HeadEndSettings:
    return settings.model_copy(update={"busy_timeout_s": 10.0})


async def give(
    operator: Operator, path: str, body: object = None, key: str = "k"
) -> tuple[int, Any]:
    return await operator.ask("POST", path, body, **{KEY: key})


async def orders(operator: Operator) -> list[str]:
    status, answer = await operator.ask("GET", "/events")
    assert status == 200, answer
    return [each["id"] for each in answer["events"]]


@given(keys=st.lists(st.text(max_size=LONGEST + 2), min_size=1, max_size=2))
def test_a_name_is_once_some_printable_ascii(keys: list[str]) -> None:
    good = len(keys) == 1 and 1 <= len(keys[0]) <= LONGEST
    good = good and all(" " <= char <= "~" for char in keys[0])
    if good:
        assert named(keys, MACHINE, "/events") is not None
    else:
        with pytest.raises(RequestError, match=KEY):
            named(keys, MACHINE, "/events")


@given(watts=st.lists(st.integers(0, 3), min_size=2, max_size=2), places=st.permutations("abab"))
def test_what_is_asked_tells_orders_apart(watts: list[int], places: list[str]) -> None:
    wishes = [EventIn(limit_import_w=each, minutes=5) for each in watts]
    one, two = (
        named(["k"], MACHINE, place, wish) for wish, place in zip(wishes, places[:2], strict=True)
    )
    assert (one == two) is (watts[0] == watts[1] and places[0] == places[1])
    assert named(["k"], MACHINE, "a", CancelIn()) == named(["k"], MACHINE, "a", CancelIn())
    assert named([], MACHINE, "a", wishes[0]) is None


@pytest.mark.parametrize("keys", BAD_KEYS.values(), ids=BAD_KEYS)
@pytest.mark.parametrize("path", ["", "/{event}/cancel"])
async def test_a_bad_name_is_refused_and_leaves_no_trace(
    head_end: HeadEnd, operator: Operator, staff: Staff, keys: list[str], path: str
) -> None:
    event = await operator.event(**WISH)
    before = await dump(head_end)
    url = head_end.addresses.operator_url
    headers = [("Authorization", f"Bearer {head_end.token}"), *((KEY, key) for key in keys)]
    body = json.dumps(WISH if not path else {})
    async with staff.stranger().session.post(
        f"{url}/events{path.format(event=event['id'])}", data=body, headers=headers
    ) as answer:
        assert answer.status == 400
        assert KEY in (await answer.json())["error"]
    assert differing(before, await dump(head_end)) == {}


async def test_sent_again_it_is_answered_the_same_and_nothing_more_is_ordered(
    operator: Operator, staff: Staff
) -> None:
    ada = await staff.logged_in("Ada", "dispatcher")
    status, made, answer = await ada.whole("POST", "/events", WISH, **{KEY: "k"})
    assert (status, AGAIN in answer.headers) == (201, False)
    before = await dump_of(staff)
    for body in (WISH, json.loads(SAME)):
        status, again, repeat = await ada.whole("POST", "/events", body, **{KEY: "k"})
        assert (status, repeat.headers[AGAIN]) == (201, "true")
        assert repeat.headers["Location"] == answer.headers["Location"] == f"/events/{made['id']}"
        assert {**again, "state": 0} == {**made, "state": 0}
    status, refused, answer = await ada.whole("POST", "/events", OTHER, **{KEY: "k"})
    assert (status, refused["error"]) == (422, f"something else was ordered with the {KEY} 'k'")
    assert "Location" not in answer.headers
    place = f"/events/{made['id']}/cancel"
    assert (await ada.whole("POST", place, {}, **{KEY: "k"}))[0] == 422
    assert before == await dump_of(staff)
    assert await orders(operator) == [made["id"]]


async def dump_of(staff: Staff) -> Any:
    _, told = await staff.operator.ask("GET", "/events")
    return [(each["id"], each["state"] == "cancelled") for each in told["events"]]


async def test_names_are_each_persons_own(operator: Operator, staff: Staff) -> None:
    ada = await staff.logged_in("Ada", "dispatcher")
    bob = await staff.with_token("Bob", "dispatcher")
    first = (await ada.whole("POST", "/events", WISH, **{KEY: "k"}))[1]["id"]
    second = (await bob.whole("POST", "/events", OTHER, **{KEY: "k"}))[1]["id"]
    status, machine = await give(operator, "/events", WISH)
    assert (status, len({first, second, machine["id"]})) == (201, 3)
    # By a token of her own it is the same person.
    _, token = await operator.ask("POST", "/operators/Ada/tokens", {"label": "t"})
    program = staff.stranger()
    program.token = token["token"]
    _, again, answer = await program.whole("POST", "/events", WISH, **{KEY: "k"})
    assert (again["id"], answer.headers[AGAIN]) == (first, "true")
    eve = await staff.with_token("Eve", "auditor")
    assert (await eve.whole("POST", "/events", WISH, **{KEY: "k"}))[0] == 403
    assert len(await orders(operator)) == 3


async def test_what_is_refused_leaves_its_name_free(head_end: HeadEnd, operator: Operator) -> None:
    before = await dump(head_end)
    for status, body in (
        (422, {**WISH, "minutes": 0}),
        (422, {**WISH, "program": "Nobody"}),
        (404, {**WISH, "group": "nowhere"}),
        (400, b"{"),
    ):
        assert (await give(operator, "/events", body))[0] == status
    assert (await give(operator, f"/events/{'F' * 32}/cancel"))[0] == 404
    assert (await give(operator, "/proposals/none/confirm"))[0] == 404
    assert (await operator.ask("POST", "/events/preview", WISH, **{KEY: "k"}))[0] == 200
    assert differing(before, await dump(head_end)) == {}
    assert (await give(operator, "/events", WISH))[0] == 201


async def test_a_cancelled_event_is_cancelled_once(operator: Operator) -> None:
    event = await operator.event(**WISH)
    place = f"/events/{event['id']}/cancel"
    first, second = [await give(operator, place, {"reason": "over"}) for _ in range(2)]
    assert first == second
    assert (first[0], first[1]["state"]) == (200, "cancelled")
    assert (await give(operator, place, {"reason": "why"}))[0] == 422
    assert (await give(operator, place, {"reason": "over"}, "another"))[0] == 409
    assert await give(operator, place, {"reason": "over"}) == first


async def test_proposing_confirming_and_withdrawing(
    settings: HeadEndSettings,
) -> None:
    eyes = settings.model_copy(update={"four_eyes": FourEyesSettings(above_homes=0)})
    async with HeadEnd(eyes) as head_end, desk(head_end) as (operator, staff):
        await operator.ask("POST", "/homes", {"lfdi": "0A" * 20, "pin": "123455"})
        ada = await staff.logged_in("Ada", "dispatcher")
        bob = await staff.with_token("Bob", "dispatcher")

        async def twice(who: Person, path: str, body: object, key: str) -> tuple[int, Any, str]:
            status, told, answer = await who.whole("POST", path, body, **{KEY: key})
            again = await who.whole("POST", path, body, **{KEY: key})
            assert AGAIN not in answer.headers
            assert again[2].headers[AGAIN] == "true"
            where = [each.headers.get("Location", "") for each in (answer, again[2])]
            assert (again[0], again[1]["id"], where[1]) == (status, told["id"], where[0])
            return status, told, where[0]

        status, proposal, place = await twice(ada, "/events", WISH, "1")
        assert (status, place) == (202, f"/proposals/{proposal['id']}")
        status, event, where = await twice(bob, f"{place}/confirm", None, "2")
        assert (status, where) == (201, f"/events/{event['id']}")
        told = await ada.whole("POST", "/events", WISH, **{KEY: "1"})
        assert (told[0], told[1]["state"], told[1]["event"]) == (202, "confirmed", event["id"])
        assert "confirmed already" in await bob.bad(409, "POST", f"{place}/confirm")
        _, second, place = await twice(ada, "/events", WISH, "3")
        status, done, where = await twice(bob, f"{place}/withdraw", {"reason": "no"}, "4")
        assert (status, done["state"], where) == (200, "withdrawn", "")
        _, known = await operator.ask("GET", "/proposals")
        assert [each["id"] for each in known["proposals"]] == [second["id"], proposal["id"]]
        assert await orders(operator) == [event["id"]]


@asynccontextmanager
async def desk(head_end: HeadEnd) -> AsyncIterator[tuple[Operator, Staff]]:
    """An operator and staff at a head-end that a test has started by itself."""
    operator = Operator(head_end)
    staff = Staff(operator, head_end.addresses.operator_url, [])
    try:
        yield operator, staff
    finally:
        for person in staff.made:
            await person.session.close()
        await operator.aclose()


async def test_a_name_is_forgotten_after_a_day(settings: HeadEndSettings) -> None:
    clock = SetClock(START)
    async with HeadEnd(settings, clock) as head_end, desk(head_end) as (operator, _):
        first = (await give(operator, "/events", {**WISH, "minutes": 5000}))[1]["id"]
        clock.at += KEPT_S - 1
        assert (await give(operator, "/events", {**WISH, "minutes": 5000}))[1]["id"] == first
        clock.at += 2
    async with HeadEnd(settings, clock) as head_end, desk(head_end) as (operator, _):

        async def names() -> int:
            return len((await dump(head_end))["order_key"])

        await until(names, lambda left: left == 0, WITHIN_S, "the house is kept")
        status, second = await give(operator, "/events", OTHER)
        assert (status, second["id"] == first) == (201, False)


@pytest.mark.parametrize("eyes", [None, 0], ids=["event", "proposal"])
async def test_two_workers_that_get_it_at_once_order_once(
    settings: HeadEndSettings, eyes: int | None
) -> None:
    four = FourEyesSettings(above_homes=eyes)
    chosen = settings.model_copy(update={"four_eyes": four})
    async with (
        HeadEnd(chosen) as first,
        HeadEnd(chosen) as second,
        desk(first) as (one, _),
        desk(second) as (two, _),
    ):
        await one.ask("POST", "/homes", {"lfdi": "0A" * 20, "pin": "123455"})
        for key in ("a", "b"):
            asked = [give((one, two)[n % 2], "/events", WISH, key) for n in range(8)]
            answers = await asyncio.gather(*asked)
            assert {status for status, _ in answers} == {201 if eyes is None else 202}
            assert len({told["id"] for _, told in answers}) == 1
        # Two orders under one name: one of them is given, the other refused, at either worker.
        bodies = (WISH, OTHER)
        asked = [give((one, two)[n % 2], "/events", bodies[n // 2 % 2], "c") for n in range(8)]
        answers = await asyncio.gather(*asked)
        assert Counter(status == 422 for status, _ in answers) == {True: 4, False: 4}
        assert len({told["id"] for status, told in answers if status != 422}) == 1
        kind = "events" if eyes is None else "proposals"
        assert len((await one.ask("GET", f"/{kind}"))[1][kind]) == 3


async def test_who_hangs_up_before_the_answer_asks_again(
    head_end: HeadEnd, operator: Operator
) -> None:
    where = urlsplit(head_end.addresses.operator_url)
    body = json.dumps(WISH).encode()
    for _ in range(3):
        _, writer = await asyncio.open_connection(where.hostname, where.port)
        head = (
            "POST /events HTTP/1.1",
            *(f"Host: {where.netloc}", f"Authorization: Bearer {head_end.token}"),
            *(f"{KEY}: k", f"Content-Length: {len(body)}", "", ""),
        )
        writer.write("\r\n".join(head).encode() + body)
        await writer.drain()
        writer.close()
    status, told = await give(operator, "/events", WISH)
    assert status == 201
    assert await orders(operator) == [told["id"]]


class Cut:
    """A line to PostgreSQL that breaks between the commit of a named order and its answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cut = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._port)
        cut = asyncio.Event()

        async def answer() -> None:
            with suppress(OSError):
                while (octets := await back.read(1 << 16)) and not cut.is_set():
                    writer.write(octets)
                    await writer.drain()
            writer.close()

        answering, order = asyncio.create_task(answer()), False
        with suppress(OSError):
            while octets := await reader.read(1 << 16):
                order = order or b"INSERT INTO order_key" in octets
                if order and b"COMMIT" in octets and not self.cut:
                    self.cut += 1
                    cut.set()  # the database does it, and says so to nobody
                forth.write(octets)
                await forth.drain()
        await answering
        forth.close()


async def test_the_database_is_cut_off_between_the_deed_and_its_answer(
    settings: HeadEndSettings, postgres: Postgres
) -> None:
    if not isinstance(settings.database, str):
        pytest.skip("an SQLite file is not at the end of a line")
    async with Cut(postgres.port) as line:
        address = settings.database.replace(f":{postgres.port}/", f":{line.port}/")
        chosen = settings.model_copy(update={"database": address})
        async with HeadEnd(chosen) as head_end, desk(head_end) as (operator, _):
            status, told = await give(operator, "/events", WISH)
            assert (status, line.cut) == (503, 1), told
            _, known = await until(
                lambda: operator.ask("GET", "/events"),
                lambda answer: answer[0] == 200,
                WITHIN_S,
                "it serves again",
            )
            (done,) = known["events"]
            status, told = await until(
                lambda: give(operator, "/events", WISH),
                lambda answer: answer[0] != 503,
                WITHIN_S,
                "it takes orders again",
            )
            assert (status, told["id"]) == (201, done["id"])
            assert await orders(operator) == [done["id"]]
            # Without a name it is not known whether it was done.
            assert (await operator.ask("POST", "/events", WISH))[1]["id"] != told["id"]

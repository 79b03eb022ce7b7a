"""Whatever is asked wrongly at the operator's door is refused with a reason, and leaves no trace.

The table is every route of the door by what can be wrong with a request. Each leaf of a sound body
is put out of its range, one after the other.
"""

import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from certs.pki import Pki
from hems.headend.operator_door import MAX_BODY
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.bad_input import Filled, Route, address, differing, dump, filled
from tests.postgres import Postgres

pytestmark = pytest.mark.requirement("PRO-2030.5", "L3-LIFECYCLE")

PAGE: Final = frozenset({"/", "/console", "/console/", "/console/{path}"})
"""Its files are for everybody: who has not said who he is sees where to say it."""
OTHERS: Final = {("GET", "/events/preview")}
"""What is another route with that method: an event of this id."""
METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
_NOW: Final = int(time.time())
_LFDI: Final = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
_ZERO: Final = "00" * 20
PASSWORD: Final = "correct horse battery staple"


ON_BOTH: Final = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
MOSTLY_ON_ONE: Final = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.deep)], indirect=True
)
"""For what is refused before a database is asked, or hardly asks it."""


@pytest.fixture(name="database")
def _database(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    if request.param == "sqlite":
        return tmp_path / "headend.sqlite"
    running: Postgres = request.getfixturevalue("postgres")
    return running.database()


@pytest.fixture
async def utility(
    settings: HeadEndSettings, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Filled]:
    patient = settings.model_copy(update={"busy_timeout_s": 10.0})
    async with filled(patient, pki, monkeypatch) as made:
        yield made


@pytest.fixture
async def untouched(utility: Filled) -> AsyncIterator[Filled]:
    """The utility; what is asked of it in the test must leave no trace."""
    before = await utility.dump()
    yield utility
    assert differing(before, await utility.dump()) == {}


def bodies() -> Mapping[Route, dict[str, Any]]:
    """Return what may well be asked, by route; each leaf has something that can be spoiled."""
    point = {"lat": 1.5, "lon": 1.5}
    hub = "/fleet/hubs/{id}"
    return {
        ("POST", "/events"): {
            "limit_import_w": 1000.0, "minutes": 5, "start": "+5m", "program": "Peak Saver",
            "randomize_start_s": 60, "group": "north", "ramp_s": 5.0,
        },
        ("POST", "/events/preview"): {"limit_import_w": 1000.0, "minutes": 5, "group": "north"},
        ("POST", "/events/{id}/cancel"): {"randomize": False},
        ("POST", "/events/{id}/settlements"): {},
        ("POST", "/proposals/{id}/confirm"): {},
        ("POST", "/proposals/{id}/withdraw"): {"reason": "r"},
        ("POST", "/session"): {"name": "ann", "password": PASSWORD},
        ("PUT", "/session/password"): {"old": PASSWORD, "new": PASSWORD + "!"},
        ("POST", "/operators"): {"name": "bob", "roles": ["auditor"], "password": PASSWORD},
        ("PUT", "/operators/{name}"): {"roles": ["auditor"]},
        ("PUT", "/operators/{name}/password"): {"password": PASSWORD},
        ("POST", "/operators/{name}/tokens"): {"label": "laptop", "days": 5},
        ("POST", "/aggregators"): {
            "lfdi": _LFDI, "pin": "123455", "edition": "2023", "may_register": True, "most": 5,
        },
        ("PUT", "/aggregators/{lfdi}"): {"may_register": True, "most": 5},
        ("POST", "/aggregators/{lfdi}/homes"): {"homes": [{"lfdi": _LFDI, "pin": "123455"}]},
        ("POST", "/homes"): {"lfdi": _LFDI, "pin": "123455", "edition": "2023"},
        ("POST", "/curves"): {
            "mode": "volt_var", "points": [[0.9, 10], [1.1, -10]], "name": "c", "open_loop_s": 5.0,
        },
        ("PUT", "/programs/{program}/default"): {"limit_import_w": 100.0, "set_grad_w": 1.0},
        ("POST", "/reservations/{id}/grant"): {"power_w": -1000.0, "minutes": 5, "start": _NOW},
        ("POST", "/reservations/{id}/cancel"): {},
        ("POST", "/messages"): {
            "text": "Hello", "priority": "normal", "minutes": 5, "originator": "us",
            "start": "+5m",
        },
        ("POST", "/messages/{id}/cancel"): {},
        ("PUT", "/prices"): {
            "tariff": "retail", "currency": "EUR", "primacy": 1,
            "prices": [{"start": _NOW + 7200, "minutes": 60, "price": 0.5}],
        },
        ("POST", "/fleet/hubs"): {"kind": "1.3.6.1.4.1.40732.5", "serial": "00ab", "site": "there"},
        ("POST", f"{hub}/state"): {"to": "quarantined", "reason": "odd"},
        ("POST", f"{hub}/test-window"): {"hours": 1.0},
        ("POST", f"{hub}/commissioning"): {
            "tested_by": "T", "witnessed_by": "W", "at": _NOW - 5, "document": "ab" * 32,
            "checks": [{"name": "identity", "passed": True, "note": "n"}],
        },
        ("POST", f"{hub}/replace"): {"by": "1.3.6.1.4.1.40732.5-00ab", "reason": "broken"},
        ("PUT", f"{hub}/licence"): {
            "number": "L", "valid_from": _NOW, "valid_until": _NOW + 9000, "reason": "r",
        },
        ("PUT", f"{hub}/policy"): {"largest_event_w": 5, "may_disconnect": True, "reason": "r"},
        ("PUT", f"{hub}/site"): {"site": "there", "reason": "r"},
        ("POST", "/fleet/groups"): {
            "groups": [{"id": "south", "name": "S", "kind": "feeder", "place": point}]
        },
        ("PUT", "/fleet/groups/{id}"): {"name": "N", "kind": "feeder", "place": point},
        ("PUT", "/fleet/groups/{id}/members"): {"sites": ["there"]},
        ("PUT", "/fleet/sites/{id}"): {
            "group": "north", "name": "n", "address": "a", "connection_point": "c", "reason": "r",
        },
        ("POST", "/fleet/imports"): {"name": "file"},
        ("POST", "/fleet/imports/{id}/lines"): {
            "lines": [{"line": 2, "cells": {"site": "x"}, "problem": "p", "column": "c"}]
        },
        ("POST", "/fleet/imports/{id}/run"): {"only_good": True},
    }  # fmt: skip


def place(utility: Filled, path: str, name: str = "") -> str:
    """Return a route's path, with what is there in it, or with `name` in place of that."""
    if name:
        return address(path, 1, **dict.fromkeys(("id", "lfdi", "name", "program"), name))
    own = utility.events[0]
    if path.startswith("/fleet/groups"):
        own = "north"
    elif path.startswith("/fleet/sites"):
        own = "there"
    elif path.startswith("/reservations"):
        own = "1" * 32
    elif path.startswith("/fleet/hubs"):
        own = utility.other.lfdi
    return address(
        path, 1, id=own, lfdi=utility.home.lfdi, program="Peak%20Saver", tariff="retail",
        flow="import",
    )  # fmt: skip


def writing(utility: Filled) -> Sequence[tuple[Route, str, dict[str, Any]]]:
    """Return the routes that take a body: as in the table, address, sound body."""
    sound = bodies()
    taking = {route for route in utility.door if route[0] in {"POST", "PUT"}}
    assert taking - set(sound) == set(), "the table needs a sound body for each"
    return [(route, place(utility, route[1]), body) for route, body in sound.items()]


HEALTH: Final = ("/health/live", "/health/ready")
"""What whoever watches the machine asks, without saying who it is."""


class Wrong:
    """Collects what was answered otherwise than it should have been."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def judge(self, what: str, got: tuple[int, Any], *wanted: int) -> None:
        """Note an answer that has another status, or no reason of one line."""
        status, said = got
        if status not in wanted:
            self.found.append(f"{what}: {status} instead of {wanted}: {said!r}"[:400])
        elif not (isinstance(said, dict) and said.get("error")) or "\n" in said["error"]:
            self.found.append(f"{what}: {status} without a reason of one line: {said!r}"[:400])


@pytest.fixture
def wrong() -> Iterator[Wrong]:
    """Where answers are judged; the test fails by what is found."""
    made = Wrong()
    yield made
    assert not made.found, "\n".join(made.found)


@MOSTLY_ON_ONE
async def test_who_shows_no_token_or_a_wrong_one(untouched: Filled, wrong: Wrong) -> None:
    url = untouched.head_end.addresses.operator_url
    sound = bodies()  # POST /session looks at who one says to be, and at nothing else
    shown = ("", "Bearer", "Bearer guessed", f"Basic {untouched.head_end.token}", "Bearer \xfc")
    async with aiohttp.ClientSession(url) as session:
        for method, path in untouched.door:
            if path in PAGE or path in HEALTH:
                continue
            for token in shown:
                headers = {"Authorization": token} if token else {}
                to = place(untouched, path)
                async with session.request(
                    method, to, headers=headers, json=sound.get((method, path), {})
                ) as answer:
                    said = await answer.json()
                    wrong.judge(f"{method} {path} {token!r}", (answer.status, said), 401)


@MOSTLY_ON_ONE
async def test_a_method_that_is_not_for_it(untouched: Filled, wrong: Wrong) -> None:
    methods: dict[str, set[str]] = {}
    for method, path in untouched.door:
        methods.setdefault(path, set()).add(method)
    assert len(methods) > 30
    for path, good in methods.items():
        for method in set(METHODS) - good:
            if (method, path) in OTHERS or path in PAGE:
                continue
            got = await untouched.operator.ask(method, place(untouched, path))
            wrong.judge(f"{method} {path}", got, 405)
            if not all(name in got[1].get("error", "") for name in good):
                wrong.found.append(f"{method} {path}: does not say that {sorted(good)} are")


NOWHERE: Final = ("nothing", _ZERO, "9" * 18, "9" * 40, "-1", "%00", "x" * 300, "1%0A2", "%FC")


@ON_BOTH
@pytest.mark.parametrize("name", NOWHERE)
async def test_what_is_not_there(untouched: Filled, wrong: Wrong, name: str) -> None:
    sound = bodies()
    making = {"/fleet/groups/{id}", "/fleet/sites/{id}"}  # a PUT makes what is not there
    for method, path in untouched.door:
        if (
            "{" not in path
            or path in PAGE
            or (method == "PUT" and path in making and name.isalnum())
        ):
            continue
        to = place(untouched, path, name)
        got = await untouched.operator.ask(method, to, sound.get((method, path)))
        wrong.judge(f"{method} {to}", got, *((400, 404) if method == "PUT" else (404,)))


UNREADABLE: Final[Mapping[str, tuple[bytes, int]]] = {
    "nothing": (b"", 400),
    "no JSON": (b"<Event/>", 400),
    "cut off": (b'{"minutes": 5, "', 400),
    "no text": (b'{"a": "\xff\xfe"}', 400),
    "two": (b"{} {}", 400),
    "deep": (b"[" * 100_000, 400),
    "a list": (b"[]", 422),
    "a number": (b"1", 422),
    "null": (b"null", 422),
    "unknown": (b'{"sandwich": 1}', 422),
    "a long number": (b'{"minutes": ' + b"9" * 5000 + b"}", 400),
    "too long": (b'{"a": "' + b"x" * MAX_BODY + b'"}', 413),
}


NEEDS_NONE: Final = {
    "/events/{id}/cancel",
    "/fleet/imports/{id}/run",
    "/proposals/{id}/withdraw",
    "/reservations/{id}/grant",
}


@MOSTLY_ON_ONE
@pytest.mark.parametrize("fault", UNREADABLE)
async def test_a_body_that_is_none(untouched: Filled, wrong: Wrong, fault: str) -> None:
    body, status = UNREADABLE[fault]
    for (method, path), to, _ in writing(untouched):
        if fault == "nothing" and path in NEEDS_NONE:
            continue
        if not bodies()[method, path]:
            continue  # takes none
        got = await untouched.operator.ask(method, to, body)
        # What it is about may be looked for first.
        wrong.judge(f"{method} {path}: {fault}", got, status, 403, 404, 422)


def leaves(body: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Return where the leaves of a body are."""
    if isinstance(body, dict | list):
        for key, part in body.items() if isinstance(body, dict) else enumerate(body):
            yield from leaves(part, (*path, key))
    else:
        yield path


def spoiled(body: Any, path: tuple[str | int, ...], value: object) -> Any:
    """Return a copy of a body with another value in one place."""
    copy = json.loads(json.dumps(body))
    at = copy
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return copy


ODD: Final[Sequence[object]] = (
    *("\0", "a\0b", "x" * 5000, "\u202e\u0007", "", "NaN", "9" * 30),
    *(-1, 2**31, 2**63, 1e308, -1e308, float("nan"), float("inf"), True),
    *([], {}, [1, 2]),
)


PARTS: Final = 4


@pytest.mark.parametrize(
    ("database", "part"),
    [
        pytest.param(store, part, marks=[pytest.mark.deep] if store != "sqlite" and part else [])
        for store in ("sqlite", "postgresql")
        for part in range(PARTS)
    ],
    indirect=["database"],
)
async def test_values_out_of_range(utility: Filled, wrong: Wrong, part: int) -> None:
    """Whatever stands wherever: it is taken, or refused without a trace; never a fault."""
    refused = 0
    for (method, path), to, body in writing(utility)[part::PARTS]:
        before = await dump(utility.head_end)
        taken = False
        for leaf in leaves(body):
            for odd in ODD:
                wish = json.dumps(spoiled(body, leaf, odd)).encode()
                status, said = await utility.operator.ask(method, to, wish)
                what = f"{method} {path} {leaf}: {str(odd)[:20]!r}"
                if status < 400:
                    taken = True
                    free = {"password", "old", "new"} & {str(key) for key in leaf}
                    if isinstance(odd, str) and not odd.isprintable() and not free:
                        wrong.found.append(f"{what}: taken")
                    continue
                refused += 1
                wrong.judge(what, (status, said), 400, 401, 403, 404, 409, 422, 429)
        if not taken and (trace := differing(before, await dump(utility.head_end))):
            wrong.found.append(f"{method} {path}: {trace}")
    assert refused > 100


QUERIES: Final = {
    "/readings": ("since=-1", "since=x", "since=1e400", "limit=x", "limit=-5", "since=nan"),
    "/fleet/hubs": ("state=odd", "group=%00", "limit=0", "limit=x", "after=%00", "site=a%20b"),
    "/fleet/sites": ("limit=0", "after=%00", "group=%FF"),
    "/fleet/groups": ("limit=-1", "parent=%00", "after=%FF"),
}


@ON_BOTH
async def test_queries_that_make_no_sense(untouched: Filled, wrong: Wrong) -> None:
    for path, queries in QUERIES.items():
        for query in queries:
            got = await untouched.operator.ask("GET", f"{path}?{query}")
            wrong.judge(f"GET {path}?{query}", got, 400, 422)
    for path in ("/readings", f"/homes/{untouched.home.lfdi}/readings"):
        for query in ("since=1e300", "limit=1e300", f"since={2**63}"):
            status, said = await untouched.operator.ask("GET", f"{path}?{query}")
            if status not in {200, 400}:
                wrong.found.append(f"GET {path}?{query}: {status} {said}")

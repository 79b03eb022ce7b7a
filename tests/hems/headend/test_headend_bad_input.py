"""Whatever a home asks wrongly is refused with the right status and a reason, and leaves no trace.

The table is every route that the utility has, by what can be wrong with a request. All that the
database holds is compared before and after.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from certs.pki import Pki
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import Resource
from hems.sep2.xml import MAX_BODY, MEDIA_TYPE, serialize
from tests.hems.headend.bad_input import (
    CHANGING,
    Filled,
    Route,
    address,
    differing,
    dump,
    filled,
    sound_bodies,
)
from tests.hems.headend.conftest import Answer, Home
from tests.postgres import Postgres

pytestmark = pytest.mark.requirement("PRO-2030.5")

METHODS: Final = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")
SEP: Final = b"urn:ieee:std:2030.5:ns"
BOMB: Final = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
OUTSIDE: Final = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'


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
    assert all(before[name] for name in ("home", "event", "response", "reading", "subscription"))
    yield utility
    assert differing(before, await utility.dump()) == {}


@dataclass
class Wrong:
    """Collects what was answered otherwise than it should have been."""

    found: list[str]

    def judge(self, what: str, answer: Answer, *wanted: int) -> None:
        """Note an answer that has another status, or no reason."""
        if answer.status not in wanted:
            self.found.append(f"{what}: {answer.status} instead of {wanted}: {answer.text[:200]}")
        elif not answer.text.strip():
            self.found.append(f"{what}: {answer.status} without a reason")


@pytest.fixture
def wrong() -> Iterator[Wrong]:
    """Where answers are judged; the test fails by what is found."""
    made = Wrong([])
    yield made
    assert not made.found, "\n".join(made.found)


def writing(utility: Filled) -> Sequence[tuple[Route, str, bytes]]:
    """Return the routes that take a body: as in the table of sound ones, address, sound body."""
    bodies = sound_bodies(utility.home, 1, utility.events[0])
    told = {(method, path.partition("#")[0]) for method, path in bodies}
    taking = {route for route in utility.homes if route[0] in {"POST", "PUT"}}
    assert taking - told == set(), "tests.hems.headend.bad_input needs a sound body for each"
    return [
        ((method, path), address(path, 1), serialize(body))
        for (method, path), body in bodies.items()
    ]


@MOSTLY_ON_ONE
async def test_a_method_that_is_not_for_it(untouched: Filled, wrong: Wrong) -> None:
    methods: dict[str, set[str]] = {}
    for method, path in untouched.homes:
        methods.setdefault(path, set()).add(method)
    assert len(methods) > 40
    for path, good in methods.items():
        allowed = good | ({"HEAD"} if "GET" in good else set())
        for method in set(METHODS) - good:
            answer = await untouched.home.ask(method, address(path, 1))
            wrong.judge(f"{method} {path}", answer, 405)
            told = {name.strip() for name in answer.headers.get("Allow", "").split(",")}
            if told != allowed:
                wrong.found.append(f"{method} {path}: Allow says {sorted(told)}")


@MOSTLY_ON_ONE
async def test_what_the_caller_does_not_read(untouched: Filled, wrong: Wrong) -> None:
    for method, path in untouched.homes:
        for accept in ("application/sep-exi", f"{MEDIA_TYPE};q=0", "text/html"):
            answer = await untouched.home.ask(method, address(path, 1), Accept=accept)
            wrong.judge(f"{method} {path} Accept {accept}", answer, 406)


SPOILED: Final[Mapping[str, tuple[Callable[[bytes], bytes], int]]] = {
    "nothing": (lambda _: b"", 400),
    "no XML": (lambda _: b"{}", 400),
    "octets that are no text": (lambda body: body.replace(b">", b">\xff\xfe", 3), 400),
    "another encoding": (
        lambda body: body.replace(b"?>", b' encoding="UTF-16"?>', 1),
        400,
    ),
    "cut in the middle": (lambda body: body[: len(body) // 2], 400),
    "cut at the end": (lambda body: body[:-1], 400),
    "another namespace": (lambda body: body.replace(SEP, b"urn:ieee:std:2030.5:other"), 400),
    "no namespace": (lambda body: body.replace(b' xmlns="' + SEP + b'"', b""), 400),
    "another resource": (lambda _: b'<Time xmlns="' + SEP + b'"/>', 400),
    "a resource nobody knows": (lambda _: b'<Sandwich xmlns="' + SEP + b'"/>', 400),
    "two documents": (lambda body: body + body.partition(b"?>")[2], 400),
    "a bomb": (lambda body: BOMB + body.partition(b"?>")[2].replace(b"</", b"&c;</", 1), 400),
    "an entity of outside": (
        lambda body: OUTSIDE + body.partition(b"?>")[2].replace(b"</", b"&b;</", 1),
        400,
    ),
    "a deep one": (lambda body: body.partition(b"?>")[2].replace(b"</", b"<a>" * 300, 1), 400),
    "far too many tags": (lambda body: body + b"<a/>" * 100_000, 413),
    "too long": (lambda body: body + b" " * MAX_BODY, 413),
}


@MOSTLY_ON_ONE
@pytest.mark.parametrize("fault", SPOILED)
async def test_a_body_that_is_none(untouched: Filled, wrong: Wrong, fault: str) -> None:
    spoil, status = SPOILED[fault]
    for (method, path), place, body in writing(untouched):
        answer = await untouched.home.ask(method, place, spoil(body))
        wrong.judge(f"{method} {path}: {fault}", answer, status)


@MOSTLY_ON_ONE
async def test_a_body_of_another_kind(untouched: Filled, wrong: Wrong) -> None:
    for (method, path), place, body in writing(untouched):
        for kind in ("application/json", "text/xml", "application/sep-exi", "sep+xml", ""):
            answer = await untouched.home.ask(method, place, body, **{"Content-Type": kind})
            wrong.judge(f"{method} {path} as {kind!r}", answer, 415)


@ON_BOTH
async def test_what_is_another_homes(untouched: Filled, wrong: Wrong) -> None:
    """Asked for by its number, or in its name; a stranger is refused wherever he is told more."""
    theirs = sound_bodies(untouched.other, 2, untouched.events[0])
    for (method, path), body in theirs.items():
        answer = await untouched.home.ask(method, address(path, 2), body)
        wrong.judge(f"{method} {path} of another", answer, 400, 403, 404)
        answer = await untouched.stranger.ask(method, address(path, 1), body)
        wrong.judge(f"{method} {path} by a stranger", answer, 403)
    for method, path in untouched.homes:
        if method in {"POST", "PUT"} or "{" not in path:
            continue
        if any(name in path for name in ("{home}", "{point}", "{response}")):
            answer = await untouched.home.ask(method, address(path, 2))
            wrong.judge(f"{method} {path} of another", answer, 403, 404)
        answer = await untouched.stranger.ask(method, address(path, 1))
        wrong.judge(f"{method} {path} by a stranger", answer, 403, 404)


NOWHERE: Final = (
    "4711",
    "0",
    "999999999999",
    "9" * 18,
    "9" * 40,
    "-1",
    "x",
    "%00",
    "%C3%BC",
    "1%0A",
)


@ON_BOTH
@pytest.mark.parametrize("number", NOWHERE)
async def test_what_is_not_there(untouched: Filled, wrong: Wrong, number: str) -> None:
    home = untouched.home
    bodies: Mapping[Route, Resource] = sound_bodies(home, 1, untouched.events[0])
    asked = [
        (method, path, None) for method, path in untouched.homes if method in {"GET", "DELETE"}
    ]
    for method, path, body in (*asked, *((m, p, body) for (m, p), body in bodies.items())):
        parts = path.partition("#")[0].split("/")
        names = [part.strip("{}") for part in parts if part.startswith("{")]
        for name in names:
            if (name, number) == ("entry", "0"):
                continue  # the entry for all programmes
            place = address(path, 1, **{name: number})
            answer = await home.ask(method, place, body)
            wrong.judge(f"{method} {place}", answer, 403, 404)


QUERIES: Final = ("l=-1", "s=x", "a=1.5", "l=99999999999", "s=99999999999", "l=", "l=%D9%A3")


@ON_BOTH
async def test_a_part_of_a_list_that_is_none(untouched: Filled, wrong: Wrong) -> None:
    lists = {"edev", "derp", "drp", "derc", "edc", "dc", "mup", "tp", "rc", "tti", "cti", "rsps",
             "r", "msg", "txt", "fsa", "der", "lel", "frq", "frp", "lsl", "sub"}  # fmt: skip
    asked = 0
    for method, path in untouched.homes:
        if method != "GET" or path.rpartition("/")[2] not in lists:
            continue
        place = address(path, 1, program="2" if path.startswith("/drp") else "1")
        for query in QUERIES:
            asked += 1
            answer = await untouched.home.ask("GET", f"{place}?{query}")
            wanted = (400, 404) if place.endswith("/cti") else (400,)
            wrong.judge(f"GET {place}?{query}", answer, *wanted)
    assert asked > 100


def element(name: str, value: str) -> Callable[[bytes], bytes]:
    """Return what puts another value into the first element of a name, which must be there."""

    def put(body: bytes) -> bytes:
        before, found, rest = body.partition(f"<{name}>".encode())
        assert found, name
        _, _, after = rest.partition(f"</{name}>".encode())
        return b"".join((before, found, value.encode(), f"</{name}>".encode(), after))

    return put


def without(name: str) -> Callable[[bytes], bytes]:
    """Return what takes an element out."""

    def take(body: bytes) -> bytes:
        return element(name, "")(body).replace(f"<{name}></{name}>".encode(), b"")

    return take


DER: Final = "/edev/{home}/der/1/{kind}"
OWN: Final = "/edev/{home}/{kind}"
MANY: Final = str(2**63)
SENSELESS: Final[Sequence[tuple[Route, Callable[[bytes], bytes], Sequence[int]]]] = [
    (("POST", "/edev"), element("sFDI", "1"), [400]),
    (("POST", "/edev"), element("lFDI", "AB" * 20), [403]),
    (("POST", "/edev"), element("changedTime", MANY), [400]),
    (("PUT", DER + "#dercap"), element("modesSupported", "1FFFFFFFF"), [400]),
    (("PUT", DER + "#dercap"), element("type", "256"), [400]),
    (("PUT", DER + "#dercap"), without("rtgMaxW"), [400]),
    (("PUT", DER + "#derg"), element("setGradW", "65536"), [400]),
    (("PUT", DER + "#derg"), element("setGradW", "-1"), [400]),
    (("PUT", DER + "#ders"), element("readingTime", MANY), [400]),
    (("PUT", DER + "#ders"), element("readingTime", "1e9"), [400]),
    (("PUT", DER + "#dera"), element("readingTime", ""), [400]),
    (("PUT", OWN + "#di"), element("lFDI", "AB" * 20), [403]),
    (("PUT", OWN + "#di"), element("mfModel", "m" * 33), [400]),
    (("PUT", OWN + "#ds"), without("changedTime"), [400]),
    (("POST", "/edev/{home}/lel"), element("details", "d" * 33), [400]),
    (("POST", "/edev/{home}/lel"), element("logEventID", "65536"), [400]),
    (("POST", "/edev/{home}/lel"), without("createdDateTime"), [400]),
    (("POST", "/edev/{home}/frq"), element("mRID", "x"), [400]),
    (("POST", "/edev/{home}/frq"), element("duration", "4294967296"), [400]),
    (("PUT", "/edev/{home}/frq/{request}"), element("mRID", "CD" * 16), [403]),
    (("POST", "/edev/{home}/lsl"), element("sheddablePercent", "65536"), [400]),
    (
        ("POST", "/edev/{home}/lsl"),
        lambda body: body.replace(
            b"<sheddablePercent>", b'<DemandResponseProgramLink href="/drp/9"/><sheddablePercent>'
        ),
        [400],
    ),
    (
        ("PUT", "/edev/{home}/lsl/{entry}"),
        lambda body: body.replace(
            b"<sheddablePercent>", b'<DemandResponseProgramLink href="/drp/2"/><sheddablePercent>'
        ),
        [400],
    ),
    (("POST", "/edev/{home}/sub"), element("encoding", "1"), [400]),
    (("POST", "/edev/{home}/sub"), element("subscribedResource", "/drp/3/edc?l=1"), [400]),
    (("POST", "/edev/{home}/sub"), element("subscribedResource", "/edev/2/frp"), [400]),
    (("POST", "/edev/{home}/sub"), element("subscribedResource", "https://a.b/drp/3/edc"), [400]),
    (("POST", "/edev/{home}/sub"), element("subscribedResource", "/derp/4/derc"), [400]),
    (("POST", "/edev/{home}/sub"), element("subscribedResource", "//[/"), [400]),
    (("POST", "/edev/{home}/sub"), element("notificationURI", "http://127.0.0.1:1/n"), [400]),
    (("POST", "/edev/{home}/sub"), element("notificationURI", "https://192.0.2.1/n"), [400]),
    (("POST", "/edev/{home}/sub"), element("notificationURI", "https://[/n"), [400]),
    (("POST", "/edev/{home}/sub"), element("notificationURI", "file:///etc/passwd"), [400]),
    (("POST", "/edev/{home}/sub"), element("limit", "4294967296"), [400]),
    (("POST", "/rsps/1/r"), element("endDeviceLFDI", "AB" * 20), [403]),
    (("POST", "/rsps/1/r"), element("subject", "AB" * 16), [400]),
    (("POST", "/rsps/1/r"), element("subject", "AB"), [400]),
    (("POST", "/rsps/1/r"), element("status", "256"), [400]),
    (("POST", "/rsps/1/r"), without("status"), [400]),
    (("POST", "/rsps/1/r"), element("createdDateTime", MANY), [400]),
    (("POST", "/mup"), element("deviceLFDI", "AB" * 20), [403]),
    (("POST", "/mup"), element("roleFlags", "10000"), [400]),
    (("POST", "/mup"), without("mRID"), [400]),
    (("POST", "/mup/{point}"), element("value", str(2**47 + 1)), [400]),
    (("POST", "/mup/{point}"), element("value", "NaN"), [400]),
    (("POST", "/mup/{point}"), element("powerOfTenMultiplier", "128"), [400]),
    (("POST", "/mup/{point}"), element("start", MANY), [400]),
    (("POST", "/mup/{point}"), element("duration", "-1"), [400]),
    (("POST", "/mup/{point}"), without("mRID"), [400]),
]


@ON_BOTH
async def test_values_that_contradict_or_are_out_of_range(untouched: Filled, wrong: Wrong) -> None:
    bodies = {route: (place, body) for route, place, body in writing(untouched)}
    for number, (route, spoil, wanted) in enumerate(SENSELESS):
        place, body = bodies[route]
        answer = await untouched.home.ask(route[0], place, spoil(body))
        wrong.judge(f"{number}: {route[0]} {route[1]}: {spoil(body)[-300:]!r}", answer, *wanted)


@ON_BOTH
async def test_an_answer_to_what_was_never_sent_to_this_home(
    untouched: Filled, wrong: Wrong
) -> None:
    """The event of another's group is as unknown to it as one that does not exist."""
    _, place, body = next(each for each in writing(untouched) if each[0][1] == "/rsps/1/r")
    said = set()
    for mrid in (untouched.events[2], "AB" * 16):
        answer = await untouched.home.ask("POST", place, element("subject", mrid)(body))
        wrong.judge(f"response to {mrid}", answer, 400)
        said.add(answer.text.replace(mrid, ""))
    assert len(said) == 1


AGAIN: Final = {
    **CHANGING,
    "document": frozenset({"updated_at"}),  # it holds as of then
    # Who subscribes anew is told anew.
    "subscription": frozenset({"told", "told_change", "told_at", "taken"}),
}
"""Columns that the same request again may change."""


@ON_BOTH
async def test_the_same_again_is_at_the_same_place_and_doubles_nothing(
    utility: Filled, wrong: Wrong
) -> None:
    home: Home = utility.home
    first: dict[str, str] = {}
    for (method, path), place, body in writing(utility):
        answer = await home.ask(method, place, body)
        if answer.status not in {200, 201, 204}:
            wrong.found.append(f"{method} {path}: {answer.status} {answer.text}")
        first[f"{method} {path}"] = answer.headers.get("Location", "")
    before = await dump(utility.head_end, AGAIN)
    for (method, path), place, body in writing(utility):
        for _ in range(3):
            answer = await home.ask(method, place, body)
            if answer.status not in {200, 201, 204}:
                wrong.found.append(f"{method} {path}: {answer.status} {answer.text}")
            if answer.headers.get("Location", "") != first[f"{method} {path}"]:
                wrong.found.append(f"{method} {path}: now at {answer.headers.get('Location')}")
    assert differing(before, await dump(utility.head_end, AGAIN)) == {}

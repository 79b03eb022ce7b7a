"""Getting in over real sockets, and every way of getting in that is none."""

import re
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hems.access import private_file
from hems.access.people import NewPerson
from hems.access.rights import RIGHTS, Right, Role
from hems.emg.threats.origin import origin
from tests.web.entry import GOOD, Entry, entry
from web.operation import Operation
from web.parts import all_operations
from web.settings import WebSettings

pytestmark = pytest.mark.requirement("PRV-RBAC")

ADA = {"name": "Ada", "password": GOOD}
ELSEWHERE = {"X-Forwarded-For": "203.0.113.9"}
OPEN_CHANGES = {
    "POST /api/login",
    "POST /api/login/passkey",
    "POST /api/logout",
    "POST /api/first",
    "PUT /api/me/password",
    "POST /api/me/proof",
    "PUT /api/me/language",
    "DELETE /api/me/sessions/{session}",
    "POST /api/me/app",
    "PUT /api/me/app",
    "DELETE /api/me/app",
    "POST /api/me/passkeys",
    "DELETE /api/me/passkeys/{passkey}",
    "POST /api/me/codes",
}
"""What anybody may ask for: each looks itself at who asks, and is about nobody else."""


@pytest.fixture
async def home(tmp_path: Path, settings: WebSettings) -> AsyncIterator[Entry]:
    async with entry(tmp_path, settings) as opened:
        yield opened


async def status(client: aiohttp.ClientSession, method: str, path: str, **asked: Any) -> HTTPStatus:
    async with client.request(method, path, **asked) as answer:
        return HTTPStatus(answer.status)


async def told(client: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with client.get(path) as answer:
        assert answer.status == HTTPStatus.OK, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def log_in(client: aiohttp.ClientSession, order: Mapping[str, str] = ADA) -> str:
    """Log in; returns the cookie as it was set."""
    async with client.post("/api/login", json=dict(order)) as answer:
        assert answer.status == HTTPStatus.OK, await answer.text()
        return answer.headers["Set-Cookie"]


async def begin(home: Entry) -> None:
    """Make the owner's account."""
    async with home.visitor() as here:
        assert await status(here, "POST", "/api/first", json=ADA) is HTTPStatus.CREATED


async def test_before_any_account_this_machine_is_at_home_and_nobody_else(home: Entry) -> None:
    async with home.visitor() as here:
        me = await told(here, "/api/me")
        assert (me["way"], me["role"], me["accounts"]) == ("here", "owner", False)
        assert not me["code_needed"]
        assert await status(here, "GET", "/api/home") is HTTPStatus.OK
    for foreign in (ELSEWHERE, {"Forwarded": "for=1"}, {"Via": "x"}, {"Host": "hub.local"}):
        async with home.visitor() as there:
            assert await status(there, "GET", "/api/home", headers=foreign) == 401
            assert await status(there, "GET", "/api/health", headers=foreign) == 200
            async with there.get("/api/me", headers=foreign) as answer:
                me = await answer.json()
            assert (me["name"], me["rights"], me["code_needed"]) == (None, ["anybody"], True)


async def test_elsewhere_the_first_account_takes_the_code(home: Entry) -> None:
    code = private_file.read(home.folder / ".setup-code").strip()
    async with home.visitor() as there:
        for wrong in ("", "AAAA-AAAA"):
            order = {**ADA, "code": wrong}
            asked = await status(there, "POST", "/api/first", json=order, headers=ELSEWHERE)
            assert asked is HTTPStatus.FORBIDDEN
        order = {**ADA, "code": code}
        asked = await status(there, "POST", "/api/first", json=order, headers=ELSEWHERE)
        assert asked is HTTPStatus.CREATED
        assert (await told(there, "/api/me"))["role"] == "owner"
    async with home.visitor() as late:
        assert await status(late, "POST", "/api/first", json=order) is HTTPStatus.CONFLICT


async def test_with_an_account_everybody_logs_in_at_this_machine_too(home: Entry) -> None:
    await begin(home)
    async with home.visitor() as client:
        assert await status(client, "GET", "/api/home") is HTTPStatus.UNAUTHORIZED
        cookie = await log_in(client)
        assert await status(client, "GET", "/api/home") is HTTPStatus.OK
        assert await status(client, "POST", "/api/logout") is HTTPStatus.NO_CONTENT
        assert await status(client, "GET", "/api/home") is HTTPStatus.UNAUTHORIZED
        stolen = {"Cookie": cookie.partition(";")[0]}
        assert await status(client, "GET", "/api/home", headers=stolen) == 401
    for flag in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="):
        assert flag in cookie
    assert "Domain" not in cookie


async def test_a_session_cannot_be_put_upon_somebody(home: Entry) -> None:
    """Fixation: what a browser brings along is never what it leaves with."""
    await begin(home)
    planted = {"Cookie": "hems-session=planted-by-somebody-else"}
    async with (
        home.visitor() as client,
        client.post("/api/login", json=ADA, headers=planted) as answer,
    ):
        cookie = answer.headers["Set-Cookie"]
    assert "planted" not in cookie
    async with home.visitor(**planted) as client:
        assert await status(client, "GET", "/api/home") is HTTPStatus.UNAUTHORIZED
    async with home.visitor() as client:
        first = (await log_in(client)).partition(";")[0]
        await log_in(client)
        async with home.visitor(Cookie=first) as before:
            assert await status(before, "GET", "/api/home") is HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": ""},
    ],
)
async def test_another_site_cannot_use_a_session(home: Entry, headers: dict[str, str]) -> None:
    await begin(home)
    async with home.visitor() as client:
        await log_in(client)
        asked = await status(client, "POST", "/api/logout", headers=headers)
        assert asked is HTTPStatus.FORBIDDEN
        assert await status(client, "GET", "/api/home") is HTTPStatus.OK


async def test_a_cookie_without_an_origin_changes_nothing(home: Entry) -> None:
    await begin(home)
    async with home.visitor() as client:
        cookie = (await log_in(client)).partition(";")[0]
    async with aiohttp.ClientSession(home.url, headers={"Cookie": cookie}) as program:
        assert await status(program, "GET", "/api/home") is HTTPStatus.OK
        assert await status(program, "POST", "/api/logout") is HTTPStatus.FORBIDDEN


async def test_a_name_that_is_pointed_at_the_hub_gets_nothing(home: Entry) -> None:
    """DNS rebinding: a foreign name that resolves to this machine, with what it looks like."""
    rebound = {"Host": "evil.example", "Origin": "http://evil.example"}
    async with home.visitor() as client:
        for path in ("/api/me", "/api/home", "/"):
            assert await status(client, "GET", path, headers=rebound) == 421
        assert await status(client, "POST", "/api/first", json=ADA, headers=rebound) == 421
    assert not home.rights.people.exist


async def test_names_and_passwords_are_not_told_apart(home: Entry) -> None:
    await begin(home)
    said = set()
    async with home.visitor() as client:
        for name, password in (("Ada", "wrong wrong"), ("Nobody", GOOD), ("Ada\u202e", "x")):
            order = {"name": name, "password": password}
            async with client.post("/api/login", json=order) as answer:
                said.add((answer.status, await answer.text()))
                assert "Set-Cookie" not in answer.headers
    assert said == {(403, '{"error":"Name and password do not fit."}')}


async def test_brute_force_is_slowed_down(home: Entry) -> None:
    await begin(home)
    async with home.visitor() as client:
        found = [
            await status(
                client, "POST", "/api/login", json={"name": "Ada", "password": f"guess {n}"}
            )
            for n in range(30)
        ]
        assert found.count(HTTPStatus.FORBIDDEN) == 5
        assert found.count(HTTPStatus.TOO_MANY_REQUESTS) == 25
        assert await status(client, "POST", "/api/login", json=ADA) == 429
        home.clock.at += 3600.0
        assert await status(client, "POST", "/api/login", json=ADA) is HTTPStatus.OK


async def test_the_hub_s_own_machine_is_let_in_by_its_file(home: Entry) -> None:
    await begin(home)
    own = {"Authorization": f"Bearer {home.rights.machine}"}
    async with home.visitor() as client:
        async with client.get("/api/me", headers=own) as answer:
            assert (await answer.json())["way"] == "machine"
        for wrong in ("Bearer ", "Bearer x", f"Basic {home.rights.machine}", home.rights.machine):
            asked = {"Authorization": wrong}
            assert await status(client, "GET", "/api/home", headers=asked) == 401
        await log_in(client)
        # What claims more than the cookie and is wrong is not carried by the cookie.
        refused = {"Authorization": "Bearer x"}
        assert await status(client, "GET", "/api/home", headers=refused) == 401


async def test_a_token_does_what_its_role_may_until_it_is_taken_back(home: Entry) -> None:
    await begin(home)
    async with home.visitor() as client:
        await log_in(client)
        until = home.clock.at + 100.0
        order = {"name": "watch", "role": "auditor", "until": until}
        async with client.post("/api/tokens", json=order) as answer:
            made = await answer.json()
        assert made["token"] not in str(await told(client, "/api/tokens"))
        headers = {"Authorization": f"Bearer {made['token']}"}
        async with aiohttp.ClientSession(home.url, headers=headers) as program:
            assert await status(program, "GET", "/api/trail") is HTTPStatus.OK
            assert await status(program, "GET", "/api/history") is HTTPStatus.FORBIDDEN
            assert await status(program, "POST", "/api/people", json={}) == 403
            home.clock.at += 100.0
            assert await status(program, "GET", "/api/trail") is HTTPStatus.UNAUTHORIZED
            home.clock.at -= 50.0
            path = f"/api/tokens/{made['made']['id']}"
            assert await status(client, "DELETE", path) is HTTPStatus.NO_CONTENT
            assert await status(program, "GET", "/api/trail") is HTTPStatus.UNAUTHORIZED
            assert await status(client, "DELETE", path) is HTTPStatus.NOT_FOUND


async def test_one_s_own_password_and_sessions(home: Entry) -> None:
    await begin(home)
    async with home.visitor() as client, home.visitor() as other:
        await log_in(client)
        await log_in(other)
        sessions = (await told(client, "/api/me/sessions"))["sessions"]
        assert [each["present"] for each in sessions] == [False, True, False]
        order = {"present": "wrong", "new": "another fine password"}
        assert await status(client, "PUT", "/api/me/password", json=order) == 403
        order["present"] = GOOD
        assert await status(client, "PUT", "/api/me/password", json=order) == 200
        assert await status(client, "GET", "/api/home") is HTTPStatus.OK
        assert await status(other, "GET", "/api/home") is HTTPStatus.UNAUTHORIZED
        assert len((await told(client, "/api/me/sessions"))["sessions"]) == 1


async def test_what_cannot_be_taken_back_takes_the_password_once_more(home: Entry) -> None:
    await begin(home)
    kim = {"name": "Kim", "role": "household", "password": "their first password"}
    async with home.visitor() as client:
        await log_in(client)
        async with client.post("/api/people", json=kim) as answer:
            assert answer.status == 201, "who has just logged in has typed it"
            number = (await answer.json())["id"]
        home.clock.at += 301.0
        change = {"role": "owner"}
        path = f"/api/people/{number}"
        async with client.put(path, json=change) as answer:
            said = await answer.json()
        assert (answer.status, said["proof"]) == (403, True)
        assert "Prove" in said["error"]
        assert home.rights.people.get(number).role is Role.HOUSEHOLD
        for wrong in ("", "not it"):
            order = {"password": wrong}
            assert await status(client, "POST", "/api/me/proof", json=order) == 403
            assert await status(client, "PUT", path, json=change) == 403
        assert await status(client, "POST", "/api/me/proof", json={"password": GOOD}) == 204
        assert await status(client, "PUT", path, json=change) == 200
        async with home.visitor() as other:
            await log_in(other)
            home.clock.at += 301.0
            assert await status(client, "POST", "/api/me/proof", json={"password": GOOD}) == 204
            assert await status(other, "DELETE", path) == 403, "one proof is for one session"
            assert await status(client, "DELETE", path) == 204
        trail = (await told(client, "/api/trail"))["deeds"]
    assert GOOD not in str(trail)
    changes = [row["outcome"] for row in trail if row["did"] == "PUT /api/people/{person}"]
    assert changes == [200, 403, 403, 403], "the newest first"


async def test_a_program_cannot_make_itself_an_account(home: Entry) -> None:
    await begin(home)
    async with home.visitor() as client:
        await log_in(client)
        order = {"name": "script", "role": "owner"}
        async with client.post("/api/tokens", json=order) as answer:
            token = (await answer.json())["token"]
    headers = {"Authorization": f"Bearer {token}"}
    kim = {"name": "Kim", "role": "owner", "password": "their first password"}
    async with aiohttp.ClientSession(home.url, headers=headers) as program:
        assert await status(program, "GET", "/api/people") == 200
        async with program.post("/api/people", json=kim) as answer:
            said = await answer.json()
        assert (answer.status, "proof" in said) == (403, False)
        assert await status(program, "POST", "/api/me/proof", json={"password": GOOD}) == 401
    machine = {"Authorization": f"Bearer {home.rights.machine}"}
    async with aiohttp.ClientSession(home.url, headers=machine) as command:
        assert await status(command, "POST", "/api/people", json=kim) == 201


def test_what_hands_the_home_over_takes_a_proof() -> None:
    taken = {f"{each.method} {each.path}" for each in all_operations() if each.proof}
    assert taken == {
        "POST /api/people",
        "PUT /api/people/{person}",
        "DELETE /api/people/{person}",
        "PUT /api/people/{person}/password",
        "POST /api/tokens",
        "POST /api/backup",
        "POST /api/restore/{id}",
        "POST /api/wipe",
        "POST /api/trust/{device}/allow",
        "POST /api/trust/{device}/lift",
        "POST /api/agent/boot",
        "POST /api/updates/install",
        "POST /api/updates/back",
        "POST /api/security/barred/let-in",
        "POST /api/people/{person}/recover",
        "PUT /api/people/rules",
        "POST /api/consents",
        "POST /api/grants",
        "POST /api/me/app",
        "PUT /api/me/app",
        "DELETE /api/me/app",
        "POST /api/me/passkeys",
        "DELETE /api/me/passkeys/{passkey}",
        "POST /api/me/codes",
    }


async def test_who_has_gone_is_told_nothing_on_their_phone(tmp_path: Path) -> None:
    """Neither who was removed nor whose account ended, nor who may not steer any more."""
    forgotten: list[str] = []

    async def forget(name: str) -> None:
        forgotten.append(name)

    settings = WebSettings(port=0, static_dir=tmp_path)
    async with entry(tmp_path, settings, forget) as home:
        await begin(home)
        people = home.rights.people
        kim = await people.add(NewPerson("Kim", Role.HOUSEHOLD, GOOD, until=home.clock.at + 60.0))
        bob = await people.add(NewPerson("Bob", Role.HOUSEHOLD, GOOD))
        told = home.rights.told
        assert all(map(told, ("Ada", "Kim", "Bob", "this machine")))
        home.clock.at += 60.0
        assert not told("Kim")
        await people.change(bob.id, Role.AUDITOR, None)
        assert not told("Bob")
        async with home.visitor() as client:
            await log_in(client)
            assert await status(client, "DELETE", f"/api/people/{kim.id}") == 204
    assert forgotten == ["Kim"]


async def test_nobody_ends_another_s_session(home: Entry) -> None:
    await begin(home)
    await home.rights.people.add(NewPerson("Bob", Role.HOUSEHOLD, GOOD))
    async with home.visitor() as ada, home.visitor() as bob:
        await log_in(ada)
        await log_in(bob, {"name": "Bob", "password": GOOD})
        own = (await told(ada, "/api/me"))["session"]
        path = f"/api/me/sessions/{own}"
        assert await status(bob, "DELETE", path) is HTTPStatus.NOT_FOUND
        assert await status(ada, "GET", "/api/home") is HTTPStatus.OK
        assert await status(ada, "DELETE", path) is HTTPStatus.NO_CONTENT
        assert await status(ada, "GET", "/api/home") is HTTPStatus.UNAUTHORIZED


async def test_a_live_line_ends_with_the_session_it_was_opened_by(home: Entry) -> None:
    await begin(home)
    async with home.visitor() as client:
        await log_in(client)
        async with client.get("/api/stream", timeout=aiohttp.ClientTimeout(10.0)) as stream:
            await stream.content.readuntil(b"\n\n")
            person = home.rights.people.all()[0]
            await home.rights.logins.end_all(person.id)
            heard = await stream.content.read()
    assert heard.count(b"event: snapshot") <= 1


def own_operations() -> list[Operation]:
    return [each for each in all_operations() if each.path.startswith(_SERVED)]


_SERVED = ("/api/me", "/api/log", "/api/first", "/api/people", "/api/tokens", "/api/trail")


@pytest.mark.parametrize("role", Role)
async def test_each_role_gets_no_further_than_its_rights(home: Entry, role: Role) -> None:
    """With real accounts, and real sessions: whatever else is wrong with the request."""
    await begin(home)
    await home.rights.people.add(NewPerson("Kim", role, GOOD))
    for operation in own_operations():
        if operation.right is Right.ANYBODY:
            continue
        path = re.sub(r"{\w+}", "99", operation.path)
        async with home.visitor() as client:
            assert await status(client, operation.method, path, json={}) == 401
            await log_in(client, {"name": "Kim", "password": GOOD})
            refused = await status(client, operation.method, path, json={}) == 403
        assert refused == (operation.right not in RIGHTS[role]), path


def test_no_operation_changes_anything_for_whoever_may_only_look() -> None:
    for operation in all_operations():
        name = f"{operation.method} {operation.path}"
        if operation.method != "GET" and name not in OPEN_CHANGES:
            assert operation.right not in {Right.ANYBODY, Right.SEE, Right.HISTORY}, name


async def test_what_is_done_and_seen_is_on_the_record_without_secrets(home: Entry) -> None:
    await begin(home)
    async with home.visitor() as client:
        await log_in(client)
        await status(client, "POST", "/api/login", json={"name": "Ada", "password": "my secret"})
        await status(client, "POST", "/api/login", json={"name": "my secret", "password": "x"})
        await status(client, "GET", "/api/history?day=2026-06-17")
        await status(client, "GET", "/api/history?day=2026-06-17")
        await status(client, "POST", f"/api/events/{'A' * 32}/opt-out")
        order = {"name": "Kim", "role": "household", "password": "their first password"}
        await status(client, "POST", "/api/people", json=order)
        await status(client, "GET", "/api/home")
        trail = (await told(client, "/api/trail"))["deeds"]
        check = await told(client, "/api/trail/check")
    rows = [(row["who"], row["did"], row["about"], row["outcome"]) for row in reversed(trail)]
    assert rows == [
        ("Ada", "POST /api/first", "Ada", 201),
        ("Ada", "POST /api/login", "Ada", 200),
        ("Ada", "POST /api/login", "Ada", 403),
        ("Ada", "POST /api/login", "", 403),
        ("Ada", "GET /api/history", "day=2026-06-17", 200),
        ("Ada", "POST /api/events/{event}/opt-out", "A" * 32, 404),
        ("Ada", "POST /api/people", "Kim (household)", 201),
    ]
    assert all("secret" not in str(row) and "password" not in str(row) for row in rows)
    assert (check["rows"], check["broken_at"]) == (8, None)  # the look at the trail is the last


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("2001:db8::1:2:3:4", "2001:db8::/64"),
        ("2001:db8::ffff", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("", ""),
    ],
)
def test_addresses_of_one_network_are_counted_as_one(address: str, counted: str) -> None:
    assert origin(address) == counted

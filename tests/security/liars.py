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
_YEARS_S: Final = 10 * 365 * 86_400
Arrange = Callable[[Den], None]


@dataclass(frozen=True, slots=True)
class Lie:
    """What the server does.

    Attributes:
        id: Of the row.
        does: In words.
        arrange: Has it do so.
        asked: The path that must have been asked for since, to have done it.
        says: What the hub's log says of it.
        state: How the link to the server stands then.
        where: In which log.
        quick: Whether `make test` has it.
    """

    id: str
    does: str
    arrange: Arrange
    asked: str
    says: str
    state: str = "connected|refused|unreachable|connecting"
    where: Where = Where.HUB
    quick: bool = False


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
        "4294967295 items",
        quick=True,
    ),
    Lie(
        "list-signed",
        "says that a list has -1 items",
        _body(_xml("DERControlList", "", 'all="-1" results="0"')),
        LIST,
        "WARNING.*all",
    ),
    Lie(
        "list-grows",
        "serves a list of a million items, page by page",
        _acts(acts.grows),
        LIST,
        "WARNING.*derc",
    ),
    Lie(
        "elements",
        "serves 250,000 elements in one body",
        _body(_WIDE),
        LIST,
        "more than 80000 tags",
    ),
    Lie(
        "link-loop",
        "links its list of devices to where it began",
        _body(
            _xml("DeviceCapability", _CAPABILITY.format(to="/dcap"), 'href="/dcap" pollRate="1"'),
            path="/dcap",
        ),
        "/dcap",
        "WARNING",
    ),
    Lie(
        "link-elsewhere",
        "links its list of devices to another host (SSRF)",
        _links_elsewhere,
        "/dcap",
        "WARNING",
    ),
    Lie(
        "redirect-loopback",
        "sends the hub to a port of its own machine",
        _sends_on(lambda den: f"https://127.0.0.1:{den.elsewhere.port}/tm"),
        "",
        "WARNING",
    ),
    Lie(
        "redirect-file",
        "sends the hub to a file",
        _sends_on(lambda _: "file:///etc/passwd"),
        "",
        "WARNING",
        quick=True,
    ),
    Lie(
        "redirect-metadata",
        "sends the hub to a cloud's metadata",
        _sends_on(lambda _: "http://169.254.169.254/latest/meta-data"),
        "",
        "WARNING",
    ),
    Lie(
        "redirect-loop",
        "sends the hub back to where it is, for good",
        _sends_on(lambda _: "/tm"),
        "",
        "WARNING",
    ),
    Lie(
        "gzip-bomb",
        "serves 64 MB packed into few octets",
        _acts(acts.bomb),
        LIST,
        "WARNING.*derc",
        quick=True,
    ),
    Lie("body-endless", "serves a body without an end", _acts(acts.endless), LIST, "WARNING.*derc"),
    Lie("body-drips", "serves a body an octet at a time", _acts(acts.drips), LIST, "WARNING"),
    Lie("headers-endless", "sends headers without an end", _acts(acts.headers), LIST, "WARNING"),
    Lie("length-lies", "says more octets than it sends", _acts(acts.lies_long), LIST, "WARNING"),
    Lie(
        "answers-ahead",
        "answers what has not been asked yet",
        _acts(acts.splits),
        LIST,
        "WARNING.*derc",
    ),
    Lie(
        "retry-after",
        "asks the hub to come again in thirty years",
        _acts(acts.denies),
        LIST,
        "WARNING|INFO.*derc",
    ),
    Lie("clock-ahead", "sets its clock ten years ahead", _ahead(_YEARS_S), "/tm", "clock"),
    Lie("clock-back", "sets its clock ten years back", _ahead(-_YEARS_S), "/tm", "clock"),
    Lie(
        "lfdi",
        "shows a device of another LFDI in the hub's place",
        _body(_SOMEBODY, path="/edev"),
        "/edev",
        "WARNING",
    ),
    Lie(
        "event-negative",
        "sends an event of a negative duration",
        _controls(control("E0", duration=-60)),
        LIST,
        "event E0",
    ),
    Lie(
        "event-huge",
        "asks for 10^127 W",
        _controls(control("B1", base=_watts("1", 127))),
        LIST,
        "event B1|event-refused",
        where=Where.SECURITY,
    ),
    Lie(
        "event-nan",
        "asks for NaN W",
        _controls(control("E3", base=_watts("NaN"))),
        LIST,
        "event E3",
    ),
    Lie(
        "event-beyond",
        "sends an event that begins after the sun has gone out",
        _controls(control("A0", start=2**60)),
        LIST,
        "event-refused",
        where=Where.SECURITY,
    ),
    Lie(
        "event-storm",
        "sends 1,500 events at once",
        _controls(
            *(
                control(f"{0xAA000 + n:08X}", start=int(time.time()) + 100_000 + n)
                for n in range(1500)
            )
        ),
        LIST,
        "WARNING",
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


async def _rightly(den: Den) -> str:
    return await den.obeys()


_SERVED: Final[Mapping[str, bytes]] = {
    name: HOSTILE[name]
    for name in (
        "cut short",
        "empty",
        "binary",
        "deep",
        "billion laughs",
        "external entity",
        "parameter entity",
        "oversized",
    )
}
_ALL: Final[Sequence[Lie]] = (
    *LIES,
    *(
        Lie(
            f"xml-{name.replace(' ', '-')}",
            f"serves a list that is {name}"
            if name in {"empty", "oversized", "binary", "deep", "cut short"}
            else f"serves XML with a {name}",
            _body(body),
            LIST,
            "WARNING.*derc",
        )
        for name, body in _SERVED.items()
    ),
)
ROWS: Final[Sequence[Attack[Den]]] = [
    Attack(
        f"utility-{lie.id}",
        Kind.UTILITY,
        f"The utility's server {lie.does}",
        _tells(lie),
        f"^({lie.state}): ",
        Entry(lie.where, lie.says),
        _rightly,
        "^event received",
        deep=not lie.quick,
    )
    for lie in _ALL
]

"""Attacks that have the hub, or the head-end, call where its giver could not (SSRF)."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web

from hems.sep2.resources.wire import SEP_NS
from hems.sep2.xml import MEDIA_TYPE
from tests.faults.bench import ask
from tests.faults.scripted import control
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.den import Den
from tests.security.porch import Porch
from tests.security.street import Street
from tests.waiting import until

_WITHIN_S: Final = 40.0
_SUBSCRIPTIONS: Final = re.compile(r'SubscriptionListLink [^>]*href="([^"]+)"')


def reads(place: Callable[[Porch], str]) -> Callable[[Porch], Awaitable[str]]:
    """Have the hub read its prices somewhere; returns what people are told of it."""

    async def attempt(porch: Porch) -> str:
        said = await porch.buys(place(porch))
        if '"saved":true' not in said:
            return said

        async def alarms() -> list[str]:
            return [each for each in (await porch.home()).alarms if "cannot be read" in each]

        (told, *_) = await until(alarms, bool, _WITHIN_S, "the prices cannot be read")
        assert "root:" not in told, "people are told what is in a file of the machine's"
        assert "root:" not in porch.hub.log, "the log has what is in a file of the machine's"
        return told

    return attempt


def sent_on(to: str) -> Callable[[Porch], Awaitable[str]]:
    """Have the seller of the prices send the hub elsewhere."""

    async def attempt(porch: Porch) -> str:
        async def redirects(_request: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": to})

        before, porch.seller.answer = porch.seller.answer, redirects
        try:
            # Another address of the same seller's, or nothing would be read anew.
            return await reads(lambda _: f"{porch.seller.url}/{porch.number()}")(porch)
        finally:
            porch.seller.answer = before

    return attempt


async def _bought(porch: Porch) -> str:
    asked = porch.seller.asked
    said = await porch.buys(f"{porch.seller.url}/{porch.number()}")
    assert '"saved":true' in said, said

    async def times() -> int:
        return porch.seller.asked - asked

    await until(times, bool, _WITHIN_S, "the prices are read")

    async def alarms() -> list[str]:
        return [each for each in (await porch.home()).alarms if "cannot be read" in each]

    await until(alarms, lambda found: not found, _WITHIN_S, "nothing is wrong with them")
    return "prices are read"


async def reply_elsewhere(den: Den) -> str:
    """Have the answers to an event sent to another server, under the home's certificate."""
    to = f"https://127.0.0.1:{den.elsewhere.port}/rsp"
    den.elsewhere.taken_over(None)
    event = control("EEA1", duration=300).replace('replyTo="/rsp"', f'replyTo="{to}"')
    den.utility.list_controls(event)

    async def refused() -> list[str]:
        lines = await den.lines(Where.HUB)
        return [line for line in lines if "EEA1" in line and "leads away" in line]

    (line, *_) = await until(refused, bool, _WITHIN_S, "it is said that it is not sent there")
    assert not den.elsewhere.calls, "it called where it has no business"
    return f"not sent: {line[-150:]}"


async def _obeys(den: Den) -> str:
    return await den.obeys()


def notified_at(uri: str) -> Callable[[Street], Awaitable[str]]:
    """Subscribe as a home, and have the head-end call somewhere within the utility."""

    async def attempt(street: Street) -> str:
        return await _subscribes(street, uri)

    return attempt


async def _subscribes(street: Street, uri: str) -> str:
    line = street.line
    _, listed = await ask("GET", f"{line.base}/edev", line.as_hub())
    found = _SUBSCRIPTIONS.search(listed)
    assert found is not None, listed[:300]
    body = (
        f'<Subscription xmlns="{SEP_NS}"><subscribedResource>/derp/1/derc</subscribedResource>'
        f"<encoding>0</encoding><level>+S1</level><limit>1</limit>"
        f"<notificationURI>{uri}</notificationURI></Subscription>"
    ).encode()
    status, text = await ask("POST", line.base + found[1], line.as_hub(), body, MEDIA_TYPE)
    return f"{status} {text}"


async def _subscribed(street: Street) -> str:
    return await _subscribes(street, street.line.notify)


def _prices(
    id_: str,
    does: str,
    attempt: Callable[[Porch], Awaitable[str]],
    defence: str,
    entry: Entry,
    *,
    quick: bool = False,
) -> Attack[Porch]:
    return Attack(
        f"ssrf-prices-{id_}",
        Kind.WEB,
        does,
        attempt,
        defence,
        entry,
        _bought,
        "^prices are read",
        deep=not quick,
    )


def _unread(why: str) -> Entry:
    return Entry(Where.HUB, f"WARNING .*cannot be read: .*{why}")


_REFUSED: Final = Entry(Where.TRAIL, "PUT /api/settings/tariff")
ON_PORCH: Final[Sequence[Attack[Porch]]] = [
    _prices(
        "metadata",
        "Has prices read where clouds tell credentials",
        reads(lambda _: "http://169.254.169.254/latest/meta-data"),
        "is no address that is asked",
        _unread("169.254.169.254 is no address"),
        quick=True,
    ),
    _prices(
        "link-local",
        "Has prices read at a link-local address of IPv6",
        reads(lambda _: "http://[fe80::1]/prices"),
        "is no address that is asked",
        _unread("no address"),
    ),
    _prices(
        "number",
        "Writes the hub's own address as one number",
        reads(lambda _: "http://2130706433/prices"),
        "is no address that is asked",
        _unread("no address"),
    ),
    _prices(
        "own-page",
        "Has the hub read its own page",
        reads(lambda porch: f"{porch.page.url}/api/home"),
        "it answers 40[13]",
        _unread("it answers 40[13]"),
    ),
    _prices(
        "file-url",
        "Names a file as an address",
        reads(lambda _: "file:///etc/passwd"),
        "saved.:false.*neither a file nor an http|^4",
        _REFUSED,
    ),
    _prices(
        "helper",
        "Names the socket of the firewall's helper",
        reads(lambda _: "unix:///run/hems/firewall.sock"),
        "saved.:false.*neither a file nor an http|^4",
        _REFUSED,
    ),
    _prices(
        "passwords",
        "Has prices read from a file of the machine's, to be told what is in it",
        reads(lambda _: "/etc/passwd"),
        "neither JSON nor CSV",
        _unread("neither JSON nor CSV"),
    ),
    _prices(
        "sent-to-metadata",
        "Has the seller's server send the hub to a cloud's metadata",
        sent_on("http://169.254.169.254/latest/meta-data"),
        "it leads into the home, to 169",
        _unread("it leads into the home, to 169"),
        quick=True,
    ),
    _prices(
        "sent-to-file",
        "Has it send the hub to a file",
        sent_on("file:///etc/passwd"),
        "what is no address",
        _unread("what is no address"),
    ),
    _prices(
        "sent-round",
        "Has it send the hub round and round",
        sent_on("?again"),
        "leads on more than 5 times",
        _unread("leads on more than 5 times"),
    ),
]
IN_DEN: Final[Sequence[Attack[Den]]] = [
    Attack(
        "ssrf-reply",
        Kind.UTILITY,
        "The utility's server has answers to an event sent to another server",
        reply_elsewhere,
        "^not sent",
        Entry(Where.HUB, "EEA1.*leads away"),
        _obeys,
        "^event received",
        deep=True,
    )
]
ON_STREET: Final[Sequence[Attack[Street]]] = [
    Attack(
        f"ssrf-notify-{name}",
        Kind.UTILITY,
        f"As a home, has the head-end send notifications to {uri}",
        notified_at(uri),
        "^400 .*notificationURI",
        Entry(Where.HEAD_END, "POST '/edev/.*notificationURI"),
        _subscribed,
        "^201 ",
        deep=name != "metadata",
    )
    for name, uri in {
        "metadata": "https://169.254.169.254/latest/meta-data",
        "inside": "https://10.0.0.1/admin",
        "other-loopback": "https://127.0.0.2:8443/x",
        "name": "https://localhost:8443/x",
        "plain": "http://127.0.0.1:80/x",
        "file": "file:///etc/passwd",
        "user": "https://127.0.0.1@10.0.0.1/x",
    }.items()
]

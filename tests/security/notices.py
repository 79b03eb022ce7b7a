"""Attacks by who has a good certificate: hostile bodies, wrong kinds, floods, at both doors."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from hems.sep2.xml import MEDIA_TYPE
from tests.faults.bodies import HOSTILE
from tests.security.attack import Attack, Entry, Kind
from tests.security.callers import HEAD_END, LISTENER, Door, call, speak
from tests.security.street import Street, caller

_FLOOD: Final = 300
_AT_ONCE: Final = 20


async def post(street: Street, door: Door, body: bytes, media: str = MEDIA_TYPE) -> str:
    """Post a body, with the certificate of who may."""
    url = urlsplit(door.url(street))
    path = url.path if door is LISTENER else "/mup"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n"
        f"Content-Type: {media}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    context = caller(street.pki.identity(door.who))
    return await speak(url.hostname or "", url.port or 0, context, head.encode() + body)


def _posts(door: Door, body: bytes, media: str = MEDIA_TYPE) -> Callable[[Street], Awaitable[str]]:
    async def attempt(street: Street) -> str:
        answer = await post(street, door, body, media)
        assert "root:" not in answer, "it was told what is in a file"
        assert "Traceback" not in answer, "it was told how the software is made"
        return answer

    return attempt


def _floods(door: Door) -> Callable[[Street], Awaitable[str]]:
    """Post many at once, each on a connection of its own."""

    async def attempt(street: Street) -> str:
        answers: list[str] = []

        async def some() -> None:
            times = range(_FLOOD // _AT_ONCE)
            answers.extend([await post(street, door, HOSTILE["not XML"]) for _ in times])

        await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
        good = sum(answer.startswith(("400 ", "429 ", "503 ")) for answer in answers)
        return f"{good} of {len(answers)} refused by status, the others by hanging up"

    return attempt


def _rightly(door: Door) -> Callable[[Street], Awaitable[str]]:
    async def rightly(street: Street) -> str:
        return await call(street, door, street.pki.identity(door.who))

    return rightly


def _rows(door: Door, side: str) -> Sequence[Attack[Street]]:
    said = "a notification from .* is refused" if door is LISTENER else "POST '/mup': "
    entry = Entry(door.log, said)
    # A cut stream and a refusal may overtake one another where a body is longer than is read.
    refused = "^(400|413) |^refused: ConnectionResetError"
    return [
        *(
            Attack(
                f"utility-body-{side}-{name.replace(' ', '-')}".lower(),
                Kind.UTILITY,
                f"With a good certificate, posts to {door.name} a body that is: {name}",
                _posts(door, body),
                refused,
                entry,
                _rightly(door),
                door.served,
                deep=name != "billion laughs",
            )
            for name, body in HOSTILE.items()
        ),
        Attack(
            f"utility-body-{side}-tags",
            Kind.UTILITY,
            f"With a good certificate, posts to {door.name} 250,000 elements",
            _posts(door, b"<Time>" + b"<a/>" * 250_000 + b"</Time>"),
            refused,
            entry,
            _rightly(door),
            door.served,
            deep=True,
        ),
        Attack(
            f"utility-flood-{side}",
            Kind.UTILITY,
            f"With a good certificate, posts {_FLOOD} bodies at once to {door.name}",
            _floods(door),
            f" of {_FLOOD} refused",
            entry,
            _rightly(door),
            door.served,
            deep=True,
        ),
    ]


ROWS: Final[Sequence[Attack[Street]]] = [*_rows(LISTENER, "hub"), *_rows(HEAD_END, "head-end")]

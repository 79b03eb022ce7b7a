"""One file or address that is read again and again; what was last good stays, over a restart too.

What cannot be read costs the news, not the prices: those known already hold for the time that
they were told for, unless they get too old (`stale_s`).
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from pydantic import BaseModel, ConfigDict

from der.sentence import say
from hems.cem.tariff.rates import PriceEvent
from hems.cem.tariff.series import Series, Span
from hems.clock import Clock
from hems.outward import OutwardError, asking
from hems.store.errors import StoreError
from hems.store.settings import Settings
from hems.tariff.document import Document, DocumentError, parse

_log = logging.getLogger(__name__)

MOST_BYTES: Final = 4_000_000
TIMEOUT_S: Final = 20.0
_FIRST_RETRY_S: Final = 30.0
_KEPT_PAST_S: Final = 86_400.0
"""Spans that ended longer ago than this are forgotten: a plan looks back by a day."""
_MOST_REDIRECTS: Final = 5
_CHUNK: Final = 65_536


class SourceError(Exception):
    """A source that cannot be read now; `str()` is one clause."""


class _Kept(BaseModel):
    """A document as the store has it: rows of start, end and value."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    place: str
    told_at: float
    price: list[tuple[float, float, float]] | None = None
    export: list[tuple[float, float, float]] | None = None
    carbon: list[tuple[float, float, float]] | None = None
    events: tuple[PriceEvent, ...] = ()


class Source:
    """A place from which a document is read.

    Args:
        name: What it tells ("prices"), for people and for the store.
        place: A file, or an http(s) address as text.
        refresh_s: How often it is read.
        kept: Where what it told is kept.
        clock: Where the time comes from.
        changed: Called when it tells something else than before.
        alarm: Told in one sentence when it cannot be read, and None when it can again.
    """

    def __init__(
        self,
        name: str,
        place: str | Path,
        refresh_s: float,
        *,
        kept: Settings,
        clock: Clock,
        changed: Callable[[], None],
        alarm: Callable[[str | None], None],
    ) -> None:
        self._name = name
        self._place = place
        self._refresh_s = refresh_s
        self._kept = kept
        self._clock = clock
        self._changed = changed
        self._alarm = alarm
        self._document = Document()
        self._told_at = 0.0
        self._trouble: str | None = None

    @property
    def document(self) -> Document:
        """What it last told; empty before the first time."""
        return self._document

    @property
    def told_at(self) -> float:
        """When it was last read well, UTC epoch seconds."""
        return self._told_at

    @property
    def where(self) -> str:
        """The place as people may see it: without the query, which may hold a token."""
        return shown(self._place)

    async def run(self) -> None:
        """Read it until cancelled; `resume` is called before."""
        wait_s = _FIRST_RETRY_S
        while True:
            if await self.read():
                wait_s = _FIRST_RETRY_S
                await asyncio.sleep(self._refresh_s)
            else:
                await asyncio.sleep(min(wait_s, self._refresh_s))
                wait_s *= 2

    async def read(self) -> bool:
        """Read it once; returns whether that went well, and says if not."""
        now = self._clock.now()
        try:
            # A year of prices takes seconds on a small machine; control does not wait.
            found = await asyncio.to_thread(parse, await fetch(self._place), now)
        except (SourceError, DocumentError) as error:
            trouble = say(
                "The {name} of {where} cannot be read: {error}.",
                name=self._name,
                where=self.where,
                error=error,
            )
            if trouble != self._trouble:  # said once, not every minute of a day
                _log.warning("%s", trouble)
            self._trouble = trouble
            self._alarm(trouble)
            return False
        self._trouble = None
        self._alarm(None)
        # Who sells may tell no more of hours that have gone by, or of the one that runs.
        found = _joined(found, self._document, now - _KEPT_PAST_S)
        different = _said(found, now) != _said(self._document, now)
        self._document, self._told_at = found, now
        if different:
            self._changed()
        await self._keep()
        return True

    async def resume(self) -> None:
        """Take up what it told before a restart."""
        try:
            text = (await self._kept.all()).get(self._key)
            kept = None if text is None else _Kept.model_validate_json(text)
            if kept is None or kept.place != str(self._place):
                return
            price, export, carbon = (
                _series(rows, kept.told_at) for rows in (kept.price, kept.export, kept.carbon)
            )
            self._document = Document(price, export, carbon, kept.events)
            self._told_at = kept.told_at
        except StoreError as error:
            _log.warning("the %s of before the restart are not known: %s", self._name, error)
        except ValueError as error:
            _log.warning("the %s of before the restart cannot be read: %.200s", self._name, error)
        else:
            self._changed()

    @property
    def _key(self) -> str:
        return f"tariff {self._name}"

    async def _keep(self) -> None:
        since = self._clock.now() - _KEPT_PAST_S
        price, export, carbon = (_dump(series, since) for series in _all(self._document))
        kept = _Kept(
            place=str(self._place),
            told_at=self._told_at,
            price=price,
            export=export,
            carbon=carbon,
            events=tuple(event for event in self._document.events if event.end > since),
        )
        try:
            await self._kept.put(self._key, kept.model_dump_json(exclude_none=True))
        except StoreError as error:
            _log.warning("the %s will not outlive a restart: %s", self._name, error)


def shown(place: str | Path) -> str:
    """Return a place as people may see it: without the query, which may hold a token."""
    if isinstance(place, Path):
        return str(place)
    parts = urlsplit(place)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


async def fetch(place: str | Path) -> str:
    """Return the text at a file, or at an http(s) address.

    Raises:
        SourceError: It cannot be read, is too large, or is no text.
    """
    if isinstance(place, Path):
        return _text(await asyncio.to_thread(_read_file, place))
    return _text(await _download(place))


def _read_file(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise SourceError(say("there is no such file"))
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SourceError(error.strerror or str(error)) from error


async def _download(url: str) -> bytes:
    body = bytearray()
    try:
        async with asking(url, within_s=TIMEOUT_S, most_redirects=_MOST_REDIRECTS) as response:
            if response.status != 200:  # noqa: PLR2004 - OK of HTTP
                raise SourceError(
                    say(
                        "it answers {status} {reason}",
                        status=response.status,
                        reason=response.reason or "",
                    ).rstrip()
                )
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > MOST_BYTES:
                    break
    except OutwardError as error:
        # As it is: it is told in the reader's language.
        raise SourceError(*error.args) from error
    except TimeoutError as error:
        raise SourceError(say("no answer within {timeout:g} s", timeout=TIMEOUT_S)) from error
    except aiohttp.ClientResponseError as error:
        # Its text would name the whole address.
        raise SourceError(error.message or type(error).__name__) from error
    except aiohttp.ClientConnectorError as error:
        raise SourceError(error.strerror or say("no connection")) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise SourceError(
            say("the connection failed ({kind})", kind=type(error).__name__)
        ) from error
    return bytes(body)


def _text(body: bytes) -> str:
    if len(body) > MOST_BYTES:
        raise SourceError(say("it is larger than {most_bytes} bytes", most_bytes=MOST_BYTES))
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(say("it is not text in UTF-8")) from error


def _all(document: Document) -> tuple[Series | None, Series | None, Series | None]:
    return document.price, document.export, document.carbon


def _joined(found: Document, before: Document, since: float) -> Document:
    """Return a document, with what the one before says of the time before it."""
    price, export, carbon = (
        older if newer is None else newer.joined(older, since)
        for newer, older in zip(_all(found), _all(before), strict=True)
    )
    return Document(price, export, carbon, found.events)


def _said(document: Document, now: float) -> tuple[object, ...]:
    """Return what a document says of the time from now on."""
    spans = (
        None if series is None else tuple(span for span in series.spans if span.end > now)
        for series in _all(document)
    )
    return (*spans, document.events)


def _series(rows: list[tuple[float, float, float]] | None, told_at: float) -> Series | None:
    return None if rows is None else Series.of((Span(*row) for row in rows), told_at)


def _dump(series: Series | None, since: float) -> list[tuple[float, float, float]] | None:
    if series is None:
        return None
    return [(s.start, s.end, s.value) for s in series.spans if s.end > since]

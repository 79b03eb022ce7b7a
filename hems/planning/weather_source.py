"""The weather from the source that the owner named: a file or a web address, read every hour.

What it told last is kept when it fails; how old that is stands in the record, and the forecast
judges it.
"""

import asyncio
import logging
import os
import stat
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from der.sentence import say
from hems.cem.forecast.weather_file import WeatherError, parse
from hems.cem.planner.question import WeatherTold
from hems.clock import Clock
from hems.outward import OutwardError, asking

_log = logging.getLogger(__name__)

EVERY_S: Final = 3600.0
_FIRST_PAUSE_S: Final = 30.0
_MOST_BYTES: Final = 1_000_000
_TIMEOUT_S: Final = 10.0
_MOST_REDIRECTS: Final = 3
_CHUNK: Final = 65_536
_WEB: Final = frozenset({"http", "https"})


class WeatherSource:
    """Reads one source for as long as it runs.

    Args:
        where: A path, or an address that begins with http:// or https://.
        clock: The hub's.
        every_s: Time between readings that succeed; after one that fails it begins anew with 30 s
            and doubles up to this.
        alarm: Told why a reading failed, None when one has succeeded; must not block.
    """

    def __init__(
        self,
        where: str,
        clock: Clock,
        every_s: float = EVERY_S,
        *,
        alarm: Callable[[str | None], None] = lambda _text: None,
    ) -> None:
        self._where = where
        self._clock = clock
        self._every_s = every_s
        self._alarm = alarm
        self._told: WeatherTold | None = None
        self._trouble: str | None = None
        self._heard = False

    @property
    def told(self) -> WeatherTold | None:
        """What it told last, however old; None before its first word."""
        return self._told

    @property
    def trouble(self) -> str | None:
        """Why the last reading failed, one sentence; None while all is well."""
        return self._trouble

    async def run(self) -> None:
        """Read for ever."""
        pause_s = _FIRST_PAUSE_S
        while True:
            if await self.read():
                pause_s = _FIRST_PAUSE_S
                await asyncio.sleep(self._every_s)
            else:
                await asyncio.sleep(min(pause_s, self._every_s))
                pause_s = min(2 * pause_s, self._every_s)

    async def read(self) -> bool:
        """Read once; return whether that went well."""
        try:
            if urlsplit(self._where).scheme.lower() in _WEB:
                text, told_at = await self._fetch()
            else:
                text, told_at = await asyncio.to_thread(_read_file, self._where)
            self._told = parse(text, min(told_at, self._clock.now()))
        except TimeoutError:
            self._failed(say("no answer within {timeout:g} s", timeout=_TIMEOUT_S))
        except (OSError, ValueError, aiohttp.ClientError, OutwardError, WeatherError) as error:
            self._failed(_reason(error))
        else:
            self._went_well()
            return True
        return False

    async def _fetch(self) -> tuple[str, float]:
        """Return what a web server answers, and when it says that was written."""
        async with asking(
            self._where, within_s=_TIMEOUT_S, most_redirects=_MOST_REDIRECTS
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise WeatherError(
                        say("its answer is longer than {most_bytes} bytes", most_bytes=_MOST_BYTES)
                    )
            if response.status != 200:  # noqa: PLR2004 - OK
                raise WeatherError(
                    say(
                        "it answered {status} {reason}",
                        status=response.status,
                        reason=response.reason or "",
                    )
                )
            return body.decode(), self._written_at(response.headers.get("Last-Modified"))

    def _written_at(self, header: str | None) -> float:
        """Return when an answer was written: as its server says, else now."""
        if header is not None:
            try:
                return parsedate_to_datetime(header).timestamp()
            except (ValueError, OverflowError):
                pass  # a date that is none says nothing
        return self._clock.now()

    def _went_well(self) -> None:
        if self._trouble is not None:
            _log.info("weather from %s is back", _shown(self._where))
        elif not self._heard:
            _log.info("weather from %s is read every %g s", _shown(self._where), self._every_s)
        self._heard = True
        self._trouble = None
        self._alarm(None)

    def _failed(self, reason: str) -> None:
        if self._trouble is None:
            kept = "what it told before is kept" if self._told is not None else "there is none yet"
            _log.warning("no weather from %s: %s; %s", _shown(self._where), reason, kept)
        self._trouble = say(
            "no weather from {shown}: {reason}", shown=_shown(self._where), reason=reason
        )
        self._alarm(say("The forecast lacks its source: {trouble}", trouble=self._trouble))


def _read_file(where: str) -> tuple[str, float]:
    """Return a file's text and when it was written.

    Raises:
        OSError: It cannot be read.
        WeatherError: It is too long, or no ordinary file (one that could block for ever).
    """
    # A named pipe would wait for its writer.
    with os.fdopen(os.open(where, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise WeatherError("not an ordinary file")
        body = file.read(_MOST_BYTES + 1)
    if len(body) > _MOST_BYTES:
        raise WeatherError(
            say("the file is longer than {most_bytes} bytes", most_bytes=_MOST_BYTES)
        )
    return body.decode(), found.st_mtime


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, aiohttp.InvalidURL):
        return "not a web address"  # its text repeats the address with what is secret in it
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{type(error).__name__} {error.status}"  # its text has the address, too
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error) or type(error).__name__)[:200]


def _shown(where: str) -> str:
    """Return a source without what may be secret in it: a query with a key, a password."""
    try:
        parts = urlsplit(where)
        if parts.scheme.lower() not in _WEB:
            return where
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return "an address that is none"
    else:
        return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"

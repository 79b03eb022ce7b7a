"""The operator's door for homes and readings, and the machine's own token."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from aiohttp import web

from hems.headend.book import Book
from hems.headend.errors import SettingsError, UnknownItemError
from hems.headend.mirror_store import MirrorStore
from hems.headend.operator_door import json_answer, number_in, read_model
from hems.headend.operator_homes import self_report
from hems.headend.operator_models import HomeIn, HomeOut, HomesOut, ReadingOut, ReadingsOut
from hems.headend.operator_view import home_out
from hems.headend.records import Edition, Home, ReadingRecord
from hems.headend.store import Store
from hems.headend.subscriptions import Subscriptions

_MAX_READINGS = 10_000


def operator_token(path: Path) -> str:
    """Return the operator's token; on first use make it, readable by its owner only.

    Raises:
        SettingsError: The file cannot be made or read, is empty, or others may read it.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise SettingsError(f"{path}: the token cannot be made: {error.strerror}") from error
    else:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    try:
        if path.stat().st_mode & 0o077:
            raise SettingsError(f"{path}: others than its owner may read the token; chmod 600 it")
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the token cannot be read: {error}") from error
    if not token:
        raise SettingsError(f"{path}: the token file is empty; remove it and start again")
    return token


class Door(Protocol):
    """A part of the operator's door."""

    def routes(self) -> list[web.RouteDef]:
        """Return where its resources stand."""
        ...


class OperatorApi:
    """Homes and readings for the operator.

    Args:
        book: Homes.
        store: What they say of themselves.
        mirrors: Readings.
        subscriptions: What they want to be told of.
        edition: Dialect of a home entered without one.
    """

    def __init__(
        self,
        book: Book,
        store: Store,
        mirrors: MirrorStore,
        subscriptions: Subscriptions,
        edition: Edition,
    ) -> None:
        self._book = book
        self._store = store
        self._mirrors = mirrors
        self._subscriptions = subscriptions
        self._edition = edition

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.get("/homes", self.get_homes),
            web.post("/homes", self.post_home),
            web.get("/homes/{lfdi}", self.get_home),
            web.get("/homes/{lfdi}/readings", self.get_home_readings),
            web.get("/readings", self.get_readings),
        ]

    async def get_homes(self, _request: web.Request) -> web.Response:
        """Answer all homes."""
        latest = await self._mirrors.latest()
        return json_answer(
            HomesOut(homes=[await self._home(home, latest) for home in self._book.homes])
        )

    async def post_home(self, request: web.Request) -> web.Response:
        """Enter a home, so that it may connect."""
        wish = await read_model(request, HomeIn)
        home = await self._book.register(
            wish.lfdi.upper(), int(wish.pin), wish.edition or self._edition, in_band=False
        )
        return json_answer(await self._home(home, []), 201, {"Location": f"/homes/{home.lfdi}"})

    async def get_home(self, request: web.Request) -> web.Response:
        """Answer one home."""
        return json_answer(await self._home(self._known(request), await self._mirrors.latest()))

    async def get_home_readings(self, request: web.Request) -> web.Response:
        """Answer a home's readings, latest first."""
        return await self._readings(request, self._known(request).lfdi)

    async def get_readings(self, request: web.Request) -> web.Response:
        """Answer all homes' readings, latest first."""
        return await self._readings(request, None)

    async def _readings(self, request: web.Request, lfdi: str | None) -> web.Response:
        since = number_in(request, "since", 0.0)
        limit = min(int(number_in(request, "limit", 1000.0)), _MAX_READINGS)
        found = await self._mirrors.readings(lfdi=lfdi, since=since, limit=limit)
        return json_answer(ReadingsOut(readings=[ReadingOut.of(item) for item in found]))

    def _known(self, request: web.Request) -> Home:
        lfdi = request.match_info["lfdi"].upper()
        home = self._book.home(lfdi)
        if home is None:
            raise UnknownItemError(f"no home {lfdi[:40]!r}")
        return home

    async def _home(self, home: Home, latest: Sequence[ReadingRecord]) -> HomeOut:
        documents = await self._store.documents(home.lfdi)
        return home_out(
            home,
            (await self._book.contacts.of(home.lfdi)).get(home.lfdi),
            await self._subscriptions.of(home.lfdi),
            self_report(documents, self._book.programs),
            latest,
        )

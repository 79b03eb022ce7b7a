"""Backup, restore and wiping under /api; the owner's alone."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from der.sentence import say
from hems.access.rights import Right
from hems.archive.desk import PIECE, BusyError, Desk, UnknownFileError
from hems.archive.errors import ArchiveError
from web.models import Answer, Input
from web.operation import Operation

_REFUSALS: Final[Mapping[type[Exception], HTTPStatus]] = {
    BusyError: HTTPStatus.CONFLICT,
    UnknownFileError: HTTPStatus.NOT_FOUND,
    ArchiveError: HTTPStatus.BAD_REQUEST,
}
_NAME: Final = "home.hems-backup"


class PassphraseOrder(Input):
    """What locks a backup."""

    passphrase: Annotated[str, Field(max_length=1024, repr=False)]


class WipeOrder(Input):
    """The home's name, typed by who wants it erased."""

    typed: Annotated[str, Field(max_length=200)]


class ContentsAnswer(Answer):
    """What a backup has; fields as in `hems.archive.backup.Manifest`."""

    made_at: float
    software: str
    home: str
    files: Sequence[str]
    outside: Sequence[str]


class BackupAnswer(Answer):
    """A backup that waits to be fetched."""

    id: str
    size: int
    manifest: ContentsAnswer


class SentAnswer(Answer):
    """A file that is being sent.

    Attributes:
        id: By which its pieces are sent.
        length: How much of it is here.
        most: Most octets of a piece.
    """

    id: str
    length: int
    most: int = PIECE


class DoomedAnswer(Answer):
    """What wiping erases."""

    files: Sequence[str]


class ArchiveApi:
    """Backup, restore and wiping."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        own = Right.OWN
        return [
            Operation("POST", "/api/backup", cls.make, own, refusals=_REFUSALS, proof=True),
            Operation("GET", "/api/backup/{id}", cls.fetch, own, refusals=_REFUSALS),
            Operation("POST", "/api/restore", cls.begin, own, refusals=_REFUSALS),
            Operation(
                "PUT",
                "/api/restore/{id}/{offset}",
                cls.take,
                own,
                refusals=_REFUSALS,
                max_body_bytes=PIECE,
            ),
            Operation("POST", "/api/restore/{id}/look", cls.look, own, refusals=_REFUSALS),
            Operation(
                "POST", "/api/restore/{id}", cls.restore, own, refusals=_REFUSALS, proof=True
            ),
            Operation("GET", "/api/wipe", cls.doomed, own, refusals=_REFUSALS),
            Operation("POST", "/api/wipe", cls.wipe, own, refusals=_REFUSALS, proof=True),
        ]

    async def make(self, body: PassphraseOrder) -> BackupAnswer:
        """Make a backup, locked with a passphrase."""
        return BackupAnswer.model_validate(await self._desk.backup(body.passphrase))

    async def fetch(self, id: str) -> web.StreamResponse:  # noqa: A002 - as the path has it
        """Fetch a backup that was made."""
        return web.FileResponse(
            self._desk.made(id),
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Disposition": f'attachment; filename="{_NAME}"',
                "Cache-Control": "no-store",
            },
        )

    async def begin(self) -> SentAnswer:
        """Begin to send a backup that is to be restored, piece by piece."""
        return SentAnswer(id=await self._desk.begin(), length=0)

    async def take(self, id: str, offset: str, content: bytes) -> SentAnswer:  # noqa: A002
        """Send a piece of it; the same one may be sent again."""
        try:
            place = int(offset)
        except ValueError as error:
            raise ArchiveError(say("The place of a piece is a number.")) from error
        return SentAnswer(id=id, length=await self._desk.take(id, place, content))

    async def look(self, id: str, body: PassphraseOrder) -> ContentsAnswer:  # noqa: A002
        """Return what a backup that was sent has."""
        return ContentsAnswer.model_validate(await self._desk.look(id, body.passphrase))

    async def restore(self, id: str, body: PassphraseOrder) -> ContentsAnswer:  # noqa: A002
        """Check all of a backup and start anew with it; on failure the home is as it was."""
        return ContentsAnswer.model_validate(await self._desk.restore(id, body.passphrase))

    async def doomed(self) -> DoomedAnswer:
        """Return what wiping erases."""
        return DoomedAnswer(files=self._desk.doomed())

    async def wipe(self, body: WipeOrder) -> None:
        """Erase the home's keys and data, and start anew as on the first day."""
        await self._desk.wipe(body.typed)

"""What the enterprise says: entries that the operator adds and withdraws, and the signed whole."""

import asyncio
import base64
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import ValidationError

from certs.errors import CertificateError
from certs.identity import IdentityFiles
from certs.keys.store import KeyStore
from certs.pem import read_identity
from certs.signed import Purpose, sign_document
from hems.bulletin import MOST_BULLETIN, Alert, Bulletin, DeviceWord, FirmwareRange, Severity
from hems.headend.enterprise.settings import BulletinSettings
from hems.headend.errors import BusyError, DispatchError, UnknownItemError
from hems.headend.shelf import Shelf
from hems.headend.store import Store

_HOUR_S: Final = 3600.0
_LATEST: Final = "latest"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is said.

    Attributes:
        id: Of the operator's list; drawn when it is added.
        added_at: UTC epoch seconds.
        alert: A threat; or
        device: a word about devices; or
        firmware: versions that must not run; or
        kind: a kind of security event, which
        severity: is so bad.
    """

    id: str = ""
    added_at: float = 0.0
    alert: Alert | None = None
    device: DeviceWord | None = None
    firmware: FirmwareRange | None = None
    kind: str = ""
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """A bulletin as gateways get it.

    Attributes:
        number: Its number.
        issued: UTC epoch seconds.
        expires: The same.
        document: Signed, base64.
    """

    number: int
    issued: float
    expires: float
    document: str

    @property
    def octets(self) -> bytes:
        """What is sent."""
        return base64.b64decode(self.document)


class BulletinBook:
    """Entries and the bulletin that is in force.

    Args:
        store: The open database.
        settings: Who signs.
        now: UTC epoch seconds.
    """

    def __init__(self, store: Store, settings: BulletinSettings, now: Callable[[], float]) -> None:
        self._entries_kept = Shelf(store, "bulletin entry", Entry)
        self._published_kept = Shelf(store, "bulletin", Published)
        self._settings = settings
        self._now = now
        self._changing = store.changing

    async def check(self) -> None:
        """See that bulletins can be signed.

        Raises:
            CertificateError: The signer's certificate or key cannot be used.
        """
        await asyncio.to_thread(self._signed, b"{}")

    @property
    def entries(self) -> Sequence[Entry]:
        """All entries, published or not, in the order they were added."""
        return tuple(self._entries_kept.items)

    @property
    def published(self) -> Published | None:
        """What gateways get; None before the first."""
        return self._published_kept.find(_LATEST)

    async def add(self, entry: Entry) -> Entry:
        """Add an entry; gateways learn of it with the next bulletin.

        Raises:
            DispatchError: With it there would be no bulletin: too many, or two alerts of one id.
            BusyError: The database cannot take it.
        """
        entry = replace(entry, id=secrets.token_hex(4), added_at=self._now())
        async with self._changing():
            self._made([*self.entries, entry], 1)
            await self._entries_kept.put((entry.id, "", entry))
        return entry

    async def withdraw(self, name: str) -> None:
        """Take an entry back; gateways learn of it with the next bulletin.

        Raises:
            UnknownItemError: There is none of this id.
            BusyError: The database cannot do it now.
        """
        async with self._changing():
            if name not in self._entries_kept.all:
                raise UnknownItemError(f"there is no entry {name!r} in the bulletin")
            await self._entries_kept.drop(name)

    async def publish(self) -> Published:
        """Sign all entries as a new bulletin.

        Raises:
            DispatchError: It would be longer than gateways take.
            BusyError: It cannot be signed, or the database cannot take it; the former one stays.
        """
        async with self._changing():
            number = 1 if self.published is None else self.published.number + 1
            bulletin = self._made(self.entries, number)
            try:
                document = await asyncio.to_thread(
                    self._signed, bulletin.model_dump_json().encode()
                )
            except CertificateError as error:
                raise BusyError(f"the bulletin cannot be signed: {error}") from error
            if len(document) > MOST_BULLETIN:
                raise DispatchError(
                    f"the bulletin would be {len(document)} octets long; {MOST_BULLETIN} at most"
                )
            made = Published(
                number, bulletin.issued, bulletin.expires, base64.b64encode(document).decode()
            )
            await self._published_kept.put((_LATEST, "", made))
        return made

    async def keep(self) -> None:
        """Sign anew what would soon end; nothing where nothing was ever published."""
        last = self.published
        if last is not None and self._now() > (last.issued + last.expires) / 2:
            await self.publish()

    def _made(self, entries: Iterable[Entry], number: int) -> Bulletin:
        found = tuple(entries)
        now = self._now()
        try:
            return Bulletin(
                enterprise=self._settings.enterprise,
                number=number,
                issued=now,
                expires=now + self._settings.hours * _HOUR_S,
                alerts=tuple(each.alert for each in found if each.alert is not None),
                devices=tuple(each.device for each in found if each.device is not None),
                firmware=tuple(each.firmware for each in found if each.firmware is not None),
                severities={e.kind: e.severity for e in found if e.severity is not None},
            )
        except ValidationError as error:
            raise DispatchError(f"no bulletin can be made: {_first(error)}") from error

    def _signed(self, body: bytes) -> bytes:
        files = IdentityFiles(self._settings.certificate, self._settings.key)
        chain = read_identity(files)
        return sign_document(body, Purpose.BULLETIN, KeyStore().signer(files.key), chain)


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False)[0]
    return ".".join(str(part) for part in found["loc"]) + ": " + found["msg"]

"""Hubs that the operator has approved before they ask: by maker, serial number and PIN.

A hub shows by its manufacturer's certificate that it is the one. Each approval is for one key: who
resets a hub, or takes one over, is approved anew.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from certs.hwname import HardwareName
from certs.identity import make_pin
from hems.clock import Clock
from hems.headend.db.held import Changed
from hems.headend.errors import ConflictError, UnknownItemError
from hems.headend.modes import Edition
from hems.headend.shelf import Owned, Shelf
from hems.headend.store import Store

MOST: Final = 100_000
"""Hubs that are expected at a time."""
_ID: Final = 12


@dataclass(frozen=True, slots=True)
class Expected:
    """A hub that is expected.

    Attributes:
        id: Public.
        kind: hwType of the hardware: whose make it is.
        serial: Its hwSerialNum, hex.
        pin: Registration PIN of the home.
        edition: What the home speaks.
        made_at: UTC epoch seconds.
        expires_at: Likewise.
        used_by: Mark of the key that it was used with; empty while it is not used.
    """

    id: str
    kind: str
    serial: str
    pin: int
    edition: Edition
    made_at: float
    expires_at: float
    used_by: str = ""


@dataclass(frozen=True, slots=True)
class Expecting:
    """What the operator says of a hub that is to come.

    Attributes:
        name: Which hardware it is.
        pin: Registration PIN; drawn where None.
        edition: What the home speaks.
    """

    name: HardwareName
    pin: int | None
    edition: Edition


class ExpectedHubs:
    """All of them. `Store.load` reads them.

    Args:
        store: The database.
        clock: The utility's time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._shelf = Shelf(store, "est_expected", Expected)
        self._clock = clock
        self._hubs: dict[tuple[str, str], Expected] = {}
        self._shelf.follow(self._take)

    @property
    def all(self) -> Sequence[Expected]:
        """All of them, used or not."""
        return tuple(self._hubs.values())

    async def add(self, hubs: Sequence[Expecting], lasting_s: float) -> Sequence[Expected]:
        """Expect hubs, all or none; one that was expected before is expected anew.

        Args:
            hubs: Which.
            lasting_s: How long they are waited for.

        Raises:
            ConflictError: One is named twice, or there are too many.
            BusyError: The database cannot take them.
        """
        async with self._shelf.database.changing():
            return await self._add(hubs, lasting_s)

    async def _add(self, hubs: Sequence[Expecting], lasting_s: float) -> Sequence[Expected]:
        now = self._clock.now()
        made: dict[tuple[str, str], Expected] = {}
        for each in hubs:
            mark = (each.name.kind, each.name.serial.hex())
            if mark in made:
                raise ConflictError(f"hardware {mark[0]} {mark[1]} is named twice")
            pin = int(make_pin()) if each.pin is None else each.pin
            known = self._hubs.get(mark)
            name = secrets.token_hex(_ID // 2) if known is None else known.id
            made[mark] = Expected(name, *mark, pin, each.edition, now, now + lasting_s)
        if len(self._hubs | made) > MOST:
            raise ConflictError(f"more than {MOST} hubs would be expected")
        await self._shelf.put(*((each.id, "", each) for each in made.values()))
        return tuple(made.values())

    async def drop(self, name: str) -> None:
        """Expect a hub no more; what it has got already it keeps.

        Raises:
            UnknownItemError: None of this id is expected.
        """
        if self._shelf.find(name) is None:
            raise UnknownItemError(f"no hub {name[:40]!r} is expected")
        await self._shelf.drop(name)

    async def used(self, name: HardwareName, key: str) -> Expected | None:
        """Use the approval of a hub for a key; None where there is none for that.

        Args:
            name: The hardware that its manufacturer's certificate names.
            key: Mark of the key that it asks with.
        """
        mark = (name.kind, name.serial.hex())
        found = self._hubs.get(mark)
        if found is None or found.used_by == key:
            return found
        if found.used_by or self._clock.now() >= found.expires_at:
            return None
        used = replace(found, used_by=key)
        await self._shelf.put((used.id, "", used))
        return used

    def _take(self, changes: Sequence[Changed[Owned[Expected]]]) -> None:
        for each in changes:
            if each.after is not None:
                hub = each.after.item
                self._hubs[hub.kind, hub.serial] = hub
            elif each.before is not None:
                self._hubs.pop((each.before.item.kind, each.before.item.serial), None)

"""What a device shows of itself, and whether that is what was trusted. Pure.

A device with a certificate is known by its key alone. One without is known by a fingerprint: maker,
model and serial number as it tells them, and its MAC address where the hub can see it. None of
these is a proof, since whoever knows them can tell them too; together they show a device that was
exchanged, and make it harder to pose as one.
"""

import hashlib
from dataclasses import dataclass, fields, replace
from typing import Final

from der.model import Connection
from der.sentence import say


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device shows of itself; empty where it shows nothing.

    Attributes:
        key: SHA-256 of the public key that it has proved to hold, hex digits.
        manufacturer: Who made it, as it tells.
        model: What it says that it is.
        serial: Its serial number, as it tells.
        mac: Its MAC address, as the hub's neighbour table has it.
    """

    key: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    mac: str = ""

    @property
    def told(self) -> bool:
        """Whether it shows anything at all."""
        return any(getattr(self, name) for name in PARTS)

    @property
    def fingerprint(self) -> str:
        """SHA-256 by which an owner can compare it, hex digits: of the key where there is one.

        Empty where it shows nothing.
        """
        if self.key or not self.told:
            return self.key
        text = "\n".join(getattr(self, name) for name in PARTS if name != "key")
        return hashlib.sha256(text.encode()).hexdigest()


PARTS: Final = tuple(each.name for each in fields(Identity))


def identity_of(connection: Connection, mac: str = "") -> Identity:
    """Return what whoever answers shows of itself."""
    return Identity(
        connection.key, connection.manufacturer, connection.model, connection.serial, mac.lower()
    )


def differing(known: Identity, shown: Identity) -> tuple[str, ...]:
    """Return the names of the parts in which what is shown is not what was trusted.

    A key counts for itself. Without one, what is not shown now does not differ: chargers and
    devices behind a broker say who they are at their own time, and a MAC address is not always to
    be seen. What was never shown before is learnt (`learnt`).
    """
    if known.key:
        return () if shown.key == known.key else ("key",)
    return tuple(
        name
        for name in PARTS
        if (before := getattr(known, name)) and (now := getattr(shown, name)) and before != now
    )


def learnt(known: Identity, shown: Identity) -> Identity:
    """Return what is known of a device that shows no other thing than before, and maybe more."""
    more = {
        name: getattr(shown, name)
        for name in PARTS
        if not getattr(known, name) and getattr(shown, name)
    }
    return replace(known, **more)


def difference(known: Identity, shown: Identity) -> str:
    """Return in one clause how what is shown differs; the first part that does."""
    name = differing(known, shown)[0]
    before, now = getattr(known, name), getattr(shown, name)
    match name:
        case "key" if not now:
            return say("it shows no certificate any more")
        case "key":
            return say("it shows another key than the one that was trusted")
        case "serial":
            return say("its serial number is {now}, not {before}", now=now, before=before)
        case "mac":
            return say("its network address (MAC) is {now}, not {before}", now=now, before=before)
        case "model":
            return say("its model is {now}, not {before}", now=now, before=before)
        case _:
            return say("its maker is {now}, not {before}", now=now, before=before)

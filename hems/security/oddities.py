"""What drivers notice, as events that bear on security."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from der.errors import StrangerError
from der.oddity import Oddity, Tell, Telling, What
from der.registry import Registry
from der.sentence import Template
from der.service import Device, Link
from hems.emg.threats.origin import origin
from hems.security_event import EventKind, Note, SecurityEvent

_KINDS: Final[Mapping[What, EventKind]] = {
    What.STRANGER: EventKind.DEVICE_STRANGER,
    What.OTHER: EventKind.DEVICE_STRANGER,
    What.IMPOSTOR: EventKind.DEVICE_REFUSED,
    What.HANDSHAKE: EventKind.PEER_REFUSED,
    What.HOSTILE: EventKind.DEVICE_HOSTILE,
    What.MEDDLER: EventKind.DEVICE_MEDDLED,
    What.REFUSED: EventKind.ACCESS_REFUSED,
    What.FALSE_SERVER: EventKind.SERVER_REFUSED,
}
_TEXTS: Final[Mapping[What, Template]] = {
    What.STRANGER: Template("Somebody who is no device of this home calls in as {who}: {why}."),
    What.IMPOSTOR: Template("Somebody who said to be {who} was not let in: {why}."),
    What.HANDSHAKE: Template("A caller was refused at the handshake: {why}."),
    What.OTHER: Template("At the address of {who} another answers: {why}."),
    What.HOSTILE: Template("{who} does what no such device does: {why}."),
    What.MEDDLER: Template("Somebody meddles with {who}: {why}."),
    What.REFUSED: Template("The hub is not let in: {why}."),
    What.FALSE_SERVER: Template("The hub calls somebody else than it means to: {why}."),
}


def event_of(oddity: Oddity, names: Mapping[str, str]) -> SecurityEvent:
    """Return the event.

    Args:
        oddity: What was noticed.
        names: What the owner calls each device, by id.
    """
    who = names.get(oddity.about, oddity.about)
    text = _TEXTS[oddity.what](who=who, why=oddity.why)
    return SecurityEvent(_KINDS[oddity.what], text, oddity.about, origin(oddity.source))


def noting(registry: Registry, note: Note) -> None:
    """Have taken note of what the drivers of a home's devices notice.

    Args:
        registry: The home's devices.
        note: Told.
    """
    names = {name: device.spec.name for name, device in registry.devices.items()}

    def tell(oddity: Oddity) -> None:
        note(event_of(oddity, names))

    for service in registry.services.values():
        if isinstance(service, Telling):
            service.tell_by(tell)
    _watch(registry.devices.values(), tell)


def _watch(devices: Iterable[Device], tell: Tell) -> None:
    """Have told where somebody answers at a device's address who is no such device."""
    for device in devices:
        device.connect = _telling(device.spec.id, device.connect, tell)


def _telling(
    name: str, connect: Callable[[], Awaitable[Link]], tell: Tell
) -> Callable[[], Awaitable[Link]]:
    async def connecting() -> Link:
        try:
            return await connect()
        except StrangerError as error:
            tell(Oddity(What.OTHER, str(error), name))
            raise

    return connecting

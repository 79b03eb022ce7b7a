"""Which devices are trusted, under /api: approved, blocked, taken back."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import Field

from der.model import Ownership
from hems.access.rights import Right, Who
from hems.emg.trust.standing import Blocker, Cause, TrustError, TrustStanding, UnknownDeviceError
from hems.security.trust_surface import Barrier, NotYoursError, TrustSurface
from web.models import Answer, Input
from web.operation import Operation, Refusals
from web.words import Words

_REFUSALS: Final[Refusals] = {
    UnknownDeviceError: HTTPStatus.NOT_FOUND,
    NotYoursError: HTTPStatus.FORBIDDEN,
    TrustError: HTTPStatus.CONFLICT,
}
Reason = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ShownAnswer(Answer):
    """What a device shows of itself; fields as in `hems.security.trust_surface.ShownView`."""

    fingerprint: str
    by_key: bool
    manufacturer: str
    model: str
    serial: str
    mac: str


class RevokedAnswer(Answer):
    """A key that counts no more; fields as in `hems.security.trust_surface.RevokedView`."""

    fingerprint: str
    at: float
    why: Words


class StandAnswer(Answer):
    """How a device stands; fields as in `hems.security.trust_surface.StandView`."""

    id: str
    name: str
    kind: str
    ownership: Ownership
    standing: TrustStanding
    why: Words
    doubts: Mapping[Cause, Words]
    blocks: Mapping[Blocker, Words]
    trusted: ShownAnswer | None
    shown: ShownAnswer | None
    revoked: Sequence[RevokedAnswer]
    firmware: str
    barrier: Barrier


class TrustAnswer(Answer):
    """How all devices stand, in the configuration's order."""

    devices: Sequence[StandAnswer]


class TrustOrder(Input):
    """Why something is asked; may be left empty where a block or a quarantine is not at stake."""

    why: Reason = ""


class BlockOrder(Input):
    """Why a device is to be shut."""

    why: Annotated[Reason, Field(min_length=1)]


class LiftOrder(Input):
    """Why a quarantine is to end.

    Attributes:
        why: The reason.
        accept: Whether the device is trusted as it shows itself now; else as it was before.
    """

    why: Annotated[Reason, Field(min_length=1)]
    accept: bool = False


class TrustApi:
    """What can be asked of the list of trusted devices, under /api.

    Args:
        surface: Returns that of the present home.
    """

    def __init__(self, surface: Callable[[], TrustSurface]) -> None:
        self._surface = surface

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        one = "/api/trust/{device}"
        may = Right.SET_UP
        return [
            Operation("GET", "/api/trust", cls.trust, Right.SEE),
            Operation("POST", f"{one}/approve", cls.approve, may, refusals=_REFUSALS),
            Operation("POST", f"{one}/block", cls.block, may, refusals=_REFUSALS),
            Operation("POST", f"{one}/allow", cls.allow, may, refusals=_REFUSALS, proof=True),
            Operation("POST", f"{one}/lift", cls.lift, may, refusals=_REFUSALS, proof=True),
        ]

    async def trust(self) -> TrustAnswer:
        """Return how each device stands: trusted, new, in quarantine or blocked."""
        found = [StandAnswer.model_validate(each) for each in self._surface().devices()]
        return TrustAnswer(devices=found)

    async def approve(self, device: str, body: TrustOrder, who: Who) -> None:
        """Trust a new device as it shows itself now."""
        await self._surface().approve(device, body.why, who)

    async def block(self, device: str, body: BlockOrder, who: Who) -> None:
        """Shut a device: it is taken off, and nothing more is said to it."""
        await self._surface().block(device, body.why, who)

    async def allow(self, device: str, body: TrustOrder, who: Who) -> None:
        """Take a block back."""
        await self._surface().allow(device, body.why, who)

    async def lift(self, device: str, body: LiftOrder, who: Who) -> None:
        """Take a device out of quarantine, as it was before or as it shows itself now."""
        await self._surface().lift(device, body.why, who, accept=body.accept)

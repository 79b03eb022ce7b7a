"""Who may approve, block and take back: the list of trusted devices as people ask it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from der.model import DeviceSpec, Ownership
from der.sentence import say
from hems.access.rights import Role, Who
from hems.emg.trust.identity import Identity
from hems.emg.trust.standing import Cause, TrustError, TrustStanding, UnknownDeviceError
from hems.emg.trust.trust import StandingView, Trust
from hems.security.trust_surface import Barrier, NotYoursError, RevokedView, ShownView, StandView

_EVERY: Final = frozenset(Ownership)
JUDGES: Final[Mapping[Role, frozenset[Ownership]]] = {
    Role.OWNER: _EVERY,
    Role.INSTALLER: _EVERY - {Ownership.SERVICE_PROVIDER},
    Role.PROVIDER: frozenset({Ownership.SERVICE_PROVIDER}),
}
"""Whose devices each role may judge; the owner's say covers all that stands in the home."""


class Judging:
    """Implements `hems.security.trust_surface.TrustSurface`.

    Args:
        trust: The list.
        specs: The home's devices, in the configuration's order.
        walled: Returns the ids of the devices whose traffic the firewall stops where they are shut.
    """

    def __init__(
        self,
        trust: Trust,
        specs: Sequence[DeviceSpec],
        walled: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._trust = trust
        self._specs = {spec.id: spec for spec in specs}
        self._walled = walled

    def devices(self) -> Sequence[StandView]:
        """Return how each device stands, in the configuration's order."""
        walled = self._walled()
        standings = self._trust.standings
        return [
            _view(spec, standings[name], walled=name in walled)
            for name, spec in self._specs.items()
        ]

    async def approve(self, device: str, why: str, who: Who) -> None:
        """Trust a new device as it shows itself now."""
        if self._judged(device, who).standing is not TrustStanding.NEW:
            raise TrustError(say("This device does not wait for approval."))
        await self._trust.approve(device, word(who, why))

    async def commissioned(self, device: str, who: Who) -> None:
        """Trust a device that somebody has just tried out and keeps.

        Nothing happens where it is not new; one that they may not judge waits for somebody who may.
        """
        spec, found = self._specs.get(device), self._trust.standings.get(device)
        if spec is None or found is None or found.standing is not TrustStanding.NEW:
            return
        if _may_judge(who, spec):
            await self._trust.approve(device, who.name)

    async def block(self, device: str, why: str, who: Who) -> None:
        """Shut a device."""
        self._judged(device, who)
        await self._trust.block(device, why, word=word(who, why))

    async def allow(self, device: str, why: str, who: Who) -> None:
        """Take a block back."""
        self._judged(device, who)
        await self._trust.allow(device, word=word(who, why))

    async def lift(self, device: str, why: str, who: Who, *, accept: bool) -> None:
        """Take a device out of quarantine, as it was or as it shows itself now."""
        found = self._judged(device, who)
        if accept and Cause.IDENTITY in found.doubts:
            await self._trust.approve(device, word(who, why))
            found = self._trust.standings[device]
        if found.doubts or not accept:
            await self._trust.lift(device, word(who, why))

    def _judged(self, device: str, who: Who) -> StandingView:
        """Return how a device stands, if who asks may judge it."""
        spec = self._specs.get(device)
        if spec is None:
            raise UnknownDeviceError(say("this home has no device {device!r}", device=device))
        if not _may_judge(who, spec):
            raise NotYoursError(
                say("Your role does not judge a device of this ownership in this home.")
            )
        return self._trust.standings[device]


def _may_judge(who: Who, spec: DeviceSpec) -> bool:
    return spec.ownership in JUDGES.get(who.role, frozenset())


def word(who: Who, why: str) -> str:
    """Return on whose word something was done, and why, as it is written down."""
    return say("{who}: {why}", who=who.name, why=why) if why else who.name


def _view(spec: DeviceSpec, found: StandingView, *, walled: bool) -> StandView:
    return StandView(
        spec.id,
        spec.name,
        spec.kind.value,
        spec.ownership,
        found.standing,
        found.why,
        found.doubts,
        found.blocks,
        shown_view(found.identity),
        shown_view(found.shown),
        [RevokedView(_pairs(each.key), each.at, each.why) for each in found.revoked],
        "" if found.connection is None else found.connection.firmware,
        Barrier.FIREWALL if walled else Barrier.HANDLES,
    )


def shown_view(identity: Identity | None) -> ShownView | None:
    """Return what a device shows of itself, as the page has it."""
    if identity is None:
        return None
    return ShownView(
        _pairs(identity.fingerprint),
        bool(identity.key),
        identity.manufacturer,
        identity.model,
        identity.serial,
        identity.mac,
    )


def _pairs(digits: str) -> str:
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2)).upper()

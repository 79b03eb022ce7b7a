"""Privacy and security under /api: what leaves the home, who is believed, what was wrong."""

from collections.abc import Callable, Sequence

from hems.access.rights import Right
from hems.security.surface import (
    CertificateUse,
    Flow,
    Guard,
    Occasion,
    Proof,
    Reach,
    Renewal,
    SecuritySurface,
    Standing,
)
from web.models import Answer
from web.operation import Operation
from web.words import Words


class OutflowAnswer(Answer):
    """Something that leaves the hub; fields as in `hems.security.surface.OutflowView`."""

    flow: Flow
    to: str
    host: str
    reach: Reach
    occasion: Occasion
    guard: Guard
    devices: Sequence[str]
    data: Sequence[str]
    every_s: float | None
    until: float | None


class ConnectionAnswer(Answer):
    """The connection to a utility; fields as in `hems.security.surface.ConnectionView`."""

    name: str
    server: str
    state: str
    detail: Words
    lfdi: str
    last_contact: float | None
    clock_error_s: float | None
    edition: str


class CertificateAnswer(Answer):
    """A certificate; fields as in `hems.security.surface.CertificateView`."""

    use: CertificateUse
    of: str
    standing: Standing
    renewal: Renewal
    subject: str
    issuer: str
    starts_at: float | None
    ends_at: float | None
    fingerprint: str
    lfdi: str
    error: Words
    key: Words


class TrustedDeviceAnswer(Answer):
    """A device that is believed; fields as in `hems.security.surface.TrustedDeviceView`."""

    id: str
    name: str
    kind: str
    driver: str
    address: str
    reach: Reach
    guard: Guard
    proof: Proof
    ownership: str


class StrangerAnswer(Answer):
    """Somebody unknown that called in; fields as in `hems.security.surface.StrangerView`."""

    identity: str
    address: str


class SecurityAnswer(Answer):
    """All of it; fields as in `hems.security.surface.SecurityView`."""

    connections: Sequence[ConnectionAnswer]
    certificates: Sequence[CertificateAnswer]
    devices: Sequence[TrustedDeviceAnswer]
    strangers: Sequence[StrangerAnswer]
    outflows: Sequence[OutflowAnswer]
    store: Words
    time: Words


class PastAlarmAnswer(Answer):
    """One time in which something was wrong; fields as in `hems.security.surface.AlarmView`."""

    source: str
    text: Words
    began_at: float
    ended_at: float | None


class AlarmsAnswer(Answer):
    """The alarms that are kept.

    Attributes:
        alarms: Those that last first, then the latest first.
        time_zone: IANA name of the home's time zone.
    """

    alarms: Sequence[PastAlarmAnswer]
    time_zone: str


class SecurityApi:
    """What can be asked of the home's privacy and security, under /api.

    Args:
        surface: Returns that of the present home.
        time_zone: IANA name of the home's; empty where nobody knows.
    """

    def __init__(self, surface: Callable[[], SecuritySurface], time_zone: str = "") -> None:
        self._surface = surface
        self._time_zone = time_zone

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [
            Operation("GET", "/api/security", cls.security, Right.AUDIT),
            Operation("GET", "/api/alarms", cls.alarms, Right.SEE),
        ]

    async def security(self) -> SecurityAnswer:
        """Return how the home is guarded, who is believed, and what leaves it."""
        return SecurityAnswer.model_validate(await self._surface().security())

    async def alarms(self) -> AlarmsAnswer:
        """Return what is wrong with the home and what was, with its times."""
        found = self._surface().alarms()
        told = [PastAlarmAnswer.model_validate(each) for each in found]
        return AlarmsAnswer(alarms=told, time_zone=self._time_zone)

"""How the home talks to a utility, and how the link to it stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hems.sep2.enddevice.enrolment import MemberSettings
from hems.sep2.enddevice.readings import MirrorSpec
from hems.sep2.enddevice.registration import Identity
from hems.sep2.rules.events import Event
from hems.sep2.rules.lifecycle import Profile
from hems.sep2.walk.notices import GRACE_S
from hems.sep2.walk.walker import Pace
from hems.sep2.wrong_pins import FIRST_S


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """Where notifications come in; see `hems.sep2.transport.listener.Listener`.

    Raises:
        ValueError: It listens on every address and does not say under which the utility comes in.
    """

    host: str
    port: int = 0
    public_host: str | None = None
    public_port: int | None = None

    def __post_init__(self) -> None:
        if self.public_host is None and self.host in ("", "0.0.0.0", "::"):  # noqa: S104 - asked about
            raise ValueError(f"listening on {self.host or 'all addresses'} needs a public_host")


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How the home talks to its utility.

    Attributes:
        identity: Who the home is; its LFDI need not be the certificate's.
        server: Name under which this utility's events are kept; must not change over restarts.
        url: Of its DeviceCapability; None to find the server by DNS-SD.
        profile: What the home can do and how it answers.
        binding: Tells whether the owner may not leave an event; None for what 2030.5 flags.
        pace: Bounds of the poll rate.
        comms_loss_s: Time without contact after which no further event begins.
        listen: Where notifications come in; None to poll only.
        mirrors: Usage points to keep up at the server.
        level: Extensibility level of subscriptions.
        subscription_check_s: How often subscriptions are checked.
        notice_grace_s: How much later than a change its notification may come, before the
            subscription counts as worth nothing.
        registers: Whether the home makes its EndDevice where it is missing.
        others: Further EndDevices that the home answers for, as a gateway or an aggregator does.
        certificate: LFDI of the certificate that the server sees, where it is not the home's own.
        wrong_pin_s: How long a server that does not know the home's PIN is left alone at first.
    """

    identity: Identity
    server: str
    url: str | None = None
    profile: Profile = field(default_factory=Profile)
    binding: Callable[[Event], bool] | None = None
    pace: Pace = field(default_factory=Pace)
    comms_loss_s: float = 3600.0
    listen: ListenSettings | None = None
    mirrors: Sequence[MirrorSpec] = ()
    level: str = "+S1"
    subscription_check_s: float = 900.0
    notice_grace_s: float = GRACE_S
    registers: bool = True
    others: Sequence[MemberSettings] = ()
    certificate: str | None = None
    wrong_pin_s: float = FIRST_S

    @property
    def members(self) -> Sequence[MemberSettings]:
        """All EndDevices that the home answers for, its own first."""
        home = MemberSettings(
            self.identity, self.profile, self.binding, self.mirrors, self.registers
        )
        return (home, *self.others)


@dataclass(frozen=True, slots=True)
class ClientState:
    """How the link to the utility stands.

    Attributes:
        state: "off" before `run`, "searching", "connecting", "connected", "unreachable", "refused".
        detail: One sentence for the owner.
        server: The server's URL, empty while none is found.
        last_contact: UTC epoch seconds of its last good answer; None if never.
    """

    state: str
    detail: str
    server: str = ""
    last_contact: float | None = None

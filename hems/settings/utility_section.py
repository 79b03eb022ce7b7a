"""A utility in the configuration: its server, our identity there, and what was agreed with it."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from certs.est.code import server_of
from certs.est.errors import EstError
from certs.identity import pin_valid
from certs.ocsp.question import good_address
from hems.settings.section import Duration, Port, Section, Text, twins
from hems.settings.slope_section import Slope

UTILITY: Final = "utility"
"""Name of the utility where a home has one only."""

OCSP_NAMED: Final = "named"
OCSP_OFF: Final = "off"

_LEAST_GRACE_S: Final = 3600.0


def _pin(pin: str) -> str:
    if not pin_valid(pin):
        raise ValueError(f"{pin!r} is not a PIN: five digits and the check digit that fits")
    return pin


Pin = Annotated[str, AfterValidator(_pin)]
Lfdi = Annotated[str, AfterValidator(str.upper), Field(pattern=r"^[0-9A-Fa-f]{40}$")]


class ProgramSection(Section):
    """A programme's policy, as agreed when the owner joined it."""

    name: Text
    """The programme's name (2030.5 description) or mRID."""
    binding: bool
    """Whether the owner may not opt out."""
    slope: Slope | None = None
    """While an event of it holds, the net power changes by at most this, as agreed."""


class MemberSection(Section):
    """A further EndDevice that the hub answers for at a utility, as a gateway does.

    What it is asked is asked of its own devices; limits at the meter hold for the home as a whole.
    """

    name: Text
    """What the owner calls it."""
    lfdi: Lfdi
    """Its LFDI, as agreed with the utility."""
    pin: Pin
    """Its registration PIN: five digits and a check digit."""
    devices: tuple[str, ...] = ()
    """Ids of the devices that it stands for; none for the home as a whole, without reports."""


class UtilitySection(Section):
    """An IEEE 2030.5 server and our identity there."""

    name: str = Field(default=UTILITY, pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    """Under which its events are kept; it must not change. Two utilities need two names."""
    url: str | None = None
    """DeviceCapability URL; without it the server is looked for by DNS-SD."""
    est: str | None = None
    """HOST:PORT of the server that renews the certificate (RFC 7030); not renewed without it."""
    certificate: Path
    """The hub's certificate chain, PEM."""
    key: Path
    """The hub's private key, PEM."""
    trust: Path
    """Root certificates that the server's chain must end in, PEM."""
    crls: Path
    """Revocation lists of every CA in the server's chain, PEM."""
    revocation: Literal["soft", "hard"] = "soft"
    """What holds while nobody says whether the server's certificate was revoked, its lists being
    overdue and OCSP out of reach. "soft": what was known last, and the owner is told; "hard": that
    too, for `revocation_grace`, and then the utility is not talked to. Soft by default, for a list
    that comes late is far more often forgotten than withheld, and without its utility a home keeps
    no limit that the grid needs."""
    revocation_grace: Annotated[Duration, Field(ge=_LEAST_GRACE_S)] = 72 * 3600.0
    """How long "hard" waits; an hour at least."""
    ocsp: str = OCSP_NAMED
    """Where the server's certificates are asked about (RFC 6960): "named", where they say
    themselves, if they do; "off", nowhere; or a URL."""
    pin: Pin
    """Registration PIN: five digits and a check digit."""
    lfdi: Lfdi | None = None
    """LFDI under which the home is registered, where it is not that of the certificate."""
    register_in_band: bool = True
    """Whether the hub may make its own EndDevice at a server that does not list it."""
    edition: Literal["2018", "csip", "csip-aus", "2023"] = "csip-aus"
    """Edition and profile spoken with this server."""
    responses: Literal["all", "basic"] = "all"
    """Answers to events that it takes: all of its profile's, or the codes 1, 2, 3, 6 and 7 only."""
    notify_host: Text = "127.0.0.1"
    """Address of this hub at which the server can reach it with notifications."""
    notify_port: Port = 0
    """Its port; 0 takes a free one."""
    poll_least: Duration = 5.0
    """Never poll more often than this, whatever the server says."""
    comms_loss: Duration = 900.0
    """Without contact for this long the default control holds."""
    mirror_interval: Duration = 60.0
    """Length of the intervals whose mean power is reported; whole seconds."""
    connection_point: str = Field(default="", max_length=32)
    """Where the home is connected, as the network operator names it (the NMI in Australia)."""
    program: tuple[ProgramSection, ...] = ()
    """Policies by programme; one not listed binds, except where the server says voluntary."""
    member: tuple[MemberSection, ...] = ()
    """Further EndDevices that the hub answers for with the same certificate."""

    @field_validator("url")
    @classmethod
    def _https(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not url.startswith("https://"):
            raise ValueError(f"{url!r} is not an https:// URL; IEEE 2030.5 runs over TLS only")
        parts = urlsplit(url)
        if not parts.hostname or parts.port == 0 or any(c.isspace() for c in url):
            raise ValueError(f"{url!r} is not a URL: https://HOST:PORT/PATH")
        return url

    @field_validator("notify_host")
    @classmethod
    def _one_address(cls, host: str) -> str:
        if host in {"0.0.0.0", "::"}:  # noqa: S104 - refused here
            raise ValueError(
                f"{host!r} stands for all addresses; name the one at which the server reaches us"
            )
        return host

    @field_validator("est")
    @classmethod
    def _a_server(cls, est: str | None) -> str | None:
        if est is not None:
            try:
                server_of(est)
            except EstError as error:
                raise ValueError(str(error)) from error
        return est

    @field_validator("ocsp")
    @classmethod
    def _a_responder(cls, ocsp: str) -> str:
        if ocsp not in {OCSP_NAMED, OCSP_OFF} and not good_address(ocsp):
            raise ValueError(
                f"{ocsp!r} is not {OCSP_NAMED!r}, {OCSP_OFF!r} or a URL: http://HOST:PORT/PATH"
            )
        return ocsp

    @field_validator("mirror_interval")
    @classmethod
    def _whole_seconds(cls, interval_s: float) -> float:
        if interval_s < 1.0 or interval_s != round(interval_s):
            raise ValueError("an interval of readings is a whole number of seconds, at least 1 s")
        return interval_s

    @field_validator("program")
    @classmethod
    def _policies_differ(cls, programs: tuple[ProgramSection, ...]) -> tuple[ProgramSection, ...]:
        for name in twins(program.name for program in programs):
            raise ValueError(f"programme {name!r} has two policies")
        return programs

    @field_validator("member")
    @classmethod
    def _members_differ(cls, members: tuple[MemberSection, ...]) -> tuple[MemberSection, ...]:
        for lfdi in twins(member.lfdi for member in members):
            raise ValueError(f"two members have the LFDI {lfdi}")
        return members

    @model_validator(mode="after")
    def _members_are_others(self) -> Self:
        for member in self.member:
            if member.lfdi == self.lfdi:
                raise ValueError(f"member {member.name!r} has the LFDI of the home itself")
        return self

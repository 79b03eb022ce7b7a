"""Settings of the enterprise side: the table `[cim]` of the head-end."""

from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from certs.identity import lfdi_valid
from hems.headend.cim.nouns import Right

NATS: Final = "nats:"
"""Before a subject, in an address."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_SUBJECT: Final = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,15}"
_TOKEN: Final = r"^[A-Za-z0-9_-]{1,64}$"  # noqa: S105 - a pattern of names


class PeerSettings(BaseModel):
    """A system of the utility's that sends messages, or is told something."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=_TOKEN)
    """As the trail has it; also a part of its NATS subjects."""
    source: str = Field(default="", max_length=120)
    """What its headers must have as Source; its name where nothing is said."""
    token_file: Path | None = None
    """The bearer token that it shows over HTTP; made on first start, for its owner only."""
    lfdi: str | None = None
    """Or the LFDI of the certificate that it shows."""
    may: frozenset[Right] = frozenset({Right.QUERY})
    """What it may do."""
    reply_to: tuple[str, ...] = ()
    """Where it may want answers and events: beginnings of https URLs, or `nats:` and a subject's
    beginning. (http only to loopback addresses.)"""

    @field_validator("lfdi")
    @classmethod
    def _whole(cls, value: str | None) -> str | None:
        if value is not None and not lfdi_valid(value.upper()):
            raise ValueError("lfdi must be 40 hex digits")
        return None if value is None else value.upper()

    @field_validator("reply_to")
    @classmethod
    def _outward(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if not each.startswith(NATS) and not _fit(each):
                raise ValueError(f"{each!r} is neither an https URL with a path, nor nats:SUBJECT")
        return value


class NatsSettings(BaseModel):
    """The NATS server that messages come and go by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: tuple[str, ...] = Field(min_length=1)
    """URLs, `nats://` or `tls://`."""
    user: str | None = None
    """Its user there; without one, `password_file` holds a token."""
    password_file: Path | None = None
    """Holds the password, or, without a user, the token."""
    ca: Path | None = None
    """PEM file of the roots that its certificate is judged by; those of the machine where None."""
    prefix: str = Field(default="cim", pattern=f"^{_SUBJECT}$")
    """All subjects begin with it."""


class CimSettings(BaseModel):
    """Which systems send messages, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """Address that messages over HTTP come to."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Its port; 0 takes any free one."""
    tls: bool = True
    """Whether it speaks TLS, with the head-end's own certificate; only loopback may do without."""
    source: str = Field(default="hems-headend", min_length=1, max_length=120)
    """Source in the headers of what the head-end sends."""
    peers: tuple[PeerSettings, ...] = Field(min_length=1)
    """Who sends messages."""
    nats: NatsSettings | None = None
    """Messages over NATS; none where None."""
    age_s: float = Field(default=300.0, ge=5, le=86400)
    """How far a message's time may be from now."""
    trail_days: int = Field(default=400, ge=1, le=3650)
    """How long the trail is kept."""
    look_s: float = Field(default=5.0, ge=0.05, le=3600)
    """How often it is looked for what homes told."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not self.tls and self.host not in LOOPBACK:
            raise ValueError(f"host {self.host!r} is not a loopback address, and tls is off")
        for what in ("name", "lfdi"):
            given = [getattr(peer, what) for peer in self.peers if getattr(peer, what) is not None]
            if len(set(given)) != len(given):
                raise ValueError(f"two peers have the same {what}")
        return self


def _fit(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or not parts.path or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)

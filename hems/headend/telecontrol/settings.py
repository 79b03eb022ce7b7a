"""Settings of telecontrol: the table `[telecontrol]` of the head-end."""

import ipaddress
from pathlib import Path
from typing import Annotated, Final, Self

from cryptography import x509
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hems.headend.telecontrol.link import Pace

_Frames = Annotated[int, Field(ge=1, le=32767)]
_Seconds = Annotated[float, Field(gt=0, le=255)]
_FILES: Final = ("certificate", "key", "roots", "crls")


class CentreSettings(BaseModel):
    """A control centre; all its connections are one redundancy group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")
    """As log and trail have it."""
    subject: str | None = None
    """Subject of its certificate, as RFC 4514 writes it: "CN=scada,O=Grid"."""
    addresses: tuple[str, ...] = ()
    """Addresses or networks that it calls from; any where empty, which needs a subject."""
    commands: bool = False
    """Whether it may command."""

    @field_validator("subject")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            return x509.Name.from_rfc4514_string(value).rfc4514_string()
        except ValueError as error:
            raise ValueError(f"{value!r} is no subject of a certificate (RFC 4514)") from error

    @field_validator("addresses")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                ipaddress.ip_network(each)
            except ValueError as error:
                raise ValueError(f"{each!r} is neither an address nor a network") from error
        return value

    def calls_from(self, address: str) -> bool:
        """Return whether it may call from an address."""
        if not self.addresses:
            return True
        try:
            at = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(at in ipaddress.ip_network(each) for each in self.addresses)


class TelecontrolSettings(BaseModel):
    """Which control centres see and command what, by IEC 60870-5-104."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """Address to listen on. Of several workers of a machine one listens, another takes over."""
    port: Annotated[int, Field(ge=0, le=65535)] = 19998
    """Its port; 19998 is that of 104 by TLS, 2404 that without."""
    table: Path
    """The mapping table (CSV)."""
    centres: tuple[CentreSettings, ...] = Field(min_length=1)
    """Who may call."""
    certificate: Path | None = None
    """PEM file: the certificate that control centres are shown, and its intermediate CAs."""
    key: Path | None = None
    """PEM file: its private key."""
    roots: Path | None = None
    """PEM file: root certificates trusted for control centres."""
    crls: Path | None = None
    """PEM file: revocation lists of every CA in their chains."""
    plain: bool = False
    """Whether it speaks without TLS to other machines too: the line must be theirs alone."""
    k: _Frames = 12
    """So many frames may be under way without an acknowledgement."""
    w: _Frames = 8
    """After so many of the control centre's one is sent."""
    t1_s: _Seconds = 15.0
    """Within this what is sent must be acknowledged."""
    t2_s: _Seconds = 10.0
    """After this what came is acknowledged."""
    t3_s: Annotated[float, Field(gt=0, le=172_800)] = 20.0
    """After so long without a word a test is sent."""
    look_s: Annotated[float, Field(ge=1, le=3600)] = 30.0
    """How often figures are looked up while a control centre wants them."""
    select_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """How long a selected point waits for its execution."""
    resend_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """The same value for the same point within this is the same command, sent again."""

    @property
    def tls(self) -> bool:
        """Whether it speaks TLS."""
        return self.certificate is not None

    def pace(self) -> Pace:
        """Return how frames go."""
        return Pace(self.k, self.w, self.t1_s, self.t2_s, self.t3_s)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        given = [name for name in _FILES if getattr(self, name) is not None]
        if given and len(given) < len(_FILES):
            missing = next(name for name in _FILES if name not in given)
            raise ValueError(f"{missing} is missing: TLS needs {', '.join(_FILES)}")
        if not self.tls and not self.plain and not _loopback(self.host):
            raise ValueError(
                f"host {self.host!r} is not a loopback address: name certificate, key, roots and "
                "crls, or say plain = true where the line is the control centre's alone"
            )
        if self.t2_s >= self.t1_s:
            raise ValueError(f"t2_s {self.t2_s:g} must be shorter than t1_s {self.t1_s:g}")
        if self.w > self.k:
            raise ValueError(f"w {self.w} must not be more than k {self.k}")
        self._check_centres()
        return self

    def _check_centres(self) -> None:
        names = [each.name for each in self.centres]
        if len(set(names)) != len(names):
            raise ValueError("two control centres have the same name")
        for each in self.centres:
            if self.tls and each.subject is None:
                raise ValueError(f"centre {each.name}: with TLS, name its certificate's subject")
            if not self.tls and (each.subject is not None or not each.addresses):
                raise ValueError(f"centre {each.name}: without TLS, name its addresses, no subject")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

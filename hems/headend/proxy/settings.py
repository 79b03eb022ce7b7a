"""The proxy's part of the head-end's configuration."""

import ipaddress
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

RFC_9440: Final = "client-cert"
_Header = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")


class ProxySettings(BaseModel):
    """A proxy that ends TLS, asks clients for their certificates and passes these on."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    networks: tuple[str, ...] = Field(default=_LOOPBACK, alias="from", min_length=1)
    """Addresses or networks that the proxy calls from; nobody else is heard."""
    header: _Header = "Client-Cert"
    """Which header has the certificate. "Client-Cert" is that of RFC 9440, with the other ones in
    Client-Cert-Chain; any other name stands for PEM with what is not allowed in URLs escaped, as
    nginx has it in $ssl_client_escaped_cert."""
    authorities: Path | None = None
    """PEM file: CAs between roots and homes, for a proxy that passes the home's own certificate
    only; none where None."""
    address_header: _Header | None = None
    """Which header has the home's own address, once: notifications may go there. Where None they
    go to `notify_hosts` only."""
    host: str = "127.0.0.1"
    """Address where the proxy is listened to, in plain HTTP."""
    port: int = Field(default=0, ge=0, le=65535)
    """Its port; 0 takes any free one."""
    reached_at: str = Field(pattern=r"^https://[^/\s]+$")
    """Origin at which homes reach the proxy."""

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for each in networks:
            try:
                found = ipaddress.ip_network(each)
            except ValueError as error:
                raise ValueError(f"{each[:60]!r} is no network: {error}") from error
            if found.num_addresses == 1 << found.max_prefixlen:
                raise ValueError(f"{each} is everybody: anybody could say who he is")
        return networks

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.address_header is not None and self.address_header.lower() in {
            self.header.lower(),
            f"{RFC_9440}-chain",
        }:
            raise ValueError("address_header: is the header of the certificate")
        return self

    @property
    def by_rfc(self) -> bool:
        """Whether certificates come as RFC 9440 has them."""
        return self.header.lower() == RFC_9440

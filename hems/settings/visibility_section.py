"""Where those whom the owner granted it see what the home measures."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from hems.settings.section import Port, Section, Text


class VisibilitySection(Section):
    """The door for recipients; without a certificate there is none."""

    host: Text = "127.0.0.1"
    """Address to listen on."""
    port: Port = 0
    """Its port; 0 takes a free one."""
    certificate: Path | None = None
    """The hub's certificate chain, PEM; that of a utility section may be used."""
    key: Path | None = None
    """Its private key, PEM."""
    trust: Path | None = None
    """Root certificates that a recipient's chain must end in, PEM."""
    crls: Path | None = None
    """Revocation lists of every CA in such chains, PEM."""

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        given = [self.certificate, self.key, self.trust, self.crls]
        if any(given) and not all(given):
            raise ValueError("certificate, key, trust and crls go together")
        return self

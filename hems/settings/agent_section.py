"""The software agent that watches over the hub."""

from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Self

from pydantic import field_validator, model_validator

from hems.settings.section import Section


class Start(StrEnum):
    """Who starts the agent."""

    CHILD = "child"
    """The hub."""
    SERVICE = "service"
    """The machine's service manager, perhaps as another user."""


class AgentSection(Section):
    """The agent; without a manifest there is none."""

    manifest: Path | None = None
    """What the software consists of, as its provider signed it."""
    roots: Path | None = None
    """Root certificates of the providers that are believed, PEM."""
    crls: Path | None = None
    """Revocation lists of those providers' authorities, PEM; with it, a manifest whose signer no
    current list vouches for counts as tampered with."""
    required: bool = False
    """Whether the home takes part in no programme unless the agent says that all is well."""
    start: Start = Start.CHILD
    """"child": the hub starts it; "service": something else runs `hems agent run`."""
    secret: Path | None = None
    """File with the secret that hub and agent share, for start = "service"."""
    boot: bool = False
    """Whether the machine's start is measured by its TPM, reached as [keys] tcti says."""
    networks: tuple[str, ...] = ()
    """Networks that belong to the home beside the private ones, such as "203.0.113.0/24"."""

    @property
    def there(self) -> bool:
        """Whether there is an agent."""
        return self.manifest is not None

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for each in networks:
            try:
                ip_network(each)
            except ValueError as error:
                raise ValueError(f"networks: {error}") from error
        return networks

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.manifest is None) is not (self.roots is None):
            raise ValueError("manifest and roots belong together")
        if self.crls is not None and self.manifest is None:
            raise ValueError("crls need a manifest, whose signers they list")
        if self.required and self.manifest is None:
            raise ValueError("required needs a manifest, and the roots of who may sign it")
        if self.there and (self.start is Start.SERVICE) is not (self.secret is not None):
            raise ValueError('start = "service" needs a secret, and nothing else does')
        return self

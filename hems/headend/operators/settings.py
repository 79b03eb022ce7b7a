"""Settings of the operator's door beyond this machine: the table `[operators]` of the head-end."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class OperatorsSettings(BaseModel):
    """Where operators reach the door from their own machines, by TLS."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Its port; 0 takes any free one."""
    certificate: Path
    """PEM file: the certificate that browsers are shown, and its intermediate CAs."""
    key: Path
    """PEM file: its private key."""

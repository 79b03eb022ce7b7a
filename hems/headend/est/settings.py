"""Settings of the EST server: the table `[est]` of the head-end's configuration."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from certs.est.code import server_of
from certs.est.errors import EstError


class EstSettings(BaseModel):
    """Everything the EST server needs beside the head-end's own certificate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """Address it listens on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Its port; 0 takes any free one."""
    reached_at: str | None = None
    """HOST:PORT as homes reach it, for the codes; `host` and the port taken where None. The
    head-end's certificate must name HOST."""
    pki: Path
    """Folder of the CA that issues (`hems pki init`)."""
    manufacturers: Path | None = None
    """PEM file: roots of the manufacturers whose certificates are believed; none where None."""
    approve: bool = False
    """Whether the operator approves each home, its one-time code notwithstanding. A home that
    shows a manufacturer's certificate alone is always approved by hand."""
    lifetime_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    """How long the certificates hold; for ever, as IEEE 2030.5 has it for devices, where None."""
    code_hours: Annotated[float, Field(gt=0, le=8760)] = 72.0
    """How long a one-time code can be used."""
    tied: bool = False
    """Whether requests must be tied to the connection over which they come (RFC 7030, clause
    3.5); those that are tied to another one are refused in any case."""
    again_s: Annotated[int, Field(ge=1, le=86400)] = 30
    """When homes that wait for approval ask again."""

    @field_validator("reached_at")
    @classmethod
    def _a_server(cls, text: str | None) -> str | None:
        try:
            return None if text is None else "{}:{}".format(*server_of(text))
        except EstError as error:
            raise ValueError(str(error)) from error

"""Settings of the OCSP responder: the table `[ocsp]` of the head-end's configuration."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from certs.ocsp.question import good_address


class OcspSettings(BaseModel):
    """Everything the responder needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """Address it listens on, by plain HTTP: what it says is signed."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Its port; 0 takes any free one."""
    reached_at: str | None = None
    """URL at which homes reach it. Certificates that the CA issues from then on name it; none is
    named where None."""
    pki: Path
    """Folder of the CA (`hems pki init`)."""
    hours: Annotated[float, Field(gt=0, le=168)] = 24.0
    """How long an answer holds."""

    @field_validator("reached_at")
    @classmethod
    def _an_address(cls, url: str | None) -> str | None:
        if url is not None and not good_address(url):
            raise ValueError(f"{url!r} is no address of a responder: http://HOST:PORT/PATH")
        return url

"""Settings of the feeds: the tables `[bulletins]` and `[firmware]` of the head-end."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class BulletinSettings(BaseModel):
    """Who signs bulletins, and how long they count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enterprise: Annotated[str, Field(min_length=1, max_length=128)] = "Utility"
    """As whom it speaks."""
    certificate: Path
    """PEM file of the signer's certificate and its intermediate CAs (`hems pki signer`)."""
    key: Path
    """Its private key, readable by its owner only."""
    hours: Annotated[float, Field(ge=0.01, le=2160)] = 168.0
    """How long a bulletin counts; a new one is signed when half of that is over."""


class FirmwareSettings(BaseModel):
    """Where the firmware lists are, as `hems headend firmware` keeps them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path
    """Folder of the repository."""

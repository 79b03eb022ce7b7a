"""What the publisher is started with; light, so that a home without it loads no MQTT library."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


class TrustError(Exception):
    """The file with the broker's root certificates cannot be used; `str()` is one sentence."""


@dataclass(frozen=True, slots=True)
class HomeAssistantSettings:
    """Where and how the home is published.

    Attributes:
        hub: The hub's own id.
        name: What the home is called.
        host: The broker's.
        port: The broker's.
        username: Empty for none.
        password: Its password.
        trust: Root certificates of the broker, PEM; None for plain TCP.
        prefix: Home Assistant's discovery prefix.
    """

    hub: str
    name: str
    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = field(default="", repr=False)
    trust: Path | None = None
    prefix: str = "homeassistant"


@dataclass(frozen=True, slots=True)
class Found:
    """Something that threatens the home.

    Attributes:
        threat: What, in one word.
        text: In one sentence.
        at: When it was found, UTC epoch seconds.
        holds: Whether it is so still.
    """

    threat: str
    text: str
    at: float
    holds: bool


FoundLast = Callable[[], Found | None]
"""Returns what was found last; None for nothing."""

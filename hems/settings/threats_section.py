"""From when on what happens counts as a threat, and who else is told."""

from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from hems.emg.threats.rules.thresholds import Thresholds
from hems.settings.section import Duration, Section

_CYCLES: Final = 4.0
"""Set-points in so many cycles for each that there is are a storm."""


class ThreatsSection(Section):
    """Thresholds, answers, and the webhook."""

    guesses: int = Field(default=10, ge=3, le=1000)
    """Wrong passwords from one address within 10 min."""
    guessers: int = Field(default=5, ge=2, le=1000)
    """Addresses from which passwords are wrong within an hour."""
    scanned: int = Field(default=15, ge=3, le=1000)
    """Doors that one address tries in vain within 10 min."""
    refusals: int = Field(default=120, ge=10, le=10_000)
    """Requests refused to one address within a minute."""
    handshakes: int = Field(default=20, ge=3, le=1000)
    """TLS handshakes refused within 10 min."""
    turns: int = Field(default=20, ge=4, le=1000)
    """Times that a device is sent from taking to giving, or back, within a minute."""
    odd_hours: bool = True
    """Whether a change at an hour at which nobody of the house makes any is said."""
    block: Duration = 900.0
    """For how long an address that guesses, scans or floods is kept out; 0 for never."""
    quarantine: bool = True
    """Whether a device that is found hostile, or stormed with set-points, is shut until somebody of
    the home allows it; else that is only said."""
    webhook: str | None = None
    """Where each finding is sent, as JSON: an https address."""
    webhook_secret: Path | None = None
    """File with the secret by which what is sent is signed (HMAC-SHA256)."""
    webhook_private: bool = False
    """Whether the address may be one of this machine or of the home's network, http too."""
    webhook_trust: Path | None = None
    """Root certificates of that server, PEM; the system's without it."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.webhook is None:
            return self
        parts = urlsplit(self.webhook)
        schemes = {"https", "http"} if self.webhook_private else {"https"}
        if parts.scheme not in schemes or not parts.hostname or parts.username is not None:
            raise ValueError("webhook: must be an https address without a name or password in it")
        if self.webhook_secret is None:
            raise ValueError("webhook: needs a webhook_secret, by which what is sent is signed")
        return self

    def thresholds(self, cycle_s: float) -> Thresholds:
        """Return them as the rules want them.

        Args:
            cycle_s: Period of the control cycle, s: a device may be told something new in each.
        """
        return Thresholds(
            guesses=self.guesses,
            guessers=self.guessers,
            scanned=self.scanned,
            refusals=self.refusals,
            handshakes=self.handshakes,
            turns=self.turns,
            setpoints=round(_CYCLES * 60.0 / cycle_s),
        )

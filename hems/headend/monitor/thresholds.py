"""From how many on something is a signal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the rules go by; `hems.headend.monitor.settings` says what each means."""

    silent_s: float = 900.0
    outage_homes: int = 5
    outage_share: float = 0.6
    handshakes: int = 20
    requests: int = 600
    refusals: int = 100
    scanned: int = 20
    clock_off_s: float = 60.0
    refused_share: float = 0.3
    undelivered_share: float = 0.2
    over_rating: float = 1.25
    frozen_s: float = 7200.0

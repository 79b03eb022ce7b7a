"""From how many on something is found; see `hems.settings.threats_section`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How much of each is a finding.

    Attributes:
        guesses: Wrong passwords from one place within 10 min.
        guessers: Places from which passwords are wrong within an hour.
        scanned: Different doors that one source tries in vain within 10 min.
        refusals: Requests refused to one source within a minute.
        replays: Things said again within an hour.
        handshakes: Handshakes refused within 10 min.
        strangers: Different unknown devices within an hour.
        quarantines: Devices that are not as they were, within an hour.
        setpoints: Set-points to one device within a minute.
        turns: Set-points to one device by which it turns round, within a minute.
        clocks: Times that a clock is set within a day.
    """

    guesses: int = 10
    guessers: int = 5
    scanned: int = 15
    refusals: int = 120
    replays: int = 10
    handshakes: int = 20
    strangers: int = 8
    quarantines: int = 3
    setpoints: int = 240
    turns: int = 20
    clocks: int = 3

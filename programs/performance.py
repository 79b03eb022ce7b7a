"""What was delivered of what was asked: the record that a utility settles on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Performance:
    """One event, call or period of one programme, once it is over.

    Attributes:
        programme: Its id, as in `Proposal.source`.
        event: mRID of the event; an id of the home's own where no event was behind it.
        asked_by: Who asked: the programme's name at the utility, or "the home".
        starts_at: UTC epoch seconds.
        ends_at: UTC epoch seconds.
        asked: What was asked, in `unit`.
        unit: "W", "Wh", "var", "W/min", "%", "power factor" or "curve".
        baseline_w: Mean net power that there would have been without it, W; None where what was
            asked is absolute.
        baseline_by: How that was found, in words; empty without one.
        promised_wh: Energy that was to be delivered; None where none was.
        delivered_wh: Energy that was: taken less than the baseline.
        settled_s: Time from the start until the home was first inside what was asked; None if
            never.
        inside_share: Share of the measured seconds after settling inside what was asked.
        deviation: Root mean square of how far it was outside, in `unit`; None where nothing
            bounds it.
        rebound_w: Greatest net power in the hour after it above the greatest before it, W.
        comfort_minutes: For how long a temperature or a deadline was missed because of it.
        measured_share: Share of its time for which the meter was read.
        score: 0 to 1 where the use case has one (frequency regulation); None elsewhere.
        opted_out: Whether the owner left it.
        note: Anything else a person must know, one sentence.
        kind: What was asked (`programs.signal.SignalKind`), where an event asks several things of
            one programme; else may be empty.
        lfdi: As whom the home was asked, 40 hex digits; empty where no utility asked.
    """

    programme: str
    event: str
    asked_by: str
    starts_at: float
    ends_at: float
    asked: float
    unit: str
    baseline_w: float | None = None
    baseline_by: str = ""
    promised_wh: float | None = None
    delivered_wh: float | None = None
    settled_s: float | None = None
    inside_share: float | None = None
    deviation: float | None = None
    rebound_w: float | None = None
    comfort_minutes: float = 0.0
    measured_share: float = 1.0
    score: float | None = None
    opted_out: bool = False
    note: str = ""
    kind: str = ""
    lfdi: str = ""

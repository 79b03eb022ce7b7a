"""What one process of a run writes down for who judges it."""

import dataclasses

from tests.endure.gauge import Sample


@dataclasses.dataclass(slots=True)
class Measured:
    """What one process found.

    Attributes:
        begins_at: UTC epoch seconds.
        ends_at: The same.
        from_revision: Of the store that it found.
        took_s: Real time that it took.
        samples: What it held, as time went on; written down one by one, in a file of their own.
        cycles: How often a control cycle took how long, by `gauge.Durations`.
        longest_s: The longest one.
        orders: Ids of the events that the utility took, by name.
        answers: What it was answered so far about each event of the whole run, by id.
        came: Each answer that came, by the event's id: what comes twice is kept once.
        kept_s: How long limits of import were kept, of the time in which they held.
        answered_s: How long they were exceeded for no longer than a hub needs to answer.
        broken_s: How long for longer.
        helpless_s: How long while nobody could have kept to them.
        breaches: When they were exceeded, and what was the matter.
        lines: What the hub logged, and how often.
        faults: What of that came with a traceback, and how often.
        alarms: What the owner is still told at the end.
        store_bytes: How large the store is at the end.
        minutes: Of how many minutes of the whole run it still tells what the meter said.
        grown: Where memory has grown, as Python sees it; where that was asked for.
    """

    begins_at: float
    ends_at: float
    from_revision: str
    took_s: float = 0.0
    samples: list[Sample] = dataclasses.field(default_factory=list)
    cycles: list[int] = dataclasses.field(default_factory=list)
    longest_s: float = 0.0
    orders: dict[str, str] = dataclasses.field(default_factory=dict)
    answers: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    came: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    kept_s: float = 0.0
    answered_s: float = 0.0
    broken_s: float = 0.0
    helpless_s: float = 0.0
    breaches: list[str] = dataclasses.field(default_factory=list)
    lines: dict[str, int] = dataclasses.field(default_factory=dict)
    faults: dict[str, int] = dataclasses.field(default_factory=dict)
    alarms: list[str] = dataclasses.field(default_factory=list)
    store_bytes: int = 0
    minutes: int = 0
    grown: list[str] = dataclasses.field(default_factory=list)

"""What a home works with beside its devices and its store."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from hems.cem.sentry import Sentry
from hems.emg.threats.barrier import Barrier
from hems.planning.desk import Desk
from hems.planning.occasion import Pace
from hems.security_event import Note, unheard


@dataclass(frozen=True, slots=True)
class Means:
    """What a home works with; the defaults are for one that is lived in.

    Attributes:
        chance: Where what events leave to chance is drawn from.
        desk: The planner; None for a process of its own.
        pace: How often it is planned; None for as often as is of use.
        sentry: Who ends what devices cannot end by themselves; None for a process of its own.
        note: Told what bears on security.
        barrier: Who is kept out for a while.
        time: Returns how well the hub knows the time, in a sentence.
        decided: Told of each valid control decision; must not block.
        watchdog_s: After how long without one the service manager starts the hub anew, s; 0 for
            never.
    """

    chance: random.Random = field(default_factory=random.SystemRandom)
    desk: Desk | None = None
    pace: Pace | None = None
    sentry: Sentry | None = None
    note: Note = unheard
    barrier: Barrier = field(default_factory=Barrier)
    time: Callable[[], str] = str
    decided: Callable[[], None] = lambda: None
    watchdog_s: float = 0.0

"""What is kept of operators. Frozen, no I/O."""

from dataclasses import dataclass, field
from typing import Final

from hems.headend.operators.roles import OperatorRole

_HOUR_S: Final = 3_600.0
IDLE_S: Final = _HOUR_S
"""A session that nobody uses ends after so long; an open console uses it all the time."""
WHOLE_S: Final = 12 * _HOUR_S
"""A shift: after it everybody logs in anew."""
TOUCH_S: Final = 300.0
"""How often the use of a session or a token is written down: not at each request."""


@dataclass(frozen=True, slots=True)
class Account:
    """An operator.

    Attributes:
        name: By which the utility knows them.
        roles: Theirs, each once.
        password: What is kept of it (Argon2id).
        made_at: Epoch s.
        made_by: Who made it.
    """

    name: str
    roles: tuple[OperatorRole, ...]
    password: str = field(repr=False)
    made_at: float
    made_by: str


@dataclass(frozen=True, slots=True)
class Session:
    """Where an operator is logged in; its key is the digest of its token.

    Attributes:
        person: Whose, as names are compared.
        made_at: Epoch s.
        seen_at: When it was used last, as far as that was written down.
        origin: Address that it was begun from.
    """

    person: str
    made_at: float
    seen_at: float
    origin: str

    @property
    def until(self) -> float:
        """When it ends if nobody uses it any more, epoch s."""
        return min(self.made_at + WHOLE_S, self.seen_at + IDLE_S)


@dataclass(frozen=True, slots=True)
class Token:
    """What a program of an operator shows; its key is the digest of that.

    Attributes:
        id: By which it is taken back.
        person: Whose, as names are compared.
        label: What it is for.
        made_at: Epoch s.
        made_by: Who made it.
        until: When it ends; None for never.
        used_at: When it was used last, as far as that was written down; None for never.
    """

    id: str
    person: str
    label: str
    made_at: float
    made_by: str
    until: float | None = None
    used_at: float | None = None

    def over(self, now: float) -> bool:
        """Whether it has ended at an epoch time."""
        return self.until is not None and self.until <= now

"""What of an island outlives a restart of the hub: checked when it is read back."""

from dataclasses import asdict

from pydantic import BaseModel, ConfigDict, Field

from hems.microgrid.states import Phase, State
from hems.microgrid.tally import Tally


class KeptTally(BaseModel):
    """A tally as the store has it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    began_at: float
    cause: str = ""
    event: str = ""
    served_wh: dict[int, float] = Field(default_factory=dict)
    unserved_wh: dict[int, float] = Field(default_factory=dict)
    least_hz: float | None = None
    most_hz: float | None = None
    formed_s: float = 0.0
    dark_s: float = 0.0
    settled_s: float | None = None
    inside_s: float = 0.0

    def tally(self) -> Tally:
        """Return it as it is used."""
        return Tally(**{name: getattr(self, name) for name in type(self).model_fields})


class Kept(BaseModel):
    """Where the home was, and what was asked of it by its owner.

    Attributes:
        phase: On its way; what the devices say has the last word.
        why: What brought it there.
        tries: Attempts to form since the island was last well.
        asked_to_leave: Whether the owner asked it to part from its grid.
        asked_to_return: Whether the owner asked it to go back.
        tally: Of the island under way.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    phase: Phase = Phase.GRID
    why: str = ""
    tries: int = Field(0, ge=0)
    asked_to_leave: bool = False
    asked_to_return: bool = False
    tally: KeptTally | None = None

    @classmethod
    def of(cls, state: State, tally: Tally | None, *, leave: bool, back: bool) -> "Kept":
        """Return what is kept of a home on its way.

        Args:
            state: Where it is.
            tally: Of the island under way.
            leave: Whether the owner asked it to part.
            back: Whether the owner asked it to go back.
        """
        return cls(
            phase=state.phase,
            why=state.why,
            tries=state.tries,
            asked_to_leave=leave,
            asked_to_return=back,
            tally=None if tally is None else KeptTally.model_validate(asdict(tally)),
        )

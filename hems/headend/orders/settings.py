"""Settings of orders that need two people: the table `[four_eyes]` of the head-end."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from hems.headend.records import Program

_Watts = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Kind(StrEnum):
    """What an order is, for whether it needs two people."""

    DER = "der"
    DRLC = "drlc"
    EMERGENCY = "emergency"
    """Of a mandatory programme, whichever carries it."""

    @classmethod
    def of(cls, program: Program) -> "Kind":
        """Return the kind of a programme's orders."""
        return cls.EMERGENCY if program.mandatory else cls(program.kind.value)


class FourEyesSettings(BaseModel):
    """Above which size a second dispatcher must agree to an event."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    above_w: _Watts | None = None
    """Sum of what the homes that it reaches would move, W; None for no such limit."""
    above_homes: Annotated[int, Field(ge=0)] | None = None
    """How many homes it reaches; None for no such limit."""
    kinds: tuple[Kind, ...] = tuple(Kind)
    """Which orders; leave out "emergency" for those of mandatory programmes to go out at once."""
    home_w: _Watts = 5_000.0
    """What one home is taken to change at most where its order does not say so itself, W."""
    peers: bool = False
    """Whether orders of the enterprise's systems (IEC 61968) above the size are refused: an
    operator has to give them, and another one to confirm them."""
    waits_minutes: Annotated[float, Field(gt=0, le=1440)] = 30.0
    """How long an order that is to begin at once waits for its second person."""

"""What is known of one home: what it said of its DER and its loads, and what its meter showed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

FOR_ALL: Final = 0
"""Number of the load that could be shed by any programme."""


@dataclass(frozen=True, slots=True)
class Der:
    """What a home told of its DER; None for what it never told. Times are epoch s, of receipt.

    Attributes:
        rated_w: Set or rated power, W, whichever is less.
        charge_w: Greatest power taken, W, likewise.
        discharge_w: Greatest power given by storage, W, likewise.
        capacity_wh: Of the storage, likewise.
        limits: Which limits in watts it knows, as doeModesSupported has them.
        soc: State of charge, 0 to 1.
        off: Whether it said that it is switched off, or not connected.
        status_at: When `soc` and `off` came.
        give_w: What it said that it could give, W.
        take_w: What it said that it could take, W.
        give_s: For how long it could give that.
        take_s: For how long it could take that.
        said_at: When these four came.
    """

    rated_w: float | None = None
    charge_w: float | None = None
    discharge_w: float | None = None
    capacity_wh: float | None = None
    limits: int | None = None
    soc: float | None = None
    off: bool = False
    status_at: float | None = None
    give_w: float | None = None
    take_w: float | None = None
    give_s: float | None = None
    take_s: float | None = None
    said_at: float | None = None


@dataclass(frozen=True, slots=True)
class Shed:
    """What load a home said that it could shed.

    Attributes:
        power_w: So much; None where it gave a share only.
        share: So much of what it takes, 0 to 1.
        for_s: For how long; None for as long as asked.
        said_at: When that came, epoch s.
    """

    power_w: float | None
    share: float | None
    for_s: float | None
    said_at: float


@dataclass(frozen=True, slots=True)
class Told:
    """All that is known of a home.

    Attributes:
        heard_at: When it was last heard of, epoch s; None for never.
        net_w: Its last net power at the connection point, W, import positive.
        net_at: When that was, epoch s.
        der: Its DER; None where it told of none.
        sheds: Its loads, by the index of the programme that they are told for, or `FOR_ALL`.
    """

    heard_at: float | None = None
    net_w: float | None = None
    net_at: float | None = None
    der: Der | None = None
    sheds: Mapping[int, Shed] = field(default_factory=dict)


NOTHING: Final = Told()

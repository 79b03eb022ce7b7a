"""What a home's island is made of, as configured."""

from dataclasses import dataclass, field

from hems.microgrid.limits import Limits, Permit


@dataclass(frozen=True, slots=True)
class Plant:
    """Tie, inverter and agreements.

    Attributes:
        tie: Device id of the tie.
        former: Device id of the battery whose inverter forms.
        permit: What the utility has agreed to.
        agreement: Under which name, for people.
        limits: The figures of the course of things.
        order: Ids of loads that get power first on a black start, in this order.
        spacing_s: Time between two of them, for their inrush.
        duration_s: How long an outage is expected to last.
        floor_soc: Charge that loads which are not marked leave in the battery.
        headroom: Share of the inverter's rating that is kept free for what starts by itself.
        returns: Whether the home goes back to a good grid by itself.
    """

    tie: str
    former: str
    permit: Permit = Permit.NONE
    agreement: str = ""
    limits: Limits = field(default_factory=Limits)
    order: tuple[str, ...] = ()
    spacing_s: float = 5.0
    duration_s: float = 8 * 3600.0
    floor_soc: float = 0.05
    headroom: float = 0.1
    returns: bool = True

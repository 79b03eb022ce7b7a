"""What the per cents of the utility's controls are of: the ratings of all DER together."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from der.commands import Ability, DeviceOptions
from der.model import DeviceKind, DeviceSpec

_SHARE_OF_VA: Final = 0.44
"""What a category B inverter can move (IEEE 1547-2018, table 7), where it does not say."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """What per cents are of; all positive.

    Attributes:
        generation_w: The most that all PV and storage together give, W.
        charge_w: The most that all storage together takes, W.
        discharge_w: The most that it gives.
        absorbed_var: The most reactive power that inverters which can be told absorb together.
        injected_var: The same that they inject.
        apparent_va: Their apparent power.
        able_w: Their active power.
    """

    generation_w: float
    charge_w: float = 0.0
    absorbed_var: float = 0.0
    injected_var: float = 0.0
    apparent_va: float = 0.0
    able_w: float = 0.0
    discharge_w: float = 0.0

    def least_factor(self, *, absorbing: bool) -> float:
        """Return the least power factor that they hold at full power."""
        var = self.absorbed_var if absorbing else self.injected_var
        return math.cos(math.atan2(var, self.able_w)) if self.able_w else 1.0


def ratings(
    specs: Iterable[DeviceSpec], options: Mapping[str, DeviceOptions] | None = None
) -> Ratings:
    """Return the ratings of a home.

    Args:
        specs: Its devices.
        options: What devices say that they can do, by id; None for nothing.
    """
    der = [s for s in specs if s.kind in {DeviceKind.PV, DeviceKind.BATTERY}]
    told = [
        (spec, said)
        for spec in der
        if (said := (options or {}).get(spec.id)) is not None and Ability.REACTIVE in said.abilities
    ]
    return Ratings(
        generation_w=-sum(s.min_w for s in der),
        charge_w=sum(s.max_w for s in der if s.kind is DeviceKind.BATTERY),
        absorbed_var=sum(_or_usual(said.absorbed_var, spec) for spec, said in told),
        injected_var=sum(_or_usual(said.injected_var, spec) for spec, said in told),
        apparent_va=sum(-s.min_w if o.rated_va is None else o.rated_va for s, o in told),
        able_w=-sum(spec.min_w for spec, _ in told),
        discharge_w=-sum(s.min_w for s in der if s.kind is DeviceKind.BATTERY),
    )


def _or_usual(said_var: float | None, spec: DeviceSpec) -> float:
    return _SHARE_OF_VA * -spec.min_w if said_var is None else said_var

"""What a home can do for an order, by what it has said of itself; pure.

What is moved is as `hems.headend.ability.rule` has it: a home that never said that it can does
nothing. Of a limit the careful guess is another one: where nothing is known a home counts with all
that its connection carries, so that the group keeps it whatever the home does.
"""

import math
from dataclasses import dataclass
from typing import Final

from hems.headend.ability.rule import Able, Amount, Rules, Why, able
from hems.headend.ability.told import FOR_ALL, Der, Told
from hems.headend.modes import EXPRESSIBLE, Edition
from hems.headend.sharing.model import Ability, Kind
from hems.headend.upstream.asks import mode_of

_DOE: Final = {Kind.EXPORT: 1, Kind.IMPORT: 2, Kind.GENERATION: 4, Kind.LOAD: 8}
"""Bits of doeModesSupported."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """What holds where a home has said nothing.

    Attributes:
        connection_w: What its connection carries either way.
        least_import_w: What it may take at any time.
        least_export_w: What it may give at any time.
        shed_w: What it can shed.
    """

    connection_w: int
    least_import_w: int = 0
    least_export_w: int = 0
    shed_w: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A home as it stands now.

    Attributes:
        home: Its LFDI.
        edition: What is spoken to it.
        told: What is known of it.
        largest_w: By how much an event may change its power by its contract; None for any.
        served: Whether it is served events.
        opted_out: Whether its owner has left such an order that still runs.
        since: Since when it is one of the homes, epoch s.
        shed_programme: Index of its own programme for load.
    """

    home: str
    edition: Edition
    told: Told
    largest_w: int | None = None
    served: bool = True
    opted_out: bool = False
    since: float = 0.0
    shed_programme: int = FOR_ALL


@dataclass(frozen=True, slots=True)
class Judge:
    """Says what homes can do.

    Attributes:
        assumed: What holds where they have said nothing.
        rules: For how long what they told counts.
    """

    assumed: Assumed
    rules: Rules

    def ability(self, case: Case, kind: Kind, now: float) -> Ability:
        """Return what a home can do for an order of a kind.

        Args:
            case: The home.
            kind: What is asked.
            now: Epoch s.
        """
        found = able(
            case.told,
            now,
            self.rules,
            programme=case.shed_programme,
            largest_w=case.largest_w,
        )
        der = case.told.der or Der()
        knows = mode_of(kind) in EXPRESSIBLE[case.edition]
        if kind.limit and case.edition is Edition.CSIP_AUS and der.limits is not None:
            knows = knows and bool(der.limits & _DOE[kind])
        if kind.limit:
            made = _limited(case, kind, found.net_w, self.assumed)
        else:
            made = _moved(case, kind, found, self.assumed)
        return Ability(
            home=case.home,
            most_w=made.most_w,
            least_w=made.least_w,
            need_w=made.need_w,
            energy_wh=made.energy_wh,
            rated_w=made.rated_w,
            reachable=case.served and found.reachable and knows,
            opted_out=case.opted_out,
            since=case.since,
        )


@dataclass(frozen=True, slots=True)
class _Figures:
    """See `Ability`."""

    most_w: int
    least_w: int = 0
    need_w: int | None = None
    energy_wh: float = math.inf
    rated_w: int = 0


def _moved(case: Case, kind: Kind, found: Able, assumed: Assumed) -> _Figures:
    der = case.told.der or Der()
    if kind is Kind.SHED:
        amount, rated_w = found.shed, None
        if amount.why is Why.SILENT:
            largest_w = math.inf if case.largest_w is None else case.largest_w
            amount = Amount(min(assumed.shed_w, largest_w), math.inf, Why.SILENT)
    elif kind is Kind.GENERATE:
        amount, rated_w = found.generate, der.discharge_w or der.rated_w
    else:
        amount, rated_w = found.absorb, der.charge_w
    power_w = amount.power_w if amount.energy_wh else 0.0
    return _Figures(int(power_w), energy_wh=amount.energy_wh, rated_w=round(rated_w or 0.0))


def _limited(case: Case, kind: Kind, net_w: float | None, assumed: Assumed) -> _Figures:
    max_w = None if case.told.der is None else case.told.der.rated_w
    made_w = max_w or 0.0
    if kind is Kind.IMPORT:
        most_w, need_w = float(assumed.connection_w), net_w
        least_w = assumed.least_import_w
    elif kind is Kind.EXPORT:
        most_w = assumed.connection_w if max_w is None else min(made_w, assumed.connection_w)
        need_w = None if net_w is None else -net_w
        least_w = assumed.least_export_w
    elif kind is Kind.GENERATION:
        most_w, need_w = assumed.connection_w if max_w is None else made_w, None
        least_w = assumed.least_export_w
    else:  # what it makes, it may consume beside what it takes
        most_w, need_w = assumed.connection_w + made_w, None
        least_w = assumed.least_import_w
    most = round(most_w)
    need = most if need_w is None else min(max(round(need_w), 0), most)
    least = min(least_w, most)
    if case.largest_w is not None:
        least = min(max(least, need - case.largest_w), most)
    return _Figures(
        most,
        least_w=least,
        need_w=None if need_w is None else need,
        rated_w=round(made_w) if kind is Kind.GENERATION else 0,
    )

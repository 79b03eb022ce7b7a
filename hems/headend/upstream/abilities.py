"""What a home can do for an order, from what it has said of itself; pure.

Where nothing is known the careful guess is taken: of what is moved, a home that never said that it
can does nothing; of a limit, it counts with all that its connection carries, so that the group
keeps it whatever the home does.
"""

import math
from dataclasses import dataclass
from typing import Final

from hems.headend.modes import EXPRESSIBLE, Edition
from hems.headend.sharing.model import Ability, Kind
from hems.headend.upstream.asks import mode_of
from hems.headend.upstream.told import FOR_ALL, Shed, Told

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
        told: What it has said.
        net_w: Its net power, W, import positive; None where it was not read lately.
        largest_w: By how much an event may change its power by its contract; None for any.
        reachable: Whether it was heard of lately and is served events.
        opted_out: Whether its owner has left such an order that still runs.
        since: Since when it is one of the homes, epoch s.
        shed_programme: Index of its own programme for load.
    """

    home: str
    edition: Edition
    told: Told
    net_w: float | None = None
    largest_w: int | None = None
    reachable: bool = True
    opted_out: bool = False
    since: float = 0.0
    shed_programme: int = FOR_ALL


def ability(case: Case, kind: Kind, assumed: Assumed) -> Ability:
    """Return what a home can do for an order of a kind."""
    knows = mode_of(kind) in EXPRESSIBLE[case.edition]
    if kind.limit and case.edition is Edition.CSIP_AUS and case.told.limits is not None:
        knows = knows and bool(case.told.limits & _DOE[kind])
    made = _limited(case, kind, assumed) if kind.limit else _moved(case, kind, assumed)
    return Ability(
        home=case.home,
        most_w=made.most_w,
        least_w=made.least_w,
        need_w=made.need_w,
        energy_wh=made.energy_wh,
        rated_w=made.rated_w,
        reachable=case.reachable and knows,
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


def _moved(case: Case, kind: Kind, assumed: Assumed) -> _Figures:
    told = case.told
    if kind is Kind.SHED:
        shed = _shed(case, assumed)
        lasts = math.inf if shed.duration_s is None else shed.power_w * shed.duration_s / 3600.0
        return _Figures(_most(case, shed.power_w), energy_wh=lasts)
    gives = kind is Kind.GENERATE
    rated = told.discharge_w if gives else told.charge_w
    could = told.give_w if gives else told.take_w
    lasting_s = told.give_s if gives else told.take_s
    held_wh = _held_wh(told, gives=gives)
    if could is None:  # the whole rating, if it is known for how long
        could = rated if rated is not None and held_wh is not None else 0.0
        lasting_s = None
    energies = [w for w in (held_wh, _lasting_wh(could, lasting_s)) if w is not None]
    power_w = 0.0 if told.off or not energies else could
    rated_w = rated or (told.max_w if gives else None) or 0.0
    return _Figures(
        _most(case, power_w), energy_wh=min(energies, default=0.0), rated_w=round(rated_w)
    )


def _shed(case: Case, assumed: Assumed) -> Shed:
    """Return what it can shed: as told for its own programme, for any, or the least of others."""
    sheds = case.told.sheds
    if sheds is None:
        return Shed(assumed.shed_w, None)
    own = sheds.get(case.shed_programme) or sheds.get(FOR_ALL)
    return own or min(sheds.values(), key=lambda shed: shed.power_w)


def _lasting_wh(power_w: float, lasting_s: float | None) -> float | None:
    return None if lasting_s is None else power_w * lasting_s / 3600.0


def _held_wh(told: Told, *, gives: bool) -> float | None:
    if told.storage_wh is None or told.soc is None:
        return None
    return told.storage_wh * (told.soc if gives else 1.0 - told.soc)


def _most(case: Case, power_w: float) -> int:
    largest = math.inf if case.largest_w is None else float(case.largest_w)
    return int(min(power_w, largest))


def _limited(case: Case, kind: Kind, assumed: Assumed) -> _Figures:
    told, net_w = case.told, case.net_w
    made_w = told.max_w or 0.0
    if kind is Kind.IMPORT:
        most_w, need_w = float(assumed.connection_w), net_w
        least_w = assumed.least_import_w
    elif kind is Kind.EXPORT:
        most_w = assumed.connection_w if told.max_w is None else min(made_w, assumed.connection_w)
        need_w = None if net_w is None else -net_w
        least_w = assumed.least_export_w
    elif kind is Kind.GENERATION:
        most_w, need_w = assumed.connection_w if told.max_w is None else made_w, None
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

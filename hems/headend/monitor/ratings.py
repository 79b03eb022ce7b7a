"""Ratings of homes, and which of their usage points are of DERs; read once in a while."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from hems.headend.models import DocumentRow, PointRow
from hems.headend.monitor.readings import Rating, rating_of
from hems.sep2.errors import MalformedError, OversizedError
from hems.sep2.resources import DERCapability
from hems.sep2.xml import parse

AT_ONCE: Final = 500
"""So many usage points are read in a round: at a start they come one after the other."""
LASTING_S: Final = 6 * 3600.0
_CAPABILITY: Final = "dercap"
_DER: Final = 0b1000
"""Bit of RoleFlagsType for a DER."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a usage point.

    Attributes:
        of_der: Whether it is a DER's.
        rating: Of the home's DER.
        until: When it is read again, epoch s.
    """

    of_der: bool
    rating: Rating
    until: float


def read(connection: Connection, points: Sequence[int], now: float) -> dict[int, Known]:
    """Return what is known of usage points."""
    query = select(PointRow.id, PointRow.lfdi, PointRow.role).where(PointRow.id.in_(points))
    rows = connection.execute(query).all()
    ratings = _ratings(connection, {row.lfdi for row in rows})
    return {
        row.id: Known(
            bool(int(row.role or "0", 16) & _DER), ratings.get(row.lfdi, Rating()), now + LASTING_S
        )
        for row in rows
    }


def _ratings(connection: Connection, lfdis: Collection[str]) -> dict[str, Rating]:
    query = select(DocumentRow.lfdi, DocumentRow.body).where(
        DocumentRow.lfdi.in_(sorted(lfdis)), DocumentRow.kind == _CAPABILITY
    )
    found: dict[str, Rating] = {}
    for row in connection.execute(query):
        try:
            told = parse(row.body, DERCapability)
        except (MalformedError, OversizedError):
            continue
        charge = None if told.rtg_max_charge_rate_w is None else told.rtg_max_charge_rate_w.watts
        give = (
            None if told.rtg_max_discharge_rate_w is None else told.rtg_max_discharge_rate_w.watts
        )
        found[row.lfdi] = rating_of(told.type, (told.rtg_max_w.watts, charge, give))
    return found

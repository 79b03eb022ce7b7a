"""How much of a home's is kept, for the links of its EndDevice: asked for at every poll."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BindParameter, Connection, String, bindparam, func, select

from hems.headend.models import DocumentRow, LogRow, SubscriptionRow


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a home has here.

    Attributes:
        subscriptions: How many.
        logs: How many LogEvents.
        kinds: Of its own resources, those that it has put.
    """

    subscriptions: int
    logs: int
    kinds: Collection[str]


def belongings(connection: Connection, lfdi: str) -> Belongings:
    """Return what a home has here."""
    counts = connection.execute(_COUNTS, {"lfdi": lfdi}).one()
    kinds = connection.execute(_KINDS, {"lfdi": lfdi}).scalars()
    return Belongings(counts.subscriptions, counts.logs, tuple(kinds))


# Statements are made once: to write one takes longer than to run it.
_LFDI: Final[BindParameter[str]] = bindparam("lfdi", type_=String())
_COUNTS: Final = select(
    select(func.count())
    .where(SubscriptionRow.lfdi == _LFDI)
    .scalar_subquery()
    .label("subscriptions"),
    select(func.count()).where(LogRow.lfdi == _LFDI).scalar_subquery().label("logs"),
)
_KINDS: Final = select(DocumentRow.kind).where(DocumentRow.lfdi == _LFDI)

"""How much of a home's is kept, for the links of its EndDevice: asked for at every poll."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BindParameter, Connection, String, bindparam, delete, func, select

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


def forget(connection: Connection, lfdi: str) -> None:
    """Forget what a home has said of itself, and its log."""
    for table in (DocumentRow, LogRow):
        connection.execute(delete(table).where(table.lfdi == lfdi))


def belongings_of(connection: Connection, lfdis: Sequence[str]) -> Mapping[str, Belongings]:
    """Return what several homes have here, by their LFDIs."""
    asked = {"lfdis": list(lfdis)}
    subscriptions, logs = ({r.lfdi: r.n for r in connection.execute(q, asked)} for q in _MANY)
    kinds: dict[str, list[str]] = {}
    for row in connection.execute(_MANY_KINDS, asked):
        kinds.setdefault(row.lfdi, []).append(row.kind)
    return {
        lfdi: Belongings(subscriptions.get(lfdi, 0), logs.get(lfdi, 0), kinds.get(lfdi, ()))
        for lfdi in lfdis
    }


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
_LFDIS: Final[BindParameter[Sequence[str]]] = bindparam("lfdis", expanding=True)
_MANY: Final = tuple(
    select(table.lfdi, func.count().label("n")).where(table.lfdi.in_(_LFDIS)).group_by(table.lfdi)
    for table in (SubscriptionRow, LogRow)
)
_MANY_KINDS: Final = select(DocumentRow.lfdi, DocumentRow.kind).where(DocumentRow.lfdi.in_(_LFDIS))

"""What homes told of their DER, loads and meters, from the database: some homes at a time."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, bindparam, select

from hems.headend.ability.documents import Document, der_of, parsed, sheds_of, telling
from hems.headend.ability.told import Der, Told
from hems.headend.models import DocumentRow
from hems.headend.settle.power_store import latest_power

MOST_HOMES: Final = 500
"""In one call."""


def told_of(
    connection: Connection, lfdis: Sequence[str], heard: Mapping[str, float], since: float
) -> Mapping[str, Told]:
    """Return what is known of homes.

    Args:
        connection: Where to look.
        lfdis: Which, at most `MOST_HOMES`.
        heard: When each was last heard of, epoch s.
        since: Meter readings from then on count.
    """
    read = latest_power(connection, lfdis, since)
    papers = _papers(connection, lfdis)
    found: dict[str, Told] = {}
    for lfdi in lfdis:
        at, net_w = read.get(lfdi, (None, None))
        own = papers.get(lfdi, ())
        found[lfdi] = Told(heard.get(lfdi), net_w, at, der_of(own), sheds_of(own))
    return found


def ders_of(connection: Connection, lfdis: Sequence[str]) -> Mapping[str, Der]:
    """Return what homes told of their DER; those that told nothing are not there.

    Args:
        connection: Where to look.
        lfdis: Which, at most `MOST_HOMES`.
    """
    told = {lfdi: der_of(own) for lfdi, own in _papers(connection, lfdis).items()}
    return {lfdi: der for lfdi, der in told.items() if der is not None}


def _papers(connection: Connection, lfdis: Sequence[str]) -> Mapping[str, Sequence[Document]]:
    found: dict[str, list[Document]] = {}
    rows: CursorResult[Any] = connection.execute(_DOCUMENTS, {"lfdis": list(lfdis)})
    for row in rows:
        record = parsed(row.kind, row.body)
        if record is not None:
            found.setdefault(row.lfdi, []).append(Document(row.kind, record, row.updated_at))
    return found


_DOCUMENTS: Final = select(
    DocumentRow.lfdi, DocumentRow.kind, DocumentRow.body, DocumentRow.updated_at
).where(DocumentRow.lfdi.in_(bindparam("lfdis", expanding=True)), telling())

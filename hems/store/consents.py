"""What parties may see and do beyond their role, and which roles need a second factor."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select, update

from hems.store.database import Database
from hems.store.schema import consents, factor_roles


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """A consent.

    Attributes:
        id: Its number, never given twice; 0 for one that is to be kept.
        person: Whose account it is for.
        name: What that account was called when it was given.
        purpose: One of `hems.access.consent_rules.ConsentPurpose`.
        rights: Of `hems.access.rights.Right`, divided by commas.
        granted_by: Who gave it.
        granted_at: UTC epoch seconds.
        until: When it ends, likewise.
        withdrawn_at: When it was taken back; None where it was not.
    """

    id: int
    person: int
    name: str
    purpose: str
    rights: str
    granted_by: str
    granted_at: float
    until: float
    withdrawn_at: float | None = None


class ConsentStore:
    """The same on the disk; raises `hems.store.errors.StoreError` if SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[ConsentRow]:
        """Return all consents, those that are over too, the oldest first."""
        async with self._database.ledger() as connection:
            rows = await connection.execute(select(consents).order_by(consents.c.id))
            return [ConsentRow(**row._asdict()) for row in rows]

    async def add(self, row: ConsentRow) -> int:
        """Keep a new one; returns its number."""
        values = {name: value for name, value in asdict(row).items() if name != "id"}
        async with self._database.ledger() as connection:
            added = await connection.change(insert(consents).values(**values))
            key = added.inserted_primary_key
            return int(key[0]) if key else 0

    async def withdraw(self, numbers: Sequence[int], at: float) -> None:
        """Note when some were taken back, UTC epoch seconds."""
        async with self._database.ledger() as connection:
            await connection.execute(
                update(consents).where(consents.c.id.in_(numbers)).values(withdrawn_at=at)
            )

    async def factor_roles(self) -> frozenset[str]:
        """Return the roles that need a second factor."""
        async with self._database.ledger() as connection:
            rows = await connection.execute(select(factor_roles.c.role))
            return frozenset(role for (role,) in rows)

    async def put_factor_roles(self, roles: Iterable[str]) -> None:
        """Have these roles, and no others, need a second factor."""
        values = [{"role": role} for role in sorted(roles)]
        async with self._database.ledger() as connection:
            await connection.execute(delete(factor_roles))
            if values:
                await connection.execute(insert(factor_roles), values)

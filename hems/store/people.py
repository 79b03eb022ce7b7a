"""Accounts of people, where they are logged in, and the tokens of other programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import delete, insert, select, update

from hems.store.consents import ConsentStore
from hems.store.database import Database
from hems.store.schema import credentials, people, sessions, tokens


@dataclass(frozen=True, slots=True)
class PersonRow:
    """An account.

    Attributes:
        id: Its number, never given twice; 0 for one that is to be kept.
        name: As it is shown.
        key: The same as names are compared.
        role: One of `hems.access.rights.Role`.
        language: Of the page, such as "fr"; empty where none was chosen.
        made_at: UTC epoch seconds.
        until: When it ends, likewise; None for never.
    """

    id: int
    name: str
    key: str
    role: str
    language: str
    made_at: float
    until: float | None


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """By what somebody proves who they are.

    Attributes:
        id: Its number; 0 for one that is to be kept.
        person: Whose.
        kind: "password", "totp", "passkey", "code" or "browser"; of the last three there may be
            several.
        name: What its owner calls it.
        secret: What is kept of it: of a password its hash with salt and parameters, of others
            what their modules say.
        made_at: UTC epoch seconds.
        used_at: When it was last used, likewise; None for never, or where that is not kept.
    """

    id: int
    person: int
    kind: str
    name: str
    secret: str
    made_at: float
    used_at: float | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Somebody logged in.

    Attributes:
        id: Its number, never given twice; 0 for one that is to be kept.
        person: Whose.
        digest: SHA-256 of the token in the browser's cookie.
        made_at: UTC epoch seconds.
        seen_at: When it was last used, as far as that was written down; likewise.
        origin: The address it was made from.
        agent: What the browser calls itself.
    """

    id: int
    person: int
    digest: bytes
    made_at: float
    seen_at: float
    origin: str
    agent: str


@dataclass(frozen=True, slots=True)
class TokenRow:
    """What another program gets in by.

    Attributes:
        id: Its number, never given twice; 0 for one that is to be kept.
        name: What it is for.
        role: One of `hems.access.rights.Role`.
        digest: SHA-256 of the token.
        made_by: Who made it.
        made_at: UTC epoch seconds.
        until: When it ends, likewise; None for never.
        used_at: When it was last used, as far as that was written down; None for never.
        rights: Of `hems.access.rights.Right`, divided by commas; None for all of the role's.
        network: From where it may be used, as CIDR; None for anywhere.
        person: Whose program it is: it ends with their account, and may no more than they may;
            None for the home's own.
    """

    id: int
    name: str
    role: str
    digest: bytes
    made_by: str
    made_at: float
    until: float | None
    used_at: float | None
    rights: str | None = None
    network: str | None = None
    person: int | None = None


class PeopleStore:
    """The same on the disk; raises `hems.store.errors.StoreError` if SQLite refuses.

    Attributes:
        consents: What some of them may do beyond their role.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.consents = ConsentStore(database)

    def blank(self) -> bool:
        """Return whether nothing was ever written to the store's file: it is empty or not there.

        True too where a full disk has kept it from being made.
        """
        try:
            return self._database.path.stat().st_size == 0
        except FileNotFoundError:
            return True
        except OSError:
            return False

    async def people(self) -> Sequence[PersonRow]:
        """Return all accounts, the oldest first."""
        async with self._database.ledger() as connection:
            rows = await connection.execute(select(people).order_by(people.c.id))
            return [PersonRow(**row._asdict()) for row in rows]

    async def credentials(self) -> Sequence[CredentialRow]:
        """Return all credentials, the oldest first."""
        async with self._database.ledger() as connection:
            rows = await connection.execute(select(credentials).order_by(credentials.c.id))
            return [CredentialRow(**row._asdict()) for row in rows]

    async def sessions(self) -> Sequence[SessionRow]:
        """Return all sessions, the oldest first."""
        async with self._database.ledger() as connection:
            rows = await connection.execute(select(sessions).order_by(sessions.c.id))
            return [SessionRow(**row._asdict()) for row in rows]

    async def tokens(self) -> Sequence[TokenRow]:
        """Return all tokens, the oldest first."""
        async with self._database.ledger() as connection:
            rows = await connection.execute(select(tokens).order_by(tokens.c.id))
            return [TokenRow(**row._asdict()) for row in rows]

    async def add_person(self, person: PersonRow, kind: str, secret: str) -> int:
        """Keep a new account with its first credential; returns its number."""
        values = _without_id(asdict(person))
        async with self._database.ledger() as connection:
            added = await connection.change(insert(people).values(**values))
            number = _number(added.inserted_primary_key)
            await connection.execute(
                insert(credentials).values(
                    person=number, kind=kind, name="", secret=secret, made_at=person.made_at
                )
            )
            return number

    async def put_person(self, person: PersonRow) -> None:
        """Write an account over."""
        values = _without_id(asdict(person))
        async with self._database.ledger() as connection:
            await connection.execute(
                update(people).where(people.c.id == person.id).values(**values)
            )

    async def remove_person(self, person: int) -> None:
        """Take out an account, with all that gets in by it."""
        async with self._database.ledger() as connection:
            await connection.execute(delete(sessions).where(sessions.c.person == person))
            await connection.execute(delete(credentials).where(credentials.c.person == person))
            await connection.execute(delete(tokens).where(tokens.c.person == person))
            await connection.execute(delete(people).where(people.c.id == person))

    async def put_secret(self, person: int, kind: str, secret: str, at: float) -> None:
        """Write what is kept of a credential over; its sessions stay as they are."""
        ours = (credentials.c.person == person) & (credentials.c.kind == kind)
        async with self._database.ledger() as connection:
            await connection.execute(
                update(credentials).where(ours).values(secret=secret, made_at=at)
            )

    async def add_credentials(self, rows: Sequence[CredentialRow]) -> Sequence[CredentialRow]:
        """Keep new credentials; returns them with their numbers."""
        kept = []
        async with self._database.ledger() as connection:
            for row in rows:
                values = _without_id(asdict(row))
                added = await connection.change(insert(credentials).values(**values))
                kept.append(replace(row, id=_number(added.inserted_primary_key)))
        return kept

    async def put_credential(self, row: CredentialRow) -> None:
        """Write a credential over."""
        values = _without_id(asdict(row))
        async with self._database.ledger() as connection:
            await connection.execute(
                update(credentials).where(credentials.c.id == row.id).values(**values)
            )

    async def remove_credentials(self, numbers: Sequence[int]) -> None:
        """Take credentials out."""
        async with self._database.ledger() as connection:
            await connection.execute(delete(credentials).where(credentials.c.id.in_(numbers)))

    async def add_session(self, session: SessionRow) -> int:
        """Keep a new session; returns its number."""
        values = _without_id(asdict(session))
        async with self._database.ledger() as connection:
            added = await connection.change(insert(sessions).values(**values))
            return _number(added.inserted_primary_key)

    async def touch_session(self, session: int, at: float) -> None:
        """Note that a session was used, UTC epoch seconds."""
        async with self._database.ledger() as connection:
            await connection.execute(
                update(sessions).where(sessions.c.id == session).values(seen_at=at)
            )

    async def renew_session(self, session: int, digest: bytes) -> None:
        """Have a session be known by another token from now on."""
        async with self._database.ledger() as connection:
            await connection.execute(
                update(sessions).where(sessions.c.id == session).values(digest=digest)
            )

    async def remove_sessions(self, numbers: Sequence[int]) -> None:
        """End sessions."""
        async with self._database.ledger() as connection:
            await connection.execute(delete(sessions).where(sessions.c.id.in_(numbers)))

    async def add_token(self, token: TokenRow) -> int:
        """Keep a new token; returns its number."""
        values = _without_id(asdict(token))
        async with self._database.ledger() as connection:
            added = await connection.change(insert(tokens).values(**values))
            return _number(added.inserted_primary_key)

    async def touch_token(self, token: int, at: float) -> None:
        """Note that a token was used, UTC epoch seconds."""
        async with self._database.ledger() as connection:
            await connection.execute(update(tokens).where(tokens.c.id == token).values(used_at=at))

    async def remove_token(self, token: int) -> None:
        """Take a token back."""
        async with self._database.ledger() as connection:
            await connection.execute(delete(tokens).where(tokens.c.id == token))


def _without_id(values: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name != "id"}


def _number(key: Sequence[int] | None) -> int:
    return int(key[0]) if key else 0

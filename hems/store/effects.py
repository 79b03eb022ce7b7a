"""The effect ledger: for each (event, mode, device) what was received, done, seen and answered.

It answers the owner's "why", a settlement, and what a restart found half done.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert

from hems.store.database import Database
from hems.store.schema import effects

_KEY: Final = ("event", "mode", "device")


@dataclass(frozen=True, slots=True)
class Effect:
    """What one mode of one event did to one device; None where it is not known (yet).

    Times are UTC epoch seconds, powers W in passive sign.

    Attributes:
        event: mRID of the event.
        mode: The control mode or kind of signal ("import-limit").
        device: Device id, or "home" for the connection point.
        value: What was asked, in the unit of its mode.
        setpoint_w: What the device was told.
        observed_w: What it then did.
        received_at: When the event was received; the first time counts.
        decided_at: When the set-point was last decided.
        written_at: When the device last confirmed it.
        observed_at: When the device was first seen to obey.
        responded_at: When the server had the answer.
        reason: One sentence for the owner.
    """

    event: str
    mode: str
    device: str
    value: float | None = None
    setpoint_w: float | None = None
    observed_w: float | None = None
    received_at: float | None = None
    decided_at: float | None = None
    written_at: float | None = None
    observed_at: float | None = None
    responded_at: float | None = None
    reason: str | None = None


class EffectLedger:
    """Effects on the disk; a call notes only what it knows, the rest stays.

    Each method raises `hems.store.errors.StoreError` if SQLite refuses, `StoreFullError` on a full
    disk; then nothing of that call stands.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, noted: Sequence[Effect]) -> None:
        """Add what is known now, in one durable transaction; None leaves what stands."""
        if noted:
            async with self._database.ledger() as connection:
                await connection.execute(_NOTE, [asdict(effect) for effect in noted])

    async def of_event(self, event: str) -> Sequence[Effect]:
        """Return the effects of an event by mode and device; none if it is not known."""
        query = (
            select(effects)
            .where(effects.c.event == event)
            .order_by(effects.c.mode, effects.c.device)
        )
        async with self._database.ledger() as connection:
            return [Effect(**row) for row in (await connection.execute(query)).mappings()]

    async def purge(self, before: float) -> int:
        """Forget effects whose last time is before `before`; returns how many."""
        times = (c for c in effects.c if c.name.endswith("_at"))
        last = func.max(*(func.coalesce(c, 0.0) for c in times))
        async with self._database.ledger() as connection:
            forgotten = await connection.change(delete(effects).where(last < before))
        return int(forgotten.rowcount)


_FIRST: Final = ("received_at", "observed_at")
"""What keeps its first value; of all else the last one noted counts."""

_add = insert(effects)
_NOTE: Final = _add.on_conflict_do_update(
    index_elements=_KEY,
    set_={
        c.name: func.coalesce(effects.c[c.name], c)
        if c.name in _FIRST
        else func.coalesce(c, effects.c[c.name])
        for c in _add.excluded
        if c.name not in _KEY
    },
)

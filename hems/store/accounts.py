"""What each quarter-hour cost, for years; and what of the last ones is not settled yet."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import ColumnElement, Float, Select, bindparam, cast, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from hems.store.database import Database
from hems.store.schema import account_minutes, account_state, accounts

INTERVAL_S: Final = 900
_PRICE_DIGITS: Final = 4
_LEAST_WH: Final = 0.01
"""Of less no price can be told: it is the noise of rounding."""
_Priced = tuple[str, float, float, float]
_PRUNE_S: Final = 90 * 86_400
"""Old rows go in slices of this length: a transaction that nobody notices."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One quarter-hour; money in its currency, energy as far as it was metered.

    Attributes:
        start: UTC epoch seconds, a multiple of 900.
        import_wh: Taken from the grid.
        export_wh: Given to the grid, a magnitude.
        sun_wh: What PV gave, a magnitude, as far as it was known.
        self_wh: What of that did not go to the grid.
        used_wh: What the house used, batteries left out, as far as that was known.
        own_wh: What of that did not come from the grid.
        cost: Of the energy taken.
        revenue: Of the energy given.
        charges: Its share of the day's standing charge, and what it adds to the month's peak
            charge.
        carbon_kg: Of the energy taken; None where nobody knows.
        cost_no_control: What it would have come to, all in all, without control; None where that
            cannot be told.
        cost_greedy: The same of a greedy control.
        measured: Share of its time that was metered, 0 to 1.
        registers: Whether the meter's own registers said what it took and gave.
        currency: ISO 4217 letters; "kWh" where there is no tariff.
    """

    start: int
    import_wh: float
    export_wh: float
    sun_wh: float
    self_wh: float
    used_wh: float
    own_wh: float
    cost: float
    revenue: float
    charges: float
    carbon_kg: float | None
    cost_no_control: float | None
    cost_greedy: float | None
    measured: float
    registers: bool
    currency: str


@dataclass(frozen=True, slots=True)
class Sums:
    """Rows of one period and currency, added up; fields as in `AccountRow` where not said.

    Attributes:
        start: Of the period, UTC epoch seconds.
        end: Its end.
        carbon_kg: As far as known; None where it nowhere is.
        saved_no_control: What control saved, over the rows that can tell; None where none can.
        saved_greedy: The same against greedy control.
        measured_s: Time that was metered.
        intervals: How many rows there are.
    """

    start: float
    end: float
    currency: str
    import_wh: float
    export_wh: float
    sun_wh: float
    self_wh: float
    used_wh: float
    own_wh: float
    cost: float
    revenue: float
    charges: float
    carbon_kg: float | None
    saved_no_control: float | None
    saved_greedy: float | None
    measured_s: float
    intervals: int


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What `Accounts.put` kept of the time that is not settled yet, in its owner's words.

    Attributes:
        state: What was true before it; None before the first time.
        minutes: By start, in order.
    """

    state: str | None
    minutes: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Priced:
    """Energy that had one price.

    Attributes:
        currency: As in `AccountRow`.
        per_kwh: The price, to a hundredth of a cent.
        energy_wh: How much.
        amount: What it came to.
    """

    currency: str
    per_kwh: float
    energy_wh: float
    amount: float


class Accounts:
    """The accounts on the disk; raises `hems.store.errors.StoreError` if SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self,
        rows: Sequence[AccountRow],
        state: str,
        minutes: Mapping[int, str],
        *,
        settled: int,
        end: int,
    ) -> None:
        """Write rows in place of those that were, and what is not settled, in one transaction.

        Args:
            rows: What has changed.
            state: What was true at `settled`.
            minutes: What to add of the time since then, by start in UTC epoch seconds.
            settled: What began before is forgotten of the minutes.
            end: What begins here or later is forgotten of them, too: a clock was set back.
        """
        at = account_minutes.c.at
        async with self._database.history() as connection:
            if rows:
                await connection.execute(_PUT_ROW, [asdict(row) for row in rows])
            await connection.execute(delete(account_minutes).where((at < settled) | (at >= end)))
            if minutes:
                await connection.execute(
                    _PUT_MINUTE, [{"at": at, "body": body} for at, body in minutes.items()]
                )
            await connection.execute(_PUT_STATE, {"id": 0, "body": state})

    async def unsettled(self) -> Unsettled:
        """Return what is not settled."""
        table = account_minutes
        async with self._database.history() as connection:
            state = await connection.scalar(select(account_state.c.body))
            rows = await connection.execute(select(table.c.at, table.c.body).order_by(table.c.at))
            return Unsettled(state, {row.at: row.body for row in rows})

    async def sums(self, periods: Iterable[tuple[float, float]]) -> Sequence[Sums]:
        """Add up the rows that begin in each period [start, end), UTC epoch seconds.

        Returns:
            One for each period and currency that has rows, in order.
        """
        asked = json.dumps([[start, end] for start, end in periods])
        async with self._database.history() as connection:
            rows = await connection.execute(_SUMS, {"periods": asked})
            return [Sums(**row._asdict()) for row in rows]

    async def priced(self, start: float, end: float, *, given: bool) -> Sequence[Priced]:
        """Return what was taken in [start, end), UTC epoch seconds, by price, cheapest first.

        A quarter-hour in which the price changed has the mean of what was paid in it.

        Args:
            start: UTC epoch seconds.
            end: UTC epoch seconds.
            given: Whether what was given is asked for instead.
        """
        query = _GIVEN if given else _TAKEN
        async with self._database.history() as connection:
            rows = await connection.execute(query, {"start": start, "end": end})
            return [Priced(*row) for row in rows]

    async def prune(self, before: float) -> None:
        """Forget rows from before `before`, UTC epoch seconds, in slices."""
        at = accounts.c.start
        while True:
            async with self._database.history() as connection:
                oldest = await connection.scalar(select(func.min(at)))
                if oldest is None or oldest >= before:
                    return
                until = min(before, oldest + _PRUNE_S)
                await connection.execute(delete(accounts).where(at < until))


_row = insert(accounts)
_PUT_ROW: Final = _row.on_conflict_do_update(
    index_elements=["start"],
    set_={c.name: _row.excluded[c.name] for c in accounts.c if c.name != "start"},
)
_minute = insert(account_minutes)
_PUT_MINUTE: Final = _minute.on_conflict_do_update(
    index_elements=["at"], set_={"body": _minute.excluded.body}
)
_state = insert(account_state)
_PUT_STATE: Final = _state.on_conflict_do_update(
    index_elements=["id"], set_={"body": _state.excluded.body}
)

_asked = func.json_each(bindparam("periods")).table_valued("key", "value")
_period_start, _period_end = (
    cast(func.json_extract(_asked.c.value, f"$[{i}]"), Float) for i in range(2)
)
_bill = accounts.c.cost - accounts.c.revenue + accounts.c.charges
_SUMS: Final = (
    select(
        _period_start.label("start"),
        _period_end.label("end"),
        accounts.c.currency,
        *(
            func.sum(accounts.c[name]).label(name)
            for name in (
                "import_wh",
                "export_wh",
                "sun_wh",
                "self_wh",
                "used_wh",
                "own_wh",
                "cost",
                "revenue",
                "charges",
                "carbon_kg",
            )
        ),
        # A row that cannot tell is NULL here, and SQLite's sum leaves it out.
        func.sum(accounts.c.cost_no_control - _bill).label("saved_no_control"),
        func.sum(accounts.c.cost_greedy - _bill).label("saved_greedy"),
        (func.sum(accounts.c.measured) * INTERVAL_S).label("measured_s"),
        func.count().label("intervals"),
    )
    .join_from(
        _asked,
        accounts,
        (accounts.c.start >= _period_start) & (accounts.c.start < _period_end),
    )
    .group_by(_asked.c.key, accounts.c.currency)
    .order_by(_asked.c.key, accounts.c.currency)
)


def _by_price(energy_wh: ColumnElement[float], amount: ColumnElement[float]) -> Select[*_Priced]:
    per_kwh = func.round(amount / energy_wh * 1000.0, _PRICE_DIGITS).label("per_kwh")
    return (
        select(accounts.c.currency, per_kwh, func.sum(energy_wh), func.sum(amount))
        .where(accounts.c.start >= bindparam("start"), accounts.c.start < bindparam("end"))
        .where(energy_wh > _LEAST_WH)
        .group_by(accounts.c.currency, "per_kwh")
        .order_by(accounts.c.currency, "per_kwh")
    )


_TAKEN: Final = _by_price(accounts.c.import_wh, accounts.c.cost)
_GIVEN: Final = _by_price(accounts.c.export_wh, accounts.c.revenue)

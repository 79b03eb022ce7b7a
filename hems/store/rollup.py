"""How rows of the history are made of finer ones: minutes to quarter-hours, these to blocks.

A row is what the rows below it say, no more, and is made anew from them in the transaction that
changes them. Minutes go after a month; rows that know more than what is left of their minutes stay.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Integer, SQLColumnExpression, bindparam, case, func, select
from sqlalchemy.dialects.sqlite import insert

from hems.store.connection import Connection
from hems.store.schema import blocks, minutes, quarters

MINUTE_S: Final = 60
QUARTER_S: Final = 900
MINUTES: Final = QUARTER_S // MINUTE_S
"""Minutes of a quarter-hour."""
QUARTERS: Final = 12
"""Quarter-hours of a block."""


async def derive(connection: Connection, touched: Collection[int]) -> None:
    """Make what lies over some minutes anew, for all devices.

    Args:
        connection: In a transaction.
        touched: Numbers of minutes.
    """
    found = sorted({minute // MINUTES for minute in touched})
    await connection.execute(DERIVE_QUARTERS, [_range(q, q + 1, MINUTES) for q in found])
    over = sorted({quarter // QUARTERS for quarter in found})
    await connection.execute(DERIVE_BLOCKS, [_range(b, b + 1, QUARTERS) for b in over])


async def derive_range(connection: Connection, first: int, until: int) -> None:
    """Make the rows over a range of blocks anew, for all devices.

    Args:
        connection: In a transaction.
        first: Number of the first block.
        until: Number of the first one that is left alone.
    """
    await connection.execute(DERIVE_QUARTERS, _range(first, until, MINUTES * QUARTERS))
    await connection.execute(DERIVE_BLOCKS, _range(first, until, QUARTERS))


def _range(first: int, until: int, each: int) -> dict[str, int]:
    return {"first": first * each, "until": until * each}


def _taken_w() -> SQLColumnExpression[float]:
    """Return the positive part of a minute's sum; what was kept before it is taken as a whole."""
    return func.coalesce(minutes.c.taken_sum_w, func.max(minutes.c.power_sum_w, 0.0))


_span = (bindparam("first", type_=Integer), bindparam("until", type_=Integer))
MEAN_W: Final = minutes.c.power_sum_w / minutes.c["count"]
MEAN_TAKEN_W: Final = _taken_w() / minutes.c["count"]
MEAN_GIVEN_W: Final = func.max(_taken_w() - minutes.c.power_sum_w, 0.0) / minutes.c["count"]
_quarter = minutes.c.minute // MINUTES
_later = minutes.alias("later")
_last_soc = (
    select(_later.c.soc)
    .where(_later.c.device == minutes.c.device)
    .where(_later.c.minute >= _quarter * MINUTES, _later.c.minute < (_quarter + 1) * MINUTES)
    .where(_later.c.soc.is_not(None))
    .order_by(_later.c.minute.desc())
    .limit(1)
    .scalar_subquery()
)
_made = insert(quarters).from_select(
    [column.name for column in quarters.c],
    select(
        minutes.c.device,
        _quarter.label("quarter"),
        func.count(),
        func.sum(MEAN_TAKEN_W),
        func.sum(MEAN_GIVEN_W),
        func.min(MEAN_W),
        func.max(MEAN_W),
        # Without a state of charge at all, nobody looks for the last one.
        case((func.count(minutes.c.soc) > 0, _last_soc)),
        func.min(minutes.c.soc),
        func.max(minutes.c.soc),
    )
    .where(minutes.c.minute >= _span[0], minutes.c.minute < _span[1])
    .group_by(minutes.c.device, "quarter"),
)
DERIVE_QUARTERS: Final = _made.on_conflict_do_update(
    index_elements=["quarter", "device"],
    set_={c.name: _made.excluded[c.name] for c in quarters.c if not c.primary_key},
    # A clock set back by weeks writes minutes where others have gone: what knows more stays.
    where=_made.excluded.minutes >= quarters.c.minutes,
)

_block = quarters.c.quarter // QUARTERS
_summed = insert(blocks).from_select(
    [column.name for column in blocks.c],
    select(
        quarters.c.device,
        _block.label("block"),
        func.sum(quarters.c.minutes),
        func.sum(quarters.c.taken_sum_w),
        func.sum(quarters.c.given_sum_w),
        func.min(quarters.c.low_w),
        func.max(quarters.c.high_w),
        func.min(quarters.c.soc_low),
        func.max(quarters.c.soc_high),
    )
    .where(quarters.c.quarter >= _span[0], quarters.c.quarter < _span[1])
    .group_by(quarters.c.device, "block"),
)
DERIVE_BLOCKS: Final = _summed.on_conflict_do_update(
    index_elements=["block", "device"],
    set_={c.name: _summed.excluded[c.name] for c in blocks.c if not c.primary_key},
)

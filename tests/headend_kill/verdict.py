"""What became of orders, by what the database, the homes and the senders say."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from tests.headend_kill.homes import CODES
from tests.headend_kill.orders import OK, Order


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database holds.

    Attributes:
        events: mRIDs by what they ask, W.
        responses: How many rows there are, by event and code.
        homes: Of how many homes they are, by event and code.
        taken: With which status a message of the enterprise was answered, by its id.
        trail: How the messages that came in ended, by their id.
        orders: How many events each order of the enterprise has, by its id.
    """

    events: Mapping[int, Sequence[str]]
    responses: Mapping[tuple[str, int], int]
    homes: Mapping[tuple[str, int], int]
    taken: Mapping[str, int]
    trail: Mapping[str, Counter[str]]
    orders: Mapping[str, int]


async def facts(url: str) -> Facts:
    """Read what the database holds."""
    connection = await asyncpg.connect(url, timeout=30)
    try:
        events: dict[int, list[str]] = {}
        for row in await connection.fetch("SELECT mrid, modes FROM event"):
            events.setdefault(round(json.loads(row["modes"])["target_w"]), []).append(row["mrid"])
        answers = await connection.fetch(
            "SELECT subject, status, count(*) AS rows, count(DISTINCT lfdi) AS homes"
            " FROM response GROUP BY subject, status"
        )
        taken = await connection.fetch(
            "SELECT message_id, status FROM cim_taken WHERE body IS NULL"
        )
        trail: dict[str, Counter[str]] = {}
        for row in await connection.fetch(
            "SELECT message_id, result FROM cim_message WHERE direction = 'in'"
        ):
            trail.setdefault(row["message_id"], Counter())[row["result"]] += 1
        orders = await connection.fetch(
            "SELECT name, count(*) AS parts FROM cim_order GROUP BY name"
        )
        return Facts(
            events,
            {(row["subject"], row["status"]): row["rows"] for row in answers},
            {(row["subject"], row["status"]): row["homes"] for row in answers},
            {row["message_id"]: row["status"] for row in taken},
            trail,
            {row["name"]: row["parts"] for row in orders},
        )
    finally:
        await connection.close()


@dataclass(slots=True)
class Verdict:
    """What is wrong; nothing of it is good.

    Attributes:
        lost: Acknowledged orders that are no event, or are not at every home.
        doubled: Orders that are more than one event.
        ghosts: Orders that were refused for good, and yet are events; events of nobody's order.
        answers: Responses that are missing or there more than once.
        trail: Messages of which the trail does not tell what became of them.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether all is well."""
        return not (self.lost or self.doubled or self.ghosts or self.answers or self.trail)


def judge(orders: Sequence[Order], known: Facts, homes: Mapping[str, Any], count: int) -> Verdict:
    """Return what is wrong.

    Args:
        orders: All that were given.
        known: What the database holds.
        homes: What the homes say (`tests.headend_kill.homes.report`).
        count: How many homes there are.
    """
    found = Verdict()
    for order in orders:
        _judge_order(found, order, known)
    strangers = set(known.events) - {order.watts for order in orders}
    found.ghosts += [f"events of nobody's order: {watts} W" for watts in sorted(strangers)]
    mrids = [mrid for each in known.events.values() for mrid in each]
    for mrid in mrids:
        if homes["held"].get(mrid, 0) != count:
            found.lost.append(f"event {mrid} is at {homes['held'].get(mrid, 0)} of {count} homes")
        for code in CODES:
            rows, senders = known.responses.get((mrid, code), 0), known.homes.get((mrid, code), 0)
            if rows != count or senders != count:
                found.answers.append(f"{mrid}, code {code}: {rows} rows of {senders} homes")
    found.ghosts += [f"homes hold {mrid}" for mrid in sorted(set(homes["held"]) - set(mrids))]
    return found


def _judge_order(found: Verdict, order: Order, known: Facts) -> None:
    mrids, what = known.events.get(order.watts, []), f"{order.way} {order.watts} W: {order.said}"
    if len(mrids) > 1:
        found.doubled.append(what)
    state = order.state
    if order.way != "operator":
        status = known.taken.get(order.name)
        state = _state_of(order, status)
        ends = known.trail.get(order.name, Counter())
        done = sum(ends[result] for result in ("OK", "ACCEPTED", "PARTIAL"))
        if status is not None and done != (status in OK):
            found.trail.append(f"{what}: answered {status}, the trail has {dict(ends)}")
        if known.orders.get(order.name, 0) != len(mrids):
            found.trail.append(f"{what}: {known.orders.get(order.name, 0)} rows of the order")
    if state == "acknowledged" and not mrids:
        found.lost.append(what)
    if state == "refused" and mrids:
        found.ghosts.append(what)
    if order.mrid and order.mrid not in mrids:
        found.lost.append(f"{what}: event {order.mrid} was acknowledged")


def _state_of(order: Order, status: int | None) -> str:
    """Return what a message of the enterprise came to; what is in the broker is to be done."""
    if status is None:
        return order.state
    return "acknowledged" if status in OK else "refused"


def settled(orders: Sequence[Order], known: Facts, homes: Mapping[str, Any], count: int) -> bool:
    """Return whether nothing more is to come: all is done, at every home, and answered."""
    open_orders = [
        order
        for order in orders
        if order.way == "nats" and order.state == "acknowledged" and order.name not in known.taken
    ]
    return not open_orders and all(
        homes["held"].get(mrid, 0) == count
        and all(homes["answered"].get(f"{mrid}:{code}", 0) == count for code in CODES)
        for mrids in known.events.values()
        for mrid in mrids
    )

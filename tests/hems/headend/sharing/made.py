"""Homes, records and orders for the tests of sharing: made by hand, and by hypothesis."""

import math

from hypothesis import strategies as st

from hems.headend.sharing.fairness import Record
from hems.headend.sharing.model import Ability, Ask, Kind, Rules, Terms

MOVES = [Kind.SHED, Kind.GENERATE, Kind.ABSORB]
LIMITS = [Kind.IMPORT, Kind.EXPORT, Kind.GENERATION, Kind.LOAD]
PLAIN = Rules(step_w=0, grain_w=1, bother_h=0.0)
"""Nothing but water-filling."""


def ability(
    name: str,
    most_w: int = 1000,
    least_w: int = 0,
    *,
    need_w: int | None = None,
    energy_wh: float = math.inf,
    reachable: bool = True,
    opted_out: bool = False,
) -> Ability:
    """Return what a home can do."""
    return Ability(
        name,
        most_w,
        least_w,
        need_w=need_w,
        energy_wh=energy_wh,
        reachable=reachable,
        opted_out=opted_out,
    )


def shed(total_w: int, hours: float = 1.0) -> Ask:
    """Return an order to shed."""
    return Ask(Kind.SHED, total_w, hours * 3600)


def hours(**borne: float) -> dict[str, Record]:
    """Return records of homes of 1 kW that bore so many hours in the last thirty days."""
    return {name: Record(1000.0 * each, 0, 30.0) for name, each in borne.items()}


def terms(ask: Ask, homes: list[Ability], rules: Rules = PLAIN) -> Terms:
    """Return terms under which nobody has borne anything."""
    return Terms(ask, rules, dict.fromkeys((home.home for home in homes), 0.0))


@st.composite
def abilities(draw: st.DrawFn, most: int = 8, biggest_w: int = 60) -> list[Ability]:
    """Draw a small group; some cannot be told anything, some left, some are nearly empty."""
    made = []
    for number in range(draw(st.integers(1, most))):
        most_w = draw(st.integers(0, biggest_w))
        least_w = draw(st.integers(0, most_w))
        made.append(
            Ability(
                f"H{number}",
                most_w,
                least_w,
                need_w=draw(st.none() | st.integers(0, biggest_w)),
                energy_wh=draw(st.just(math.inf) | st.floats(0, biggest_w)),
                reachable=draw(st.booleans()) or draw(st.booleans()),
                opted_out=draw(st.booleans()) and draw(st.booleans()),
            )
        )
    return made


def some_records(homes: list[Ability]) -> st.SearchStrategy[dict[str, Record]]:
    """Draw what some of them bore."""
    record = st.builds(
        Record, st.floats(0, 500), st.integers(0, 5), st.floats(0, 60) | st.just(math.inf)
    )
    return st.dictionaries(st.sampled_from([home.home for home in homes]), record)


RULES = st.builds(
    Rules,
    step_w=st.integers(0, 20),
    grain_w=st.integers(1, 10),
    window_days=st.just(30.0),
    bother_h=st.sampled_from([0.0, 0.1]),
    slack_w=st.integers(0, 10),
)

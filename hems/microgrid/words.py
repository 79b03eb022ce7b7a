"""What the owner reads of an island: where the home is and why, one sentence. Pure."""

import math
from collections.abc import Mapping
from typing import Final

from der.sentence import Template, say
from hems.microgrid.limits import Permit
from hems.microgrid.plant import Plant
from hems.microgrid.states import Phase, State

_LONG_S: Final = 7200.0
_SAID: Final[Mapping[Phase, Template]] = {
    Phase.SOFTENING: Template("About to part from the grid: {why}"),
    Phase.SEPARATING: Template("Parting from the grid: {why}"),
    Phase.PREPARING: Template(
        "The home is dark while its loads are switched off for the start: {why}"
    ),
    Phase.FORMING: Template("The battery inverter is starting the home: {why}"),
    Phase.SYNCHRONISING: Template("The grid is back: the home comes into step with it"),
    Phase.REJOINING: Template("The grid is back: the tie is closing"),
    Phase.RETURNING: Template("The grid is back: loads return one by one"),
    Phase.DARK: Template("The home is dark: {why}"),
}


def duration(seconds: float) -> str:
    """Return a time in words: "45 minutes", "3 hours"."""
    if seconds < _LONG_S:
        return say("{count:.0f} minutes", count=max(seconds, 0.0) / 60)
    return say("{count:.0f} hours", count=seconds / 3600)


def said(state: State, plant: Plant, lasts_s: float | None, now: float) -> str:
    """Return where the home is; empty while it is simply connected.

    Args:
        state: Where it is.
        plant: Its tie, inverter and permit.
        lasts_s: For how long the battery lasts, infinite for all the time looked ahead; None where
            that is not known.
        now: Seconds of the clock that the state's times are of.
    """
    why = state.why.removesuffix(".") if state.why.endswith(".") else state.why
    if state.phase is Phase.GRID:
        return state.doubt
    if state.phase is Phase.ISLAND:
        return say("The home is an island: {why}; {lasts}", why=why, lasts=_lasts(lasts_s))
    if state.phase is Phase.SEPARATING and now - state.since >= plant.limits.open_s:
        return say("The tie does not open, so the home cannot become an island: {why}", why=why)
    if state.phase is Phase.DARK and plant.permit is Permit.NONE:
        return say(
            "The home is dark, and waits for its grid, as no island is permitted: {why}", why=why
        )
    return _SAID[state.phase](why=why)


def promise(plant: Plant, lasts_s: float | None) -> str:
    """Return what the home could do if its grid failed now."""
    if plant.permit is Permit.NONE:
        return say("The utility does not permit an island, so without its grid the home is dark")
    return say(
        "Without its grid the home would be dark for some seconds, then an island; {lasts}",
        lasts=_lasts(lasts_s),
    )


def _lasts(lasts_s: float | None) -> str:
    if lasts_s is None:
        return say("how long its battery lasts is not known")
    if math.isinf(lasts_s):
        return say("its battery lasts for the whole time expected")
    return say("its battery lasts for {lasts}", lasts=duration(lasts_s))

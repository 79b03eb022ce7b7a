"""Reserve in 2030.5's words: offers as flow reservations asked for, commitments as those granted.

A flow reservation is the one resource in which a home can say what it could give and when, and the
utility how much of it counts. Charging is positive there, so that all that is given up is negative;
the signs turn here. What kind of reserve is meant, and what is asked for it, no field has room for:
the description says it.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.book.engine import Engine
from hems.sep2.book.requests import Request, Wish
from hems.sep2.book.states import EventState
from hems.sep2.errors import UnknownEventError
from hems.sep2.rules.lifecycle import Phase
from programs.commitment import Commitment, Offer, Posted, Product

WORDS: Final[Mapping[Product, str]] = MappingProxyType(
    {Product.SPINNING: "spinning reserve", Product.DAY_AHEAD: "day-ahead reserve"}
)
"""How the description of an offer begins."""
_VOID: Final = frozenset({Phase.REJECTED, Phase.CANCELLED, Phase.SUPERSEDED})
_LONGEST_S: Final = 0xFFFF
_STEP_W: Final = 10.0
"""What ActivePower can write exactly of any home, in 16 bits and a power of ten."""


class Reservations:
    """The offers to all utilities, and their commitments; a `hems.reserves.port.Port`.

    Args:
        engines: Returns the home's own events at each utility, by its name.
        binding: Whether commitments bind.
    """

    def __init__(
        self, engines: Callable[[], Iterable[tuple[str, Engine]]], *, binding: bool = False
    ) -> None:
        self._engines = engines
        self._binding = binding
        self._known: dict[str, tuple[Request, float, Posted | None]] = {}

    def posted(self, utility: str) -> Sequence[Posted]:
        """Return the offers that a utility has, or is to have.

        It is asked several times in each control cycle: only what has changed is made anew.
        """
        before, self._known = self._known, {}
        for engine in self._of(utility):
            offset_s = engine.offset_s
            for request in engine.requests:
                mrid = request.mrid
                known = before.get(mrid)
                if known is None or known[0] is not request or known[1] != offset_s:
                    known = request, offset_s, posted(request, offset_s)
                self._known[mrid] = known
        return [found for _, _, found in self._known.values() if found is not None]

    def commitments(self, utility: str) -> Sequence[Commitment]:
        """Return what a utility has committed and not taken back, whether or not it is over."""
        known = {each.mrid: each.offer for each in self.posted(utility)}
        if not known:
            return []
        found = (
            commitment(state, utility, known, binding=self._binding)
            for engine in self._of(utility)
            for state in engine.events
        )
        return [each for each in found if each is not None]

    async def offer(self, utility: str, offer: Offer) -> str:
        """Make an offer; returns the mRID of its request.

        Raises:
            ValueError: There is no such utility, or the offer cannot be written.
        """
        for engine in self._of(utility):
            return await engine.reserve(wish(offer, engine.offset_s))
        raise ValueError(f"no utility is called {utility!r}")

    async def withdraw(self, utility: str, mrid: str) -> None:
        """Take an offer back; nothing happens if it is not known any more."""
        for engine in self._of(utility):
            try:
                await engine.cancel_reservation(mrid)
            except UnknownEventError:
                continue

    def _of(self, utility: str) -> Iterable[Engine]:
        return (engine for name, engine in self._engines() if name == utility)


def wish(offer: Offer, offset_s: float) -> Wish:
    """Return an offer as it is asked for.

    Args:
        offer: In house words.
        offset_s: The server's clock less the home's, s.
    """
    words = WORDS[offer.product]
    if offer.price > 0:
        words += f" at {offer.price:.4g}/kWh h"
    return Wish(
        energy_wh=-float(math.floor(offer.energy_wh)),
        power_w=-float(offer.power_w // _STEP_W * _STEP_W),
        start=math.ceil(offer.starts_at + offset_s),
        end=math.floor(offer.ends_at + offset_s),
        takes_s=min(round(offer.lasts_s), _LONGEST_S),
        description=words,
    )


def posted(request: Request, offset_s: float) -> Posted | None:
    """Return a request that offers reserve; None for one that wants something else."""
    asked = request.resource
    words = asked.description or ""
    power_w, energy_wh = -asked.power_requested.watts, -asked.energy_requested.watt_hours
    product = next((p for p, begin in WORDS.items() if words.startswith(begin)), None)
    if product is None or power_w <= 0 or energy_wh <= 0:
        return None
    begins = asked.interval_requested.start - offset_s
    ends = begins + asked.interval_requested.duration
    offer = Offer(product, begins, ends, power_w, energy_wh)
    return Posted(request.mrid, offer, request.cancelled, request.told)


def commitment(
    state: EventState, utility: str, offers: Mapping[str, Offer], *, binding: bool
) -> Commitment | None:
    """Return what a grant commits the home to; None for what is none, was taken back or left.

    No more than was offered counts, and no other time: to more nobody has consented.

    Args:
        state: An event, as the book has it.
        utility: Whose it is.
        offers: What was offered, by mRID of the request.
        binding: Whether it binds.
    """
    control = state.control
    if not isinstance(control, res.FlowReservationResponse) or state.phase in _VOID:
        return None
    power_w = -control.power_available.watts
    energy_wh = -control.energy_available.watt_hours
    offer = offers.get(control.subject.upper())
    if state.opted_out or offer is None or power_w <= 0 or energy_wh <= 0:
        return None
    starts_at = max(state.starts_at, offer.starts_at)
    ends_at = min(state.ends_at, offer.ends_at)
    if ends_at <= starts_at:
        return None
    return Commitment(
        state.event.mrid,
        control.subject.upper(),
        utility,
        starts_at,
        ends_at,
        min(power_w, offer.power_w),
        min(energy_wh, offer.energy_wh),
        offer.product,
        binding,
    )

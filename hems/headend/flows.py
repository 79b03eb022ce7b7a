"""Flow reservations: what homes ask for, what they are granted (pure rules).

Charging is positive here and discharging negative, as this function set has it.
"""

import math
from dataclasses import dataclass
from typing import Final

from hems.headend.errors import DispatchError
from hems.headend.spans import Span
from hems.sep2.resources import FlowReservationRequest

_MAX_DURATION_S: Final = 7 * 86400
_MOST: Final = 1e9
REQUESTED: Final = 0
CANCELLED: Final = 1


@dataclass(frozen=True, slots=True)
class FlowRequest:
    """A home's request, as posted.

    Attributes:
        number: Part of its href.
        lfdi: Whose it is.
        mrid: Its mRID, as the home made it.
        received_at: When it was first posted, epoch s.
        created: Its creationTime.
        ends: When its interval is over, epoch s.
        body: The posted XML.
    """

    number: int
    lfdi: str
    mrid: str
    received_at: float
    created: int
    ends: int
    body: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a home is granted.

    Attributes:
        span: When.
        lfdi: Whose it is.
        request: mRID of the request that it answers.
        power_w: Power available; negative to discharge.
        energy_wh: Energy available; negative to discharge.
    """

    span: Span
    lfdi: str
    request: str
    power_w: float
    energy_wh: float

    @property
    def owner(self) -> str:
        """Key of its list."""
        return self.lfdi


@dataclass(frozen=True, slots=True)
class GrantOrder:
    """What an operator grants; None for what was asked.

    Attributes:
        power_w: Power; negative to discharge.
        energy_wh: Energy; negative to discharge.
        start: Epoch s.
        duration_s: How long.
        raw: Whether more than was asked, or of the other sign, may pass.
    """

    power_w: float | None = None
    energy_wh: float | None = None
    start: float | None = None
    duration_s: float | None = None
    raw: bool = False


def make_grant(
    lfdi: str, request: FlowReservationRequest, order: GrantOrder, now: float, mrid: str
) -> Grant:
    """Judge a grant.

    Args:
        lfdi: Whose request it is.
        request: What the home asks for.
        order: What the operator grants.
        now: Epoch s.
        mrid: The grant's mRID.

    Raises:
        DispatchError: It makes no sense; the message says why.
    """
    if request.request_status.request_status == CANCELLED and not order.raw:
        raise DispatchError(f"the home has taken request {request.mrid} back")
    asked_w, asked_wh = request.power_requested.watts, request.energy_requested.watt_hours
    power_w = _granted("power_w", order.power_w, asked_w, raw=order.raw)
    energy_wh = _granted("energy_wh", order.energy_wh, asked_wh, raw=order.raw)
    start, end = _window(request, order, now)
    return Grant(
        Span(mrid, start, end - start, now), lfdi, request.mrid.upper(), power_w, energy_wh
    )


def _granted(name: str, granted: float | None, asked: float, *, raw: bool) -> float:
    if granted is None:
        return asked
    if not math.isfinite(granted) or abs(granted) > _MOST:
        raise DispatchError(f"{name} {granted} is outside -1e9 to 1e9")
    if not raw and (granted * asked < 0 or abs(granted) > abs(asked)):
        raise DispatchError(f"{name} {granted:g} is not within what was asked, {asked:g}")
    return granted


def _window(request: FlowReservationRequest, order: GrantOrder, now: float) -> tuple[int, int]:
    asked = request.interval_requested
    asked_end = asked.start + asked.duration
    wanted = max(asked.start, now) if order.start is None else order.start
    if not math.isfinite(wanted) or wanted < 0:
        raise DispatchError(f"start {wanted} is no time")
    start = int(wanted)
    if order.duration_s is None:
        end = asked_end
    elif math.isfinite(order.duration_s) and 1 <= order.duration_s <= _MAX_DURATION_S:
        end = start + round(order.duration_s)
    else:
        raise DispatchError(f"a duration of {order.duration_s} s is outside 1 s to 7 days")
    if end <= now or end <= start:
        raise DispatchError("the grant would be over before it began")
    if not order.raw and (start < asked.start or end > asked_end):
        raise DispatchError(
            f"the home asks for {asked.start} to {asked_end}, not for {start} to {end}"
        )
    return start, end

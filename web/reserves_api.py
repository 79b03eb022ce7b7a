"""The reserve under /api, and its shape as JSON."""

from collections.abc import Sequence

from hems.access.rights import Right
from hems.reserves.surface import ReservesSurface
from web.models import Answer
from web.operation import Operation


class OfferAnswer(Answer):
    """An offer; fields as in `hems.reserves.surface.OfferView`."""

    id: str
    product: str
    starts_at: float
    ends_at: float
    power_w: float
    energy_wh: float
    state: str


class CommitmentAnswer(Answer):
    """A commitment; fields as in `hems.reserves.surface.CommitmentView`."""

    id: str
    product: str
    utility: str
    starts_at: float
    ends_at: float
    power_w: float
    left_wh: float
    short_w: float
    state: str


class CallAnswer(Answer):
    """A call; fields as in `hems.reserves.surface.CallView`."""

    id: str
    program: str
    starts_at: float
    ends_at: float
    asked_w: float
    promised_wh: float
    delivered_wh: float | None
    settled_s: float | None
    over: bool


class ReservesAnswer(Answer):
    """The reserve; fields as in `hems.reserves.surface.ReservesView`.

    Attributes:
        time_zone: IANA name of the home's time zone.
    """

    time_zone: str = ""
    offers: Sequence[OfferAnswer]
    commitments: Sequence[CommitmentAnswer]
    calls: Sequence[CallAnswer]
    able_w: float
    able_for_s: float
    stored_w: float
    shed_w: float


class ReservesApi:
    """What can be asked of the reserve, under /api."""

    def __init__(self, surface: ReservesSurface, time_zone: str) -> None:
        self._surface = surface
        self._time_zone = time_zone

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [Operation("GET", "/api/reserves", cls.reserves, Right.SEE)]

    async def reserves(self) -> ReservesAnswer | None:
        """Return how the reserve stands; nothing where the home offers none."""
        found = self._surface.reserves()
        if found is None:
            return None
        answer = ReservesAnswer.model_validate(found)
        return answer.model_copy(update={"time_zone": self._time_zone})

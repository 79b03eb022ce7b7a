"""The operator's look at what is shared: `GET /upstream`, and each event with its homes."""

from typing import Self

from aiohttp import web
from pydantic import BaseModel

from hems.headend.errors import UnknownItemError
from hems.headend.operator_door import json_answer
from hems.headend.sharing.following import Part
from hems.headend.sharing.model import Kind
from hems.headend.upstream.survey import HomeShare, Survey, Surveyed


class SharedOut(BaseModel):
    """A shared event. Powers in W, times in epoch s."""

    id: str
    """Its own: event, EndDevice and kind."""
    event: str
    """mRID of the utility's event."""
    device: str
    """LFDI of the EndDevice that it came to."""
    kind: Kind
    total_w: int
    """What all homes together are to move, or may use."""
    start: float
    end: float
    shared_at: float
    round: int
    """How often it was shared."""
    short_w: float
    """What was missing then, as nobody could do it."""
    missing_w: float
    """What is missing now; negative where there is more than enough."""
    delivered_w: float
    """What homes move, as far as their meters tell."""
    measured: int
    """Of how many homes that can be told."""
    told: list[int]
    """Response codes that the utility was told for the group."""
    homes: dict[Part, int]
    """How many homes take part in which way."""

    @classmethod
    def of(cls, seen: Surveyed) -> Self:
        """Return an event without its homes."""
        return cls(**_fields(seen))


class ShareOut(BaseModel):
    """A home in a shared event."""

    lfdi: str
    share_w: int
    """What it is counted on for; of a limit the limit."""
    part: Part
    net_w: float | None
    """Its net power as read last, import positive."""
    baseline_w: float | None
    """Its net power before it was asked."""
    heard_at: float | None

    @classmethod
    def of(cls, lfdi: str, share: HomeShare) -> Self:
        """Return a home."""
        home = share.home
        return cls(
            lfdi=lfdi,
            share_w=home.share_w,
            part=share.part,
            net_w=home.net_w,
            baseline_w=home.baseline_w,
            heard_at=home.heard_at,
        )


class SharesOut(SharedOut):
    """A shared event with its homes."""

    shares: list[ShareOut]

    @classmethod
    def of(cls, seen: Surveyed) -> Self:
        """Return an event with its homes."""
        homes = sorted(seen.homes.items())
        return cls(**_fields(seen), shares=[ShareOut.of(lfdi, share) for lfdi, share in homes])


class UpstreamOut(BaseModel):
    """The aggregator."""

    utility: str
    holder: str | None
    """Which worker is the client of the utility; None for none."""
    link: str | None
    """How its link stands, where it is the worker that answers this."""
    events: list[SharedOut]


class UpstreamDoor:
    """What the operator may look at.

    Args:
        survey: Looks at what is shared.
    """

    def __init__(self, survey: Survey) -> None:
        self._survey = survey

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.get("/upstream", self.get_all),
            web.get("/upstream/events/{id}", self.get_one),
        ]

    async def get_all(self, _request: web.Request) -> web.Response:
        """Answer what is shared right now."""
        survey = self._survey
        events = [SharedOut.of(seen) for seen in await survey.look()]
        return json_answer(
            UpstreamOut(
                utility=survey.utility,
                holder=await survey.holder(),
                link=survey.link,
                events=events,
            )
        )

    async def get_one(self, request: web.Request) -> web.Response:
        """Answer one shared event with each home's share."""
        wanted = request.match_info["id"]
        found = (each for each in await self._survey.look() if each.head.id == wanted)
        seen = next(found, None)
        if seen is None:
            raise UnknownItemError(f"no shared event {wanted[:120]!r}")
        return json_answer(SharesOut.of(seen))


def _fields(seen: Surveyed) -> dict[str, object]:
    head, standing = seen.head, seen.standing
    return {
        "id": head.id,
        "event": head.mrid,
        "device": head.lfdi,
        "kind": head.kind,
        "total_w": head.total_w,
        "start": head.span.start,
        "end": head.span.end,
        "shared_at": head.shared_at,
        "round": head.round,
        "short_w": head.short_w,
        "missing_w": standing.missing_w,
        "delivered_w": standing.delivered_w,
        "measured": standing.measured,
        "told": sorted(head.told),
        "homes": {part: count for part in Part if (count := standing.count(part))},
    }

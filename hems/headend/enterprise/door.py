"""The operator's side of the feeds: the bulletin's entries, and what homes told of their days."""

from typing import Annotated, Self

from aiohttp import web
from pydantic import BaseModel, Field, model_validator

from hems.bulletin import Alert, DeviceWord, FirmwareRange, Kind, Severity
from hems.headend.enterprise.book import BulletinBook, Entry, Published
from hems.headend.enterprise.statistics import StatisticsBook, anomalies
from hems.headend.operator_asks import In
from hems.headend.operator_door import json_answer, number_in, read_model

_DAYS = 7


class SeverityIn(In):
    """How bad a kind of security event is."""

    kind: Kind
    severity: Severity


class EntryIn(In):
    """One thing to be said: one of these."""

    alert: Alert | None = None
    device: DeviceWord | None = None
    firmware: FirmwareRange | None = None
    severity: SeverityIn | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [self.alert, self.device, self.firmware, self.severity]
        if sum(each is not None for each in given) != 1:
            raise ValueError("one of alert, device, firmware and severity is needed")
        return self


class EntryOut(BaseModel):
    """An entry."""

    id: str
    added_at: float
    alert: Alert | None
    device: DeviceWord | None
    firmware: FirmwareRange | None
    kind: str
    severity: Severity | None


class PublishedOut(BaseModel):
    """The bulletin in force."""

    number: int
    issued: float
    expires: float


class BulletinOut(BaseModel):
    """All of it; entries added since count from the next bulletin on."""

    published: PublishedOut | None
    entries: list[EntryOut]


class HomeCountsOut(BaseModel):
    """What happened in a home, by kind."""

    home: str
    events: dict[str, int]


class DevicesOut(BaseModel):
    """Devices of one kind and firmware over all homes."""

    manufacturer: str
    model: str
    firmware: str
    count: int


class AnomalyOut(BaseModel):
    """A home that stands out."""

    home: str
    kind: str
    count: Annotated[int, Field(ge=0)]
    usual: float


class StatisticsOut(BaseModel):
    """The last days over all homes that tell."""

    homes: list[HomeCountsOut]
    devices: list[DevicesOut]
    anomalies: list[AnomalyOut]


class FeedDoor:
    """Bulletin and statistics for the operator.

    Args:
        book: The bulletin.
        days: What homes told.
    """

    def __init__(self, book: BulletinBook, days: StatisticsBook) -> None:
        self._book = book
        self._days = days

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.get("/bulletin", self.get_bulletin),
            web.post("/bulletin/entries", self.post_entry),
            web.delete("/bulletin/entries/{id}", self.delete_entry),
            web.post("/bulletin/publish", self.post_publish),
            web.get("/statistics", self.get_statistics),
        ]

    async def get_bulletin(self, _: web.Request) -> web.Response:
        """Answer the entries, and the bulletin in force."""
        published = self._book.published
        return json_answer(
            BulletinOut(
                published=None if published is None else _published(published),
                entries=[_entry(each) for each in self._book.entries],
            )
        )

    async def post_entry(self, request: web.Request) -> web.Response:
        """Add an entry."""
        wish = await read_model(request, EntryIn)
        said = wish.severity
        entry = Entry(
            alert=wish.alert,
            device=wish.device,
            firmware=wish.firmware,
            kind="" if said is None else said.kind,
            severity=None if said is None else said.severity,
        )
        return json_answer(_entry(await self._book.add(entry)), 201)

    async def delete_entry(self, request: web.Request) -> web.Response:
        """Take an entry back."""
        await self._book.withdraw(request.match_info["id"])
        return await self.get_bulletin(request)

    async def post_publish(self, _request: web.Request) -> web.Response:
        """Sign what stands there now."""
        return json_answer(_published(await self._book.publish()), 201)

    async def get_statistics(self, request: web.Request) -> web.Response:
        """Answer what homes told of their last days, and whose numbers stand out."""
        days = round(number_in(request, "days", _DAYS))
        events, devices = self._days.events(days), self._days.devices(days)
        return json_answer(
            StatisticsOut(
                homes=[HomeCountsOut(home=h, events=dict(e)) for h, e in sorted(events.items())],
                devices=[
                    DevicesOut(manufacturer=maker, model=model, firmware=firmware, count=count)
                    for (maker, model, firmware), count in sorted(devices.items())
                ],
                anomalies=[
                    AnomalyOut(home=a.home, kind=a.kind, count=a.count, usual=a.usual)
                    for a in anomalies(events)
                ],
            )
        )


def _published(item: Published) -> PublishedOut:
    return PublishedOut(number=item.number, issued=item.issued, expires=item.expires)


def _entry(item: Entry) -> EntryOut:
    return EntryOut(
        id=item.id,
        added_at=item.added_at,
        alert=item.alert,
        device=item.device,
        firmware=item.firmware,
        kind=item.kind,
        severity=item.severity,
    )

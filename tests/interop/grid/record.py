"""What went over the wire, as evidence: each request and its answer."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lxml import etree

from tests.interop.grid.markup import Element
from tests.interop.grid.tree import ANSWERS, MIRROR
from tests.interop.grid.words import number_of, text_of


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer.

    Attributes:
        at: When it came in, UTC epoch s of this machine.
        method: Its method.
        target: Path and query.
        body: As it came in.
        status: Of the answer.
        answer: Body of the answer.
        headers: Of the answer.
        sender: LFDI of the certificate behind it.
        lost: Whether the connection was cut before the answer was out.
        inbound: Whether it is a notification, which goes the other way.
    """

    at: float
    method: str
    target: str
    body: bytes
    status: int
    answer: bytes
    headers: Mapping[str, str]
    sender: str
    lost: bool = False
    inbound: bool = False

    @property
    def path(self) -> str:
        """Its path."""
        return self.target.partition("?")[0]

    @property
    def good(self) -> bool:
        """Whether it was answered with success."""
        return 200 <= self.status < 300

    def element(self) -> Element:
        """Return the root of its body."""
        return etree.fromstring(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """A Response that the home posted; `at` in the utility's time."""

    subject: str
    status: int | None
    lfdi: str
    at: int | None
    modes: str | None
    kind: str

    @classmethod
    def of(cls, exchange: Exchange) -> "Answer":
        """Read one from its exchange."""
        root = exchange.element()
        return cls(
            subject=text_of(root, "subject") or "",
            status=number_of(root, "status"),
            lfdi=text_of(root, "endDeviceLFDI") or "",
            at=number_of(root, "createdDateTime"),
            modes=text_of(root, "modesResponded"),
            kind=etree.QName(root).localname,
        )


class Wire:
    """What went over the wire, and waiting for what is to come.

    Attributes:
        log: All exchanges in order.
    """

    def __init__(self) -> None:
        self.log: list[Exchange] = []
        self._news = asyncio.Event()

    def note(self, exchange: Exchange) -> None:
        """Record an exchange."""
        self.log.append(exchange)
        self._news.set()

    def asked(self, method: str, path: str) -> list[Exchange]:
        """Return the requests of a method to a path (a regular expression), in order."""
        pattern = re.compile(path)
        return [e for e in self.log if e.method == method and pattern.fullmatch(e.path)]

    @property
    def answers(self) -> list[Answer]:
        """The responses it took in, in order."""
        return [Answer.of(e) for e in self.asked("POST", ANSWERS) if e.good]

    def codes(self, mrid: str, lfdi: str | None = None) -> list[int | None]:
        """Return the response codes for an event, in order, of one device if one is named."""
        of_it = [a for a in self.answers if a.subject.upper() == mrid.upper()]
        return [a.status for a in of_it if lfdi is None or a.lfdi.upper() == lfdi]

    def readings(self, point: str = f"{MIRROR}/.*") -> list[Element]:
        """Return the MirrorMeterReadings that it took in, in order, of one point if it is named."""
        posts = self.asked("POST", point)
        found: list[Element] = []
        for root in (e.element() for e in posts if e.good):
            if etree.QName(root).localname == "MirrorMeterReading":
                found.append(root)
            else:
                found += root.findall("{*}MirrorMeterReading")
        return found

    async def until(self, true: Callable[[], object], within_s: float, what: str) -> None:
        """Wait until something holds; looked at after each request."""
        try:
            async with asyncio.timeout(within_s):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            last = [f"{e.method} {e.target} {e.status}" for e in self.log[-12:]]
            raise AssertionError(f"not within {within_s:g} s: {what}; last asked: {last}") from None

    async def answered(
        self,
        mrid: str,
        expected: list[int],
        within_s: float = 10.0,
        *,
        lfdi: str | None = None,
    ) -> None:
        """Wait for the response codes of an event, these and in this order."""
        what = f"responses {expected}"
        try:
            await self.until(lambda: self.codes(mrid, lfdi) == expected, within_s, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; responses: {self.codes(mrid, lfdi)}") from None

    async def polled(self, path: str, times: int = 1, within_s: float = 10.0) -> None:
        """Wait until a path was read so many times more."""
        before = len(self.asked("GET", path))
        await self.until(
            lambda: len(self.asked("GET", path)) >= before + times, within_s, f"{path} read"
        )

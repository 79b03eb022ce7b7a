"""Puts what a device says of itself where the links of its EndDevice lead.

Each part is put once, and again when it has changed or the server has lost it: amounts that drift
at the server's post rate, states at once. A link that is missing is no error, and a server that
refuses one part gets the others.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from hems.sep2 import resources as res
from hems.sep2.enddevice.places import (
    DerPlace,
    Part,
    device_parts,
    find_ders,
    find_shed,
    of_other_programs,
)
from hems.sep2.enddevice.reports import Report, pressing, shows
from hems.sep2.errors import (
    BusyError,
    MalformedError,
    NotFoundError,
    RejectedError,
    Sep2Error,
    TransientError,
    TrustError,
)
from hems.sep2.transport.backoff import Backoff, after_failure
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles

_log = logging.getLogger(__name__)

DEFAULT_POST_S: Final = 300.0
CHECK_S: Final = 900.0
_REFUSED_S: Final = 60.0
_LONGEST_REFUSED_S: Final = 3600.0
_DERS: Final = "DERList"
_SHED: Final = "LoadShedAvailabilityList"
_REPEATED: Final = (res.DERStatus, res.DERAvailability, res.DeviceStatus, res.PowerStatus)
"""Told again at each turn of the post rate, changed or not, so that the server knows it holds."""

_Find: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Told:
    """What the server knows of a part, and when it is its turn; times are monotonic."""

    href: str = ""
    resource: res.Resource | None = None
    at: float = 0.0
    seen: float = 0.0
    failures: int = 0
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a report is told.

    Attributes:
        least_s: No part is put more often than this.
        post_s: How often what drifts is told where the EndDevice has no postRate.
        check_s: How often it is looked whether the server still has what it was told.
    """

    least_s: float = 1.0
    post_s: float = DEFAULT_POST_S
    check_s: float = CHECK_S


class Reporter:
    """Keeps one device's report up at one server.

    Args:
        transport: Way to the server.
        rng: For jitter.
        troubles: What goes wrong now.
        name: Of the device, for messages where a server has several.
        cadence: How often what is told.
        on_contact: Told after each answer of the server.
        monotonic: Seconds that never step.
    """

    def __init__(
        self,
        transport: Transport,
        rng: random.Random,
        troubles: Troubles,
        *,
        name: str = "",
        cadence: Cadence | None = None,
        on_contact: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._rng = rng
        self._troubles = troubles
        self._name = f"report {name}".rstrip()
        self._cadence = cadence or Cadence()
        self._on_contact = on_contact
        self._monotonic = monotonic
        self._device: res.EndDevice | None = None
        self._report = Report()
        self._told: dict[str, _Told] = {}
        self._ders: Sequence[DerPlace] | None = None
        self._shed: Sequence[str] | None = None
        self._wake = asyncio.Event()

    def use(self, device: res.EndDevice | None) -> None:
        """Set the device's own EndDevice as the server shows it; None if it has none."""
        before, self._device = self._device, device
        if device is None:
            self._told.clear()  # a server that drops a device drops what it was told of it
        if _places(device) != _places(before):
            self._ders = self._shed = None
            for told in self._told.values():
                told.not_before = 0.0
            self._wake.set()

    def publish(self, report: Report) -> None:
        """Tell the server as soon as it can be reached; a later report replaces this one."""
        if len(report.ders) != len(self._report.ders):
            self._ders = None
        if of_other_programs(report.load_shed, self._report.load_shed):
            self._shed = None
        self._report = report
        self._wake.set()

    async def run(self) -> None:
        """Tell what is new; never returns."""
        backoff = Backoff(self._rng)
        while True:
            self._wake.clear()
            try:
                wait_s = await self.put()
            except Sep2Error as error:
                self._meet(self._name, error)
                await asyncio.sleep(backoff.failed(error))
            else:
                backoff.worked()
                self._troubles.over(self._name)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()

    async def put(self) -> float | None:
        """Put what is due; what the server refuses is noted, and tried again later.

        Returns:
            Seconds until something is due again; None if nothing is.

        Raises:
            Sep2Error: The server cannot be reached, or is not trusted.
        """
        device = self._device
        if device is None:
            return None
        for name, find in self._unknown(device):
            if self._of(name).not_before <= self._monotonic():
                await self._guarded(name, find())
        for part in self._parts(device):
            if self._due(part) <= self._monotonic():
                await self._guarded(part.name, self._keep_up(part))
        dues = [self._due(part) for part in self._parts(device)]
        dues += [self._of(name).not_before for name, _ in self._unknown(device)]
        return max(0.0, min(dues) - self._monotonic()) if dues else None

    def _unknown(self, device: res.EndDevice) -> Iterator[tuple[str, _Find]]:
        """Yield the lists that the report needs and that are to be read first."""
        ders, sheds = device.der_list_link, device.load_shed_availability_list_link
        report = self._report
        if ders is not None and self._ders is None and report.tells_der:
            yield _DERS, partial(self._find_ders, ders.href)
        if sheds is not None and self._shed is None and report.load_shed:
            yield _SHED, partial(self._find_shed, sheds.href)

    async def _find_ders(self, href: str) -> None:
        self._ders = await find_ders(self._transport, href, self._report)

    async def _find_shed(self, href: str) -> None:
        entries = self._report.load_shed
        places = await find_shed(self._transport, href, entries)
        self._shed = [place for place, _ in places]
        now = self._monotonic()
        for i, ((place, made), entry) in enumerate(zip(places, entries, strict=True)):
            if made:
                self._told[_entry(i)] = _Told(place, entry, now, now)

    def _parts(self, device: res.EndDevice) -> Iterator[Part]:
        report = self._report
        yield from device_parts(device, report)
        for place in self._ders or ():
            yield from place.parts(report)
        for i, (href, entry) in enumerate(zip(self._shed or (), report.load_shed, strict=False)):
            yield Part(_entry(i), href, entry)

    def _of(self, name: str) -> _Told:
        return self._told.setdefault(name, _Told())

    def _due(self, part: Part) -> float:
        """Return when a part is to be put or looked after, monotonic."""
        told, cadence = self._of(part.name), self._cadence
        if told.href != part.href:
            return 0.0
        if told.resource is None:
            return told.not_before
        post_s = max(cadence.least_s, self._post_s)
        due = told.seen + cadence.check_s
        if isinstance(part.resource, _REPEATED):
            due = told.at + post_s
        if part.ours and part.resource != told.resource:
            urgent = pressing(part.resource, told.resource)
            due = told.at + (cadence.least_s if urgent else post_s)
        return max(due, told.not_before)

    @property
    def _post_s(self) -> float:
        asked = self._device.post_rate if self._device is not None else None
        return float(asked or self._cadence.post_s)

    async def _keep_up(self, part: Part) -> None:
        told = self._of(part.name)
        new = told.resource != part.resource or told.href != part.href
        if told.href != part.href:
            told.href, told.resource = part.href, None
        if not part.ours or (not new and not isinstance(part.resource, _REPEATED)):
            stands = await self._stands(part)
            told.seen = self._monotonic()
            if stands:
                told.resource = part.resource
                return
        try:
            await self._transport.put(part.href, part.resource)
        except NotFoundError:
            self._ders = self._shed = told.resource = None  # it may be elsewhere by now
            raise
        now = self._monotonic()
        told.resource, told.at, told.seen = part.resource, now, now

    async def _stands(self, part: Part) -> bool:
        """Whether the server has a part as it was told, or one of its own that is to stand."""
        try:
            shown = await self._transport.get(part.href, type(part.resource))
        except (NotFoundError, MalformedError):
            return False
        except RejectedError:
            return part.ours  # it takes them and shows none
        return not part.ours or shows(shown, part.resource)

    async def _guarded(self, name: str, work: Awaitable[None]) -> None:
        """Do a part's work; its failure is noted and does not stop the others'."""
        told, source = self._of(name), f"{self._name} {name}"
        try:
            await work
        except TrustError:
            raise
        except Sep2Error as error:
            if isinstance(error, TransientError) and not isinstance(error, BusyError):
                raise  # nothing else would get through either
            told.failures += 1
            self._meet(source, error)
            first_s, longest_s = _REFUSED_S, _LONGEST_REFUSED_S
            if isinstance(error, BusyError):
                first_s, longest_s = self._cadence.least_s, self._post_s
            wait_s = after_failure(
                told.failures, error, self._rng, first_s=first_s, longest_s=longest_s
            )
            told.not_before = self._monotonic() + wait_s
        else:
            told.failures, told.not_before = 0, 0.0
            self._troubles.over(source)
            self._on_contact()

    def _meet(self, source: str, error: Sep2Error) -> None:
        if self._troubles.meet(source, error):
            _log.warning("%s: %s", self._name, error)


def _places(device: res.EndDevice | None) -> Sequence[str | int | None] | None:
    """Return what of an EndDevice matters here; the rest may change at every poll."""
    if device is None:
        return None
    links = (
        device.der_list_link,
        device.device_information_link,
        device.device_status_link,
        device.power_status_link,
        device.configuration_link,
        device.connection_point_link,
        device.load_shed_availability_list_link,
    )
    return [device.post_rate, *(link.href if link is not None else None for link in links)]


def _entry(index: int) -> str:
    return f"LoadShedAvailability {index + 1}"

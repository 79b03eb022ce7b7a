"""Metering mirror: usage points that this home keeps up at the server.

A usage point is looked for by its mRID before it is made, so that a restart makes no second one.
Readings wait in memory, bounded, until the server has them; the durable history is the store's.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.enddevice.readings import MirrorSpec, Sample, Samples, SeriesSpec, posted
from hems.sep2.errors import ForbiddenError, NotFoundError, RejectedError, Sep2Error
from hems.sep2.transport.backoff import Backoff
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles

_log = logging.getLogger(__name__)

DEFAULT_POST_S: Final = 900.0
CHECK_S: Final = 900.0
"""How often the usage point is read again, for its postRate and whether it is still there."""
_BATCH: Final = 100
_METHOD: Final = 405


class Mirror:
    """Keeps one usage point up at the server.

    Args:
        spec: What to mirror.
        lfdi: LFDI of the device that measures.
        transport: Way to the server.
        offset_s: Returns the server's time less the home's.
        rng: For jitter.
        troubles: What goes wrong now.
        samples: What waits to be posted.
        least_post_s: No more frequent posts, whatever the server says.
        on_contact: Told after each answer of the server.
        monotonic: Seconds that never step.
    """

    def __init__(
        self,
        spec: MirrorSpec,
        lfdi: str,
        transport: Transport,
        offset_s: Callable[[], float],
        rng: random.Random,
        *,
        troubles: Troubles,
        samples: Samples,
        least_post_s: float = 1.0,
        on_contact: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spec = spec
        self._lfdi = lfdi
        self._transport = transport
        self._offset_s = offset_s
        self._rng = rng
        self._troubles = troubles
        self._samples = samples
        self._least_post_s = least_post_s
        self._on_contact = on_contact
        self._monotonic = monotonic
        self._list: str | None = None
        self._href: str | None = None
        self._looked = 0.0
        self._announced: set[str] = set()
        self._batch = _BATCH
        self._suspect: Sample | None = None
        self._unsure: dict[str, Sequence[Sample]] = {}
        self._post_s = float(spec.post_s or DEFAULT_POST_S)
        self._wake = asyncio.Event()

    def use(self, href: str | None) -> None:
        """Set the server's MirrorUsagePointList; None if it offers none."""
        if href != self._list:
            self._list = href
            self._lose()
            self._wake.set()

    async def run(self) -> None:
        """Post readings at the post rate; never returns."""
        backoff = Backoff(self._rng)
        name = f"mirror {self._spec.description} {self._spec.mrid}"
        while True:
            self._wake.clear()
            try:
                await self.post()
            except Sep2Error as error:
                if isinstance(error, NotFoundError | RejectedError):
                    self._lose()  # it may be gone: look for it anew
                if self._troubles.meet(name, error):
                    _log.warning("mirror %s: %s", self._spec.description, error)
                wait_s = backoff.failed(error, longest_s=self._post_s)
            else:
                backoff.worked()
                self._troubles.over(name)
                wait_s = max(self._least_post_s, self._post_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def post(self) -> None:
        """Post all readings that wait.

        Raises:
            Sep2Error: Something could not be posted; it waits on.
        """
        if self._list is None:
            return
        if self._href is None:
            self._href = await self._find_or_make(self._list)
        elif self._monotonic() - self._looked > CHECK_S:
            self._follow(await self._transport.get(self._href, res.MirrorUsagePoint))
        refused: Sep2Error | None = None
        for series in self._spec.series:
            try:
                await self._post_series(self._href, series)
            except ForbiddenError:
                raise
            except RejectedError as error:
                if error.status == _METHOD:
                    raise
                refused = error  # this series alone; the others go on
        if refused is not None:
            raise refused

    async def _post_series(self, href: str, series: SeriesSpec) -> None:
        while batch := self._next(series):
            announce = series.mrid not in self._announced
            body = posted(series, batch, self._offset_s(), announce=announce)
            self._unsure[series.mrid] = batch  # from here on the server may have it
            try:
                await self._transport.post(href, body)
            except ForbiddenError:
                raise
            except RejectedError as error:
                del self._unsure[series.mrid]
                if error.status == _METHOD:
                    raise
                self._refused(series, batch, error)
                continue
            del self._unsure[series.mrid]
            self._on_contact()
            self._announced.add(series.mrid)
            self._samples.done(batch)
        self._batch = _BATCH

    def _next(self, series: SeriesSpec) -> Sequence[Sample]:
        if series.latest:
            latest = self._samples.latest(series.mrid)
            return () if latest is None else (latest,)
        # A set whose answer was lost is told again as it was: with what was measured since it
        # would be another set, and its first readings would count twice.
        return self._unsure.get(series.mrid) or self._samples.waiting(series.mrid, self._batch)

    def _refused(self, series: SeriesSpec, batch: Sequence[Sample], error: RejectedError) -> None:
        """Find out which reading of a batch is refused, and let it go if it is so twice.

        One bad reading must not hold up all that come after it; and a server that refuses for
        another reason, such as a usage point it has forgotten, must not cost any.

        Raises:
            RejectedError: It is to be tried once more, the usage point having been looked for.
        """
        if len(batch) > 1:
            self._batch = 1
            return
        (sample,) = batch
        if self._suspect is not sample:
            self._suspect = sample
            raise error
        self._suspect = None
        self._samples.done(batch)
        _log.warning("%s: a reading is given up: %s", series.description, error)

    async def _find_or_make(self, href: str) -> str:
        listed = await self._transport.get_list(href, res.MirrorUsagePointList)
        wanted = _full(self._spec.mrid)
        for point in listed.mirror_usage_point:
            if point.href is not None and _full(point.mrid) == wanted:
                self._follow(point)
                return point.href
        announced = [s for s in self._spec.series if s.sure or self._next(s)]
        body = self._spec.usage_point(self._lfdi, announced)
        location = await self._transport.post(href, body)
        if location is None:
            raise NotFoundError(f"{self._transport.host}{href}: a new usage point got no Location")
        self._announced = {s.mrid for s in announced}
        self._follow(await self._transport.get(location, res.MirrorUsagePoint))
        return location

    def _follow(self, point: res.MirrorUsagePoint) -> None:
        """Take over the server's post rate."""
        self._post_s = float(point.post_rate or self._spec.post_s or DEFAULT_POST_S)
        self._looked = self._monotonic()

    def _lose(self) -> None:
        self._href = None
        self._announced.clear()


def _full(mrid: str) -> str:
    return mrid.upper().zfill(32)

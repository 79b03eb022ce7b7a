"""Tells the server about the home's DER: capability, settings, status, availability."""

import asyncio
import contextlib
import logging
import random
from dataclasses import dataclass
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.backoff import after_failure
from hems.sep2.errors import NotFoundError, Sep2Error
from hems.sep2.http import Transport
from hems.sep2.troubles import Troubles

_log = logging.getLogger(__name__)

_NAME: Final = "DER report"


@dataclass(frozen=True, slots=True)
class DerReport:
    """What the home says of itself as one DER; None for what it does not say."""

    capability: res.DERCapability | None = None
    settings: res.DERSettings | None = None
    status: res.DERStatus | None = None
    availability: res.DERAvailability | None = None


class DerPublisher:
    """Puts the last report where the server's DER resource links to; unchanged parts once only."""

    def __init__(self, transport: Transport, rng: random.Random, troubles: Troubles) -> None:
        self._transport = transport
        self._rng = rng
        self._troubles = troubles
        self._list: str | None = None
        self._report = DerReport()
        self._told: dict[str, res.Resource] = {}
        self._wake = asyncio.Event()

    def use(self, href: str | None) -> None:
        """Set the DERList of the home's EndDevice; None if it has none."""
        if href != self._list:
            self._list = href
            self._told.clear()
            self._wake.set()

    def publish(self, report: DerReport) -> None:
        """Tell the server as soon as it can be reached; a later report replaces this one."""
        self._report = report
        self._wake.set()

    async def run(self) -> None:
        """Tell what is new; never returns."""
        failures = 0
        while True:
            self._wake.clear()
            wait_s: float | None = None
            try:
                await self.put()
            except Sep2Error as error:
                failures += 1
                if self._troubles.meet(_NAME, error):
                    _log.warning("%s: %s", _NAME, error)
                wait_s = after_failure(failures, error, self._rng)
            else:
                failures = 0
                self._troubles.over(_NAME)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def put(self) -> None:
        """Put what the server does not have yet.

        Raises:
            NotFoundError: The server has no DER for this home.
            Sep2Error: It could not be put.
        """
        if self._list is None or self._report == DerReport():
            return
        listed = await self._transport.get_list(self._list, res.DERList)
        if not listed.der:
            raise NotFoundError(f"{self._transport.host}{self._list}: no DER for this home")
        der, report = listed.der[0], self._report
        for link, resource in (
            (der.der_capability_link, report.capability),
            (der.der_settings_link, report.settings),
            (der.der_status_link, report.status),
            (der.der_availability_link, report.availability),
        ):
            if link is None or resource is None or self._told.get(link.href) == resource:
                continue
            await self._transport.put(link.href, resource)
            self._told[link.href] = resource

"""A head-end with time that a test sets, and what Prometheus would read of it."""

import re
from collections.abc import Mapping

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from hems.headend.server import HeadEnd

START = 1_800_000_000.0
Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


class HandClock:
    """Time as a test says it; it runs for what measures."""

    def __init__(self, at: float = START) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Scraper:
    """Reads a head-end's metrics as Prometheus does."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._url = head_end.addresses.operator_url + "/metrics"
        self._headers = {"Authorization": f"Bearer {head_end.token}"}

    async def text(self) -> str:
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.get(self._url) as answer,
        ):
            body = await answer.text()
            assert answer.status == 200, body
            assert re.match("text/plain; version=", answer.headers["Content-Type"])
            return body

    async def series(self) -> Series:
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(await self.text())
            for sample in family.samples
        }


def value(series: Series, name: str, **labels: str) -> float:
    """Return the sum of the samples of a name that have these labels, whatever others they have."""
    wanted = set(labels.items())
    return sum(v for (n, own), v in series.items() if n == name and wanted <= own)

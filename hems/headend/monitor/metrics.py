"""What a worker counts: plain numbers in memory, so that to count costs next to nothing.

They are put into words of Prometheus only when somebody asks (`hems.metrics.exposition`).
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from hems.headend.monitor import catalogue
from hems.headend.monitor.catalogue import CATALOGUE
from hems.metrics.metric import Kind, Labels, Metric
from hems.metrics.spread import Spread

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_CODES: Final = frozenset({*range(1, 17), *range(251, 255)})
"""Statuses of responses that the standard names."""


class _Requests:
    """Requests of one door, template and method: how they went, and how long they took."""

    __slots__ = ("spread", "statuses")

    def __init__(self) -> None:
        self.spread = Spread(catalogue.REQUEST_S.bounds)
        self.statuses: defaultdict[str | int, int] = defaultdict(int)


class Metrics:
    """The counters and histograms of the catalogue."""

    def __init__(self) -> None:
        self._counters: dict[Metric, dict[Labels, int]] = {
            each: defaultdict(int) for each in CATALOGUE if each.kind is Kind.COUNTER
        }
        self._spreads: dict[Metric, dict[Labels, Spread]] = {
            each: {} for each in CATALOGUE if each.kind is Kind.HISTOGRAM
        }
        self._requests: dict[tuple[str, str, str], _Requests] = {}

    def counters(self, metric: Metric) -> Mapping[Labels, int]:
        """Return a counter by its labels."""
        if metric is not catalogue.REQUESTS:
            return dict(self._counters[metric])
        return {
            (door, resource, method, status): count
            for (door, resource, method), each in self._requests.items()
            for status, count in each.statuses.items()
        }

    def spreads(self, metric: Metric) -> Mapping[Labels, Spread]:
        """Return a histogram by its labels."""
        if metric is not catalogue.REQUEST_S:
            return dict(self._spreads[metric])
        return {labels: each.spread for labels, each in self._requests.items()}

    def values(
        self, now: Mapping[Metric, Mapping[Labels, float]]
    ) -> Mapping[Metric, Mapping[Labels, float]]:
        """Return all counters, with what is as it is now.

        Args:
            now: Gauges, and counters that somebody else keeps.
        """
        return {**{each: self.counters(each) for each in self._counters}, **now}

    @property
    def histograms(self) -> Mapping[Metric, Mapping[Labels, Spread]]:
        """All histograms by their labels."""
        return {each: self.spreads(each) for each in self._spreads}

    def request(
        self, door: str, resource: str, method: str, status: str | int, took_s: float
    ) -> None:
        """Count a request.

        Args:
            door: At which it came.
            resource: Template of its path; empty where nothing is there.
            method: Of HTTP, as the caller wrote it.
            status: Of the answer.
            took_s: How long it took.
        """
        if method not in _METHODS:
            method = "other"
        key = (door, resource, method)
        requests = self._requests.get(key)
        if requests is None:
            requests = self._requests[key] = _Requests()
        requests.statuses[status] += 1
        requests.spread.add(took_s)

    def count(self, metric: Metric, *labels: str | int, by: int = 1) -> None:
        """Count something else."""
        self._counters[metric][labels] += by

    def took(self, metric: Metric, seconds: float, *labels: str | int) -> None:
        """Count how long something took."""
        spreads = self._spreads[metric]
        spread = spreads.get(labels)
        if spread is None:
            spread = spreads[labels] = Spread(metric.bounds)
        spread.add(seconds)

    def response(self, code: int) -> None:
        """Count a response of a home, by its status."""
        self.count(catalogue.RESPONSES, code if code in _CODES else "other")

    def transaction(self, kind: str, took_s: float, outcome: str) -> None:
        """Count a transaction; see `hems.headend.db.database.Database.on_done`."""
        self.count(catalogue.DATABASE, kind, outcome)
        self.took(catalogue.DATABASE_S, took_s, kind)

    def letter(self, outcome: str, took_s: float) -> None:
        """Count a notification that is done with, and how long it took if it was taken."""
        self.count(catalogue.NOTIFIED, outcome)
        if outcome == "taken":
            self.took(catalogue.NOTIFY_S, max(took_s, 0.0))

"""What was counted, in the words of Prometheus. Needs `prometheus_client`; loaded when asked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from hems.metrics.metric import Kind, Labels, Metric
from hems.metrics.spread import Spread

Values = Mapping[Metric, Mapping[Labels, float]]
Spreads = Mapping[Metric, Mapping[Labels, Spread]]
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


_process: Final = CollectorRegistry()
ProcessCollector(registry=_process)


def text(catalogue: Sequence[Metric], values: Values, spreads: Spreads) -> bytes:
    """Return everything in words, and what there is to say of the process.

    Args:
        catalogue: All metrics, in the order in which they are told.
        values: Counters and gauges by their labels; what is left out has no values now.
        spreads: Histograms likewise.
    """
    registry = CollectorRegistry()
    registry.register(_Told(catalogue, values, spreads))
    return generate_latest(registry) + generate_latest(_process)


class _Told(Collector):
    def __init__(self, catalogue: Sequence[Metric], values: Values, spreads: Spreads) -> None:
        self._catalogue = catalogue
        self._values = values
        self._spreads = spreads

    def describe(self) -> Iterable[Family]:
        return ()

    def collect(self) -> Iterator[Family]:
        for metric in self._catalogue:
            match metric.kind:
                case Kind.COUNTER:
                    counter = CounterMetricFamily(metric.name, metric.text, labels=metric.labels)
                    for labels, count in self._values.get(metric, {}).items():
                        counter.add_metric(_words(labels), count)
                    yield counter
                case Kind.GAUGE:
                    gauge = GaugeMetricFamily(metric.name, metric.text, labels=metric.labels)
                    for labels, value in self._values.get(metric, {}).items():
                        gauge.add_metric(_words(labels), value)
                    yield gauge
                case Kind.HISTOGRAM:
                    yield _histogram(metric, self._spreads.get(metric, {}))


def _histogram(metric: Metric, spreads: Mapping[Labels, Spread]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.text, labels=metric.labels)
    for labels, spread in spreads.items():
        buckets: list[tuple[str, float]] = []
        below = 0
        for bound, count in zip((*spread.bounds, float("inf")), spread.counts, strict=True):
            below += count
            buckets.append(("+Inf" if bound == float("inf") else repr(bound), below))
        family.add_metric(_words(labels), buckets, spread.total)
    return family


def _words(labels: Labels) -> list[str]:
    return [str(each) for each in labels]

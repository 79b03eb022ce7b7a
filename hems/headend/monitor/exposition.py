"""What was counted, in the words of Prometheus. Needs `prometheus_client`; loaded when asked."""

from collections.abc import Iterable, Iterator, Mapping
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

from hems.headend.monitor.catalogue import CATALOGUE, Kind, Metric
from hems.headend.monitor.metrics import Labels, Metrics

Gauges = Mapping[Metric, Mapping[Labels, float]]
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


_process: Final = CollectorRegistry()
ProcessCollector(registry=_process)


def text(metrics: Metrics, gauges: Gauges) -> bytes:
    """Return everything in words.

    Args:
        metrics: What a worker counts.
        gauges: What is as it is now.
    """
    registry = CollectorRegistry()
    registry.register(_Told(metrics, gauges))
    return generate_latest(registry) + generate_latest(_process)


class _Told(Collector):
    def __init__(self, metrics: Metrics, gauges: Gauges) -> None:
        self._metrics = metrics
        self._gauges = gauges

    def describe(self) -> Iterable[Family]:
        return ()

    def collect(self) -> Iterator[Family]:
        for metric in CATALOGUE:
            match metric.kind:
                case Kind.COUNTER:
                    counter = CounterMetricFamily(metric.name, metric.text, labels=metric.labels)
                    counts = self._gauges.get(metric) or self._metrics.counters(metric)
                    for labels, count in counts.items():
                        counter.add_metric(_words(labels), count)
                    yield counter
                case Kind.GAUGE:
                    gauge = GaugeMetricFamily(metric.name, metric.text, labels=metric.labels)
                    for labels, value in self._gauges.get(metric, {}).items():
                        gauge.add_metric(_words(labels), value)
                    yield gauge
                case Kind.HISTOGRAM:
                    yield self._histogram(metric)

    def _histogram(self, metric: Metric) -> Family:
        family = HistogramMetricFamily(metric.name, metric.text, labels=metric.labels)
        for labels, spread in self._metrics.spreads(metric).items():
            buckets: list[tuple[str, float]] = []
            below = 0
            for bound, count in zip((*spread.bounds, float("inf")), spread.counts, strict=True):
                below += count
                buckets.append(("+Inf" if bound == float("inf") else repr(bound), below))
            family.add_metric(_words(labels), buckets, spread.total)
        return family


def _words(labels: Labels) -> list[str]:
    return [str(each) for each in labels]

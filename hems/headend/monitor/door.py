"""At the operator's door: metrics for Prometheus, signals, and how the fleet is."""

from collections import Counter
from typing import TYPE_CHECKING, Final

from aiohttp import web
from pydantic import BaseModel

from hems.clock import Clock
from hems.headend.errors import RequestError
from hems.headend.monitor import signal_store
from hems.headend.monitor.catalogue import CATALOGUE
from hems.headend.monitor.gauges import Gauges
from hems.headend.monitor.metrics import Metrics
from hems.headend.monitor.signals import MEANINGS, Rule, Severity, Signal
from hems.headend.operator_door import json_answer, number_in
from hems.headend.store import Store
from hems.on_demand import load, on_demand

if TYPE_CHECKING:
    from hems.metrics import exposition
else:
    exposition = on_demand("hems.metrics.exposition")

METRICS: Final = "/metrics"
SIGNALS: Final = "/signals"
HEALTH: Final = "/fleet/health"
_MOST: Final = 10_000
_GOOD: Final = "good"


class SignalOut(BaseModel):
    """A signal; times in epoch s, `ended` None while it lasts."""

    number: int
    rule: Rule
    severity: Severity
    about: str
    subject: str
    text: str
    since: float
    seen: float
    ended: float | None
    count: int

    @classmethod
    def of(cls, item: Signal) -> "SignalOut":
        """Take a signal over."""
        return cls(
            number=item.number,
            rule=item.rule,
            severity=item.severity,
            about=MEANINGS[item.rule].about.value,
            subject=item.subject,
            text=item.text,
            since=item.since,
            seen=item.seen,
            ended=item.ended,
            count=item.count,
        )


class SignalsOut(BaseModel):
    """Signals, the latest first."""

    signals: list[SignalOut]


class HealthOut(BaseModel):
    """How the fleet is.

    `state` is "good", or how grave the gravest signal is; `heard` counts homes by how long ago they
    were heard of; `workers` those that told something in the last minutes.
    """

    state: str
    homes: int
    heard: dict[str, int]
    hubs: dict[str, int]
    workers: int
    signals: dict[str, int]
    outages: list[str]


class MissingError(RequestError):
    """A part of the program is not installed."""

    status = 501


class MonitorDoor:
    """Metrics, signals and health.

    Args:
        metrics: What this worker counts.
        gauges: What is as it is now.
        store: Where signals are.
        clock: The utility's time.
    """

    def __init__(self, metrics: Metrics, gauges: Gauges, store: Store, clock: Clock) -> None:
        self._metrics = metrics
        self._gauges = gauges
        self._store = store
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.get(METRICS, self.get_metrics),
            web.get(SIGNALS, self.get_signals),
            web.get(HEALTH, self.get_health),
        ]

    async def get_metrics(self, _request: web.Request) -> web.Response:
        """Answer this worker's metrics, for Prometheus."""
        try:
            await load(exposition)
        except ModuleNotFoundError as error:
            raise MissingError(f"{error.name} is missing: pip install 'hems[headend]'") from error
        now = await self._gauges.now(self._clock.now())
        metrics = self._metrics
        told = metrics.values(self._gauges.told(now))
        text = exposition.text(CATALOGUE, told, metrics.histograms)
        return web.Response(body=text, headers={"Content-Type": exposition.CONTENT_TYPE})

    async def get_signals(self, request: web.Request) -> web.Response:
        """Answer signals that last, and with `since` those that ended since then."""
        since = number_in(request, "since", 0.0) if "since" in request.query else None
        limit = min(int(number_in(request, "limit", 1000.0)), _MOST)
        found = await self._store.inquire(
            lambda c: signal_store.signals(c, ended_since=since, limit=limit)
        )
        return json_answer(SignalsOut(signals=[SignalOut.of(each) for each in found]))

    async def get_health(self, _request: web.Request) -> web.Response:
        """Answer how the fleet is."""
        now = await self._gauges.now(self._clock.now())
        counts = Counter(signal.severity for signal in now.signals)
        worst = [severity.value for severity in Severity if counts[severity]]
        return json_answer(
            HealthOut(
                state=worst[-1] if worst else _GOOD,
                homes=now.homes,
                heard=dict(now.heard),
                hubs=dict(now.hubs),
                workers=len(now.workers),
                signals={severity.value: counts[severity] for severity in Severity},
                outages=[s.subject for s in now.signals if s.rule is Rule.OUTAGE],
            )
        )

"""Writes what watches hub and head-end: Grafana's boards and the alert rules of Prometheus.

Run as `python packaging/watching.py` from the project's root. Every expression is made of the
catalogues of metrics, so that a metric that is renamed is renamed here, too; a test compares the
files with what this makes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hems.headend.monitor import catalogue as head_end
from hems.metrics.metric import Kind, Metric
from hems.vitals import catalogue as hub

HERE: Final = Path(__file__).parent
HUB: Final = "hems-hub"
"""The job's name for hubs, in Prometheus's configuration."""
HEAD_END: Final = "hems-headend"
_WIDTH: Final = 8
_HEIGHT: Final = 8
_ACROSS: Final = 24
_SOURCE: Final = {"type": "prometheus", "uid": "${source}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """A graph of a board.

    Attributes:
        title: Above it.
        unit: As Grafana names it.
        shown: Expressions by their legend.
    """

    title: str
    unit: str
    shown: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert rule.

    Attributes:
        name: In one word.
        when: The expression.
        lasting: For how long before it is told.
        severity: "critical", "warning" or "info".
        summary: What it means, a sentence.
    """

    name: str
    when: str
    lasting: str
    severity: str
    summary: str


def of(metric: Metric, **labels: str) -> str:
    """Return a metric's series, those with some labels if any are named; "~" before a pattern."""
    unknown = set(labels) - set(metric.labels)
    if unknown:
        raise ValueError(f"{metric.name} has no label {sorted(unknown)}")
    wanted = [
        f'{name}=~"{value[1:]}"' if value.startswith("~") else f'{name}="{value}"'
        for name, value in labels.items()
    ]
    return metric.shown + (f"{{{','.join(wanted)}}}" if wanted else "")


def rate(metric: Metric, by: str = "", span: str = "5m") -> str:
    """Return how often a counter counts, a second."""
    return f"sum by ({by or 'instance'}) (rate({of(metric)}[{span}]))"


def quantile(share: float, metric: Metric, by: str = "instance", span: str = "5m") -> str:
    """Return below what a share of a histogram's values is."""
    if metric.kind is not Kind.HISTOGRAM:
        raise ValueError(f"{metric.name} is no histogram")
    series = f"rate({metric.name}_bucket[{span}])"
    return f"histogram_quantile({share:g}, sum by (le, {by}) ({series}))"


def _memory(job: str) -> str:
    return f'process_resident_memory_bytes{{job="{job}"}}'


def _processor(job: str) -> str:
    return f'rate(process_cpu_seconds_total{{job="{job}"}}[5m])'


HUB_PANELS: Final = (
    Panel("Age of the last decision", "s", {"{{instance}}": of(hub.DECIDED)}),
    Panel(
        "Control cycle",
        "s",
        {"median": quantile(0.5, hub.CYCLE_S), "99.9 %": quantile(0.999, hub.CYCLE_S)},
    ),
    Panel("Cycles left out", "cps", {"{{instance}}": rate(hub.MISSED)}),
    Panel("Devices", "short", {"{{quality}}": of(hub.DEVICES)}),
    Panel("Age of readings", "s", {"{{device}}": of(hub.READING_AGE)}),
    Panel("Devices that refuse", "short", {"{{instance}}": of(hub.REFUSING)}),
    Panel("Bounds by rank", "short", {"{{rank}}": of(hub.BOUNDS)}),
    Panel(
        "Limits in force, and what is missing",
        "short",
        {"{{direction}}": of(hub.LIMITS), "missing, W": of(hub.UNMET_W)},
    ),
    Panel("Proposals not met", "short", {"{{instance}}": of(hub.GIVEN_WAY)}),
    Panel("Events", "short", {"{{state}}": of(hub.EVENTS)}),
    Panel("Utilities", "short", {"{{state}}": of(hub.LINKS)}),
    Panel("Last contact", "s", {"{{utility}}": of(hub.CONTACT)}),
    Panel("Utility's time less the hub's", "s", {"{{utility}}": of(hub.OFFSET)}),
    Panel("Responses waiting", "short", {"{{instance}}": of(hub.OWED)}),
    Panel(
        "Store's transactions", "cps", {"{{part}} {{outcome}}": rate(hub.STORED, "part, outcome")}
    ),
    Panel("Transactions, 99 %", "s", {"{{part}}": quantile(0.99, hub.STORE_S, "part")}),
    Panel("Store and disk", "bytes", {"{{file}}": of(hub.STORE_BYTES), "free": of(hub.FREE_BYTES)}),
    Panel("Age of the plan", "s", {"{{instance}}": of(hub.PLAN_AGE)}),
    Panel("Planner's process", "short", {"{{instance}}": of(hub.PLANNER)}),
    Panel("Alarms", "short", {"{{kind}}": of(hub.ALARMS)}),
    Panel("Watchdog", "s", {"{{instance}}": of(hub.WATCHDOG)}),
    Panel("Memory", "bytes", {"{{instance}}": _memory(HUB)}),
    Panel("Processor", "percentunit", {"{{instance}}": _processor(HUB)}),
)

HEAD_END_PANELS: Final = (
    Panel("Requests", "reqps", {"{{door}} {{status}}": rate(head_end.REQUESTS, "door, status")}),
    Panel("Requests, 99 %", "s", {"{{door}}": quantile(0.99, head_end.REQUEST_S, "door")}),
    Panel("TLS handshakes", "cps", {"{{outcome}}": rate(head_end.HANDSHAKES, "outcome")}),
    Panel("Connections", "short", {"{{instance}} {{door}}": of(head_end.CONNECTIONS)}),
    Panel(
        "Homes",
        "short",
        {
            "registered": f"max({of(head_end.HOMES)})",
            "heard within {{within}}": f"max by (within) ({of(head_end.HEARD)})",
        },
    ),
    Panel("Hubs", "short", {"{{state}}": f"max by (state) ({of(head_end.HUBS)})"}),
    Panel("Events", "short", {"{{state}}": f"max by (state) ({of(head_end.EVENTS)})"}),
    Panel("Responses", "cps", {"{{code}}": rate(head_end.RESPONSES, "code")}),
    Panel(
        "Notifications",
        "cps",
        {
            "{{outcome}}": rate(head_end.NOTIFIED, "outcome"),
            "attempts": rate(head_end.TRIED, "job"),
        },
    ),
    Panel("Notifications, 99 %", "s", {"all": quantile(0.99, head_end.NOTIFY_S, "job", "10m")}),
    Panel("Database", "cps", {"{{kind}} {{outcome}}": rate(head_end.DATABASE, "kind, outcome")}),
    Panel("Transactions, 99 %", "s", {"{{kind}}": quantile(0.99, head_end.DATABASE_S, "kind")}),
    Panel("Changes behind", "short", {"{{instance}}": of(head_end.BEHIND)}),
    Panel("Lag of the event loop, 99 %", "s", {"{{instance}}": quantile(0.99, head_end.LOOP_S)}),
    Panel("Signals", "short", {"{{rule}}": f"max by (rule) ({of(head_end.SIGNALS)})"}),
    Panel("Facts", "cps", {"{{fate}}": rate(head_end.FACTS, "fate")}),
    Panel("Memory", "bytes", {"{{instance}}": _memory(HEAD_END)}),
    Panel("Processor", "percentunit", {"{{instance}}": _processor(HEAD_END)}),
)

HUB_ALERTS: Final = (
    Alert("HubGone", f'up{{job="{HUB}"}} == 0', "2m", "critical", "The hub does not answer."),
    Alert(
        "HubStalled",
        f"{of(hub.DECIDED)} > 10",
        "30s",
        "critical",
        "The control cycle stands still; devices fall back to their own safe states.",
    ),
    Alert(
        "HubSlow",
        f"{quantile(0.999, hub.CYCLE_S, span='15m')} > 1",
        "5m",
        "warning",
        "A control cycle in a thousand takes longer than its second.",
    ),
    Alert(
        "DeviceLost",
        of(hub.DEVICES, quality="lost") + " > 0",
        "10m",
        "warning",
        "A device has not answered for ten minutes.",
    ),
    Alert(
        "LimitMissed",
        f"{of(hub.UNMET_W)} > 100",
        "2m",
        "critical",
        "The home is beyond its limit, and nothing in it can help more.",
    ),
    Alert(
        "UtilityGone",
        of(hub.LINKS, state="~unreachable|refused") + " > 0",
        "15m",
        "warning",
        "A utility cannot be reached, or refuses this home.",
    ),
    Alert(
        "ClockOff",
        f"abs({of(hub.OFFSET)}) > 2",
        "10m",
        "warning",
        "The hub's clock and that of a utility are apart; events go by the utility's.",
    ),
    Alert(
        "ResponsesWaiting",
        f"{of(hub.OWED)} > 0",
        "30m",
        "warning",
        "No server takes the responses to events.",
    ),
    Alert(
        "StoreFails",
        "increase(" + of(hub.STORED, outcome="failed") + "[10m]) > 0",
        "0m",
        "critical",
        "The store does not take what is to be remembered.",
    ),
    Alert(
        "DiskNearlyFull",
        f"{of(hub.FREE_BYTES)} < 2e8",
        "10m",
        "warning",
        "Less than 200 MB are free on the store's disk.",
    ),
    Alert(
        "PlanOld",
        f"{of(hub.PLAN_AGE)} > 3600",
        "10m",
        "info",
        "The plan is more than an hour old; the home goes on without the planner.",
    ),
    Alert(
        "HubAlarm",
        f"sum by (instance, kind) ({of(hub.ALARMS)}) > 0",
        "5m",
        "info",
        "The hub shows an alarm; `hems doctor` says what to do.",
    ),
)

HEAD_END_ALERTS: Final = (
    Alert(
        "WorkerGone",
        f'up{{job="{HEAD_END}"}} == 0',
        "1m",
        "critical",
        "A worker of the head-end does not answer.",
    ),
    Alert(
        "SignalAlarm",
        "sum by (rule) (" + of(head_end.SIGNALS, severity="alarm") + ") > 0",
        "0m",
        "critical",
        "A signal of severity alarm lasts; `hems headend signals` tells it.",
    ),
    Alert(
        "HomesGone",
        "max(" + of(head_end.HEARD, within="5m") + f") < 0.9 * max({of(head_end.HOMES)})",
        "10m",
        "warning",
        "A tenth of the homes has not been heard of for five minutes.",
    ),
    Alert(
        "DatabaseBusy",
        "sum(rate(" + of(head_end.DATABASE, outcome="busy") + "[5m])) > 0",
        "5m",
        "warning",
        "The database is locked, full or away; homes are told to come again.",
    ),
    Alert(
        "NotificationsSlow",
        f"{quantile(0.99, head_end.NOTIFY_S, 'job', '10m')} > 20",
        "5m",
        "warning",
        "A notification in a hundred takes longer than 20 s.",
    ),
    Alert(
        "LoopLate",
        f"{quantile(0.99, head_end.LOOP_S)} > 0.25",
        "5m",
        "warning",
        "A worker has more to do than it can.",
    ),
    Alert(
        "WorkerBehind",
        f"{of(head_end.BEHIND)} > 100",
        "1m",
        "warning",
        "A worker does not follow the changes of the others.",
    ),
)


def board(uid: str, title: str, panels: Sequence[Panel]) -> str:
    """Return a board as Grafana imports it."""
    source = {
        "name": "source",
        "label": "Source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
    }
    told: dict[str, Any] = {
        "uid": uid,
        "title": title,
        "tags": ["hems"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [source]},
        "panels": [_panel(number, each) for number, each in enumerate(panels)],
    }
    return json.dumps(told, indent=2) + "\n"


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    across = _ACROSS // _WIDTH
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {
            "x": number % across * _WIDTH,
            "y": number // across * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": None}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": _SOURCE, "expr": expr, "legendFormat": name}
            for n, (name, expr) in enumerate(panel.shown.items())
        ],
    }


def rules(group: str, alerts: Sequence[Alert]) -> str:
    """Return alert rules as Prometheus reads them; JSON's texts are YAML's, too."""
    lines = [
        "# Made by packaging/watching.py of the catalogue of metrics; change them there.",
        "groups:",
        f"  - name: {group}",
        "    rules:",
    ]
    for each in alerts:
        lines += [
            f"      - alert: {each.name}",
            f"        expr: {json.dumps(each.when)}",
            f"        for: {each.lasting}",
            f"        labels: {{severity: {each.severity}}}",
            f"        annotations: {{summary: {json.dumps(each.summary)}}}",
        ]
    return "\n".join(lines) + "\n"


def made() -> Mapping[Path, str]:
    """Return all files with what is to be in them."""
    return {
        HERE / "grafana" / "hems-hub.json": board(HUB, "HEMS hub", HUB_PANELS),
        HERE / "grafana" / "hems-headend.json": board(HEAD_END, "HEMS head-end", HEAD_END_PANELS),
        HERE / "prometheus" / "hems-hub.rules.yml": rules(HUB, HUB_ALERTS),
        HERE / "prometheus" / "hems-headend.rules.yml": rules(HEAD_END, HEAD_END_ALERTS),
    }


if __name__ == "__main__":
    for path, text in made().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

"""`hems headend bulletin` and `hems headend statistics`: the enterprise's side of the feeds."""

import argparse
import time
from collections.abc import Mapping

from hems.commands.operator import OperatorError, Told, ask, part, plain, when
from hems.commands.output import fail

_HOUR_S = 3600.0


class _Published(Told):
    number: int
    issued: float
    expires: float


class _Entry(Told):
    id: str
    added_at: float
    alert: Mapping[str, object] | None
    device: Mapping[str, object] | None
    firmware: Mapping[str, object] | None
    kind: str
    severity: str | None


class _Bulletin(Told):
    published: _Published | None
    entries: list[_Entry]


class _Home(Told):
    home: str
    events: Mapping[str, int]


class _Devices(Told):
    manufacturer: str
    model: str
    firmware: str
    count: int


class _Anomaly(Told):
    home: str
    kind: str
    count: int
    usual: float


class _Statistics(Told):
    homes: list[_Home]
    devices: list[_Devices]
    anomalies: list[_Anomaly]


class _Nothing(Told):
    pass


def run(options: argparse.Namespace) -> int:
    """Run `hems headend bulletin`; returns the exit code."""
    try:
        match options.what:
            case "list":
                return _list(options)
            case "publish":
                return _publish(options)
            case "withdraw":
                path = f"/bulletin/entries/{part(options.id)}"
                ask(options.operator, "DELETE", path, _Nothing)
                print(f"{options.id} is withdrawn; `publish` tells the gateways")
            case _:
                added = ask(options.operator, "POST", "/bulletin/entries", _Entry, _wish(options))
                print(f"{added.id} is added; `publish` tells the gateways")
    except OperatorError as error:
        return fail(str(error))
    return 0


def statistics(options: argparse.Namespace) -> int:
    """Run `hems headend statistics`; returns the exit code."""
    try:
        path = f"/statistics?days={options.days}"
        found = ask(options.operator, "GET", path, _Statistics)
    except OperatorError as error:
        return fail(str(error))
    print(f"{len(found.homes)} homes have told of the last {options.days} days")
    totals: dict[str, int] = {}
    for home in found.homes:
        for kind, count in home.events.items():
            totals[kind] = totals.get(kind, 0) + count
    for kind, count in sorted(totals.items(), key=lambda item: -item[1]):
        print(f"  {count:8d}  {plain(kind)}")
    for each in found.devices:
        named = plain(f"{each.manufacturer} {each.model} {each.firmware}".strip())
        print(f"  {each.count:8d}  {named or 'devices that say nothing of themselves'}")
    for odd in found.anomalies:
        print(f"! {odd.home}: {odd.count} {plain(odd.kind)}; usual are {odd.usual:g}")
    return 0


def _wish(options: argparse.Namespace) -> dict[str, object]:
    match options.what:
        case "alert":
            until = None if options.hours is None else time.time() + options.hours * _HOUR_S
            return {
                "alert": {
                    "id": options.id,
                    "severity": options.severity,
                    "text": options.text,
                    "networks": options.network,
                    "lfdis": options.lfdi,
                    "sfdis": options.sfdi,
                    "fingerprints": options.fingerprint,
                    "until": until,
                }
            }
        case "firmware":
            return {
                "firmware": {
                    **_device(options),
                    "versions": options.version,
                    "below": options.below,
                }
            }
        case "severity":
            return {"severity": {"kind": options.kind, "severity": options.severity}}
        case _:
            trusted = options.what == "trust"
            return {"device": {**_device(options), "serial": options.serial, "trusted": trusted}}


def _device(options: argparse.Namespace) -> dict[str, object]:
    return {
        "manufacturer": options.manufacturer,
        "model": options.model,
        "why": options.why,
    }


def _publish(options: argparse.Namespace) -> int:
    made = ask(options.operator, "POST", "/bulletin/publish", _Published)
    print(f"bulletin {made.number} is published; it counts until {when(made.expires)}")
    return 0


def _list(options: argparse.Namespace) -> int:
    found = ask(options.operator, "GET", "/bulletin", _Bulletin)
    if found.published is None:
        print("no bulletin is published yet")
    else:
        number, expires = found.published.number, when(found.published.expires)
        print(f"bulletin {number} counts until {expires}")
    for each in found.entries:
        print(f"{each.id}  {when(each.added_at)}  {_words(each)}")
    return 0


def _words(entry: _Entry) -> str:
    for name, said in (
        ("alert", entry.alert),
        ("device", entry.device),
        ("firmware", entry.firmware),
    ):
        if said is not None:
            shown = " ".join(
                f"{key}={value}" for key, value in said.items() if value not in ("", [], None)
            )
            return plain(f"{name}: {shown}")
    return plain(f"severity: {entry.kind} is {entry.severity}")

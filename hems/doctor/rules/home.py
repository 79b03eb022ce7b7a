"""The hub, its devices and its utilities. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from hems.doctor.facts import DeviceFacts, HubFacts, UtilityFacts
from hems.doctor.finding import Finding, attention, ok, trouble

APART_S: Final = 2.0
"""2030.5 tells whole seconds; what is more is somebody's clock."""
FAR_APART_S: Final = 30.0
"""Events begin and end so much too early or late."""
SILENT_S: Final = 3600.0
_REMEDIES: Final = {
    "address": "set `url` in [utility], or ask why its announcement (DNS-SD) is not seen here",
    "name": "check the network's name server (`resolvectl status`) and the host in `url`",
    "connection": "check router and firewall; ask the utility whether its server is up",
    "answer": "compare `trust`, `certificate` and the clock; ask the utility if they are right",
    "registration": "tell the utility this home's LFDI (the page shows it) and have it registered",
}
"""What to do where a step on the way to a utility fails."""


AS_ITS_USER: Final = "run this as the hub's user (Debian's: `sudo -u hems hems doctor`)"


def of_hub(hub: HubFacts) -> Iterator[Finding]:
    """Judge the running hub."""
    if hub.hidden:
        yield attention("hub", "whether it runs cannot be seen by this user", do=AS_ITS_USER)
    elif hub.page is None:
        yield attention(
            "hub", "does not run: this looks by itself", do="start it: `systemctl start hems`"
        )
    elif hub.silent:
        yield trouble(
            "hub",
            f"runs, and cannot be asked: {hub.silent}",
            hub.page,
            f"look in its log (`journalctl -u hems`); or {AS_ITS_USER}, or set HEMS_TOKEN",
        )
    elif hub.health != "ok":
        yield trouble(
            "hub",
            f"its control cycle is {hub.health}",
            hub.page,
            "wait a minute; if it stays so, `systemctl restart hems` and keep the log",
        )
    else:
        yield ok("hub", "runs and controls the home", hub.page)
    for why in hub.unasked:
        yield attention("hub", f"part of it is not known: {why}", hub.page or "", AS_ITS_USER)
    for alarm in hub.alarms:
        yield attention("hub", f"alarm: {alarm}")


def of_devices(devices: Iterable[DeviceFacts]) -> Iterator[Finding]:
    """Judge the devices, as the hub sees them or as they answer without it."""
    for each in devices:
        yield _of_device(each)
        if each.trusted is False:
            yield attention(
                "devices",
                f"is not trusted: {each.untrusted or 'nobody has approved it'}",
                each.id,
                f"see what was expected there (`hems device trust`); then `hems device approve "
                f"{each.id}` if it is yours, or `hems device allow {each.id}` if it was shut",
            )
        if each.risk:
            yield ok("devices", f"when the hub falls silent: {each.risk}", each.id)


def _of_device(each: DeviceFacts) -> Finding:
    grave = trouble if each.meter else attention
    at = f" at {each.place}" if each.place else ""
    remedy = f"check its power and network, then `hems device test {each.id}`"
    match each.quality:
        case "lost":
            return grave("devices", f"does not answer{at}{_because(each)}", each.id, remedy)
        case "stale":
            aged = "" if each.age_s is None else f" ({each.age_s:.0f} s)"
            return attention(
                "devices", f"its last reading is old{aged}{_because(each)}", each.id, remedy
            )
        case "" if each.unreachable is None:
            return ok("devices", "is asked by the hub alone", each.id)
        case "" if each.unreachable:
            return grave("devices", f"nobody answers{at}: {each.unreachable}", each.id, remedy)
        case "":
            return ok("devices", f"somebody answers{at}", each.id)
    if each.error:
        return attention("devices", f"does not do as it is told: {each.error}", each.id, remedy)
    return ok("devices", f"{each.quality}, {_aged(each.age_s)}", each.id)


def _because(each: DeviceFacts) -> str:
    return f": {each.error}" if each.error else ""


def _aged(age_s: float | None) -> str:
    return "never read" if age_s is None else f"read {age_s:.0f} s ago"


def of_utility(utility: UtilityFacts, now: float) -> Iterator[Finding]:
    """Judge the way to a utility, and its time beside ours.

    Args:
        utility: What is known of it.
        now: UTC epoch seconds.
    """
    name = utility.name
    heard = "never" if utility.last_contact is None else _ago(now - utility.last_contact)
    if utility.state == "connected":
        silent = utility.last_contact is not None and now - utility.last_contact > SILENT_S
        judged = attention if silent else ok
        yield judged("utility", f"connected, last answer {heard}", name)
    elif utility.state:
        yield trouble(
            "utility",
            f"{utility.state}, last answer {heard}: {utility.detail}",
            name,
            "see the steps that follow: the first that fails is why",
        )
    for step in utility.steps:
        if step.good:
            yield ok("utility", f"{step.name}: {step.said}", name)
        else:
            yield trouble("utility", f"{step.name}: {step.said}", name, _REMEDIES[step.name])
    yield from _of_time(utility)


def _of_time(utility: UtilityFacts) -> Iterator[Finding]:
    apart_s = utility.apart_s
    if apart_s is None:
        return
    direction = "behind" if apart_s > 0 else "ahead of"
    said = f"this clock is {abs(apart_s):.1f} s {direction} that of {utility.name}"
    remedy = "see who is wrong: `timedatectl`, `chronyc tracking`; events follow the utility's"
    if abs(apart_s) > FAR_APART_S:
        yield trouble("time", said, do=remedy)
    elif abs(apart_s) > APART_S:
        yield attention("time", said, do=remedy)
    else:
        yield ok("time", said)


def _ago(span_s: float) -> str:
    if span_s < 120:  # noqa: PLR2004 - seconds up to two minutes, as people say it
        return f"{max(span_s, 0.0):.0f} s ago"
    return f"{span_s / 60:.0f} min ago" if span_s < 2 * SILENT_S else f"{span_s / 3600:.0f} h ago"

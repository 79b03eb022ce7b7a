"""From a snapshot of the home to its entities; pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from hems.homeassistant.entity import UNKNOWN, Component, Entity, Places, fit
from hems.homeassistant.settings import Found
from hems.surface import DeviceView, EventView, PriceView, Snapshot

HOME: Final = "home"
_ON, _OFF = "ON", "OFF"
_OVER: Final = frozenset({"completed", "cancelled", "superseded", "rejected"})
_WARM: Final = frozenset({"thermostat", "water_heater", "heat_pump"})
_CHARGED: Final = frozenset({"battery", "evse"})
_QUALITIES: Final = ("good", "stale", "asleep", "lost")
_LINKS: Final = ("searching", "connecting", "connected", "unreachable", "refused", "off")
_AGE_STEP_S: Final = 5.0
"""An age is told in steps: each second another message would be nobody's gain."""
_BEYOND: Final = 1e12
_LONGEST_STATE: Final = 250
"""Home Assistant takes states of at most 255 characters."""

DURATIONS: Final[Mapping[str, float]] = {
    "15 min": 900.0,
    "1 h": 3600.0,
    "4 h": 14_400.0,
    "1 day": 86_400.0,
}
"""For how long a wish holds, as the owner chooses."""
USUAL: Final = "1 h"

_DIAGNOSTIC: Final[Mapping[str, object]] = {"entity_category": "diagnostic"}
_POWER: Final[Mapping[str, object]] = {
    "device_class": "power",
    "unit_of_measurement": "W",
    "state_class": "measurement",
    "suggested_display_precision": 0,
}


def entities(home: Snapshot, durations: Mapping[str, str]) -> Sequence[Entity]:
    """Return all entities of the home as it is now.

    Args:
        home: The home.
        durations: For how long each device's wishes hold, by device id, where that was chosen.
    """
    return (
        *_of_home(home),
        *(e for event in home.events for e in _of_event(event)),
        *(
            e
            for device in home.devices
            if fit(device.id)
            for e in _of_device(device, durations.get(device.id, USUAL))
        ),
    )


def security(last: Found | None) -> Entity:
    """Return the entity that says whether something threatens the home, and what did last."""
    facts: dict[str, object] = {}
    if last is not None:
        facts = {"threat": last.threat, "text": last.text, "found": _time(last.at)}
    return Entity(
        Component.BINARY_SENSOR,
        HOME,
        "security",
        "Security",
        _ON if last is not None and last.holds else _OFF,
        more={"device_class": "safety", **_DIAGNOSTIC},
        attributes=facts,
    )


def groups(home: Snapshot, places: Places, name: str) -> Mapping[str, Mapping[str, object]]:
    """Return the devices that entities are grouped with, by id; "" is the home itself."""
    hub: dict[str, object] = {
        "identifiers": [places.node],
        "name": name,
        "model": "Home energy controller",
        "manufacturer": "hems",
    }
    found: dict[str, Mapping[str, object]] = {"": hub}
    for device in home.devices:
        found[device.id] = {
            "identifiers": [f"{places.node}_{device.id}"],
            "name": device.name,
            "model": device.kind.replace("_", " "),
            "via_device": places.node,
        }
    return found


def _of_home(home: Snapshot) -> Iterator[Entity]:
    yield _sensor("net_power", "Net power", _watts(home.net_w), _POWER)
    yield _sensor("import_limit", "Import limit", _watts(home.limit_import_w), _POWER)
    yield _sensor("export_limit", "Export limit", _watts(home.limit_export_w), _POWER)
    running = [event for event in home.events if event.state == "running" and not event.opted_out]
    first = running[0] if running else None
    title = "None running" if first is None else _short(first.title)
    facts: dict[str, object] = {
        "events": [
            {
                "title": event.title,
                "program": event.program,
                "effect": event.effect,
                "state": event.state,
                "starts": _time(event.starts_at),
                "ends": _time(event.ends_at),
                "left": event.opted_out,
            }
            for event in home.events
            if event.state not in _OVER
        ]
    }
    yield Entity(Component.SENSOR, HOME, "event", "Event", title, attributes=facts)
    until = UNKNOWN if first is None else _time(first.ends_at)
    yield _sensor("event_until", "Event until", until, {"device_class": "timestamp"})
    yield from _price(home.price)
    yield Entity(
        Component.SENSOR,
        HOME,
        "utility",
        "Utility",
        home.utility.state if home.utility.state in _LINKS else UNKNOWN,
        more={"device_class": "enum", "options": list(_LINKS), **_DIAGNOSTIC},
        attributes={"detail": home.utility.detail},
    )
    yield Entity(
        Component.BINARY_SENSOR,
        HOME,
        "problem",
        "Problem",
        _ON if home.alarms else _OFF,
        more={"device_class": "problem"},
        attributes={"alarms": list(home.alarms)},
    )
    unread = [m.text for m in home.messages if m.may_acknowledge and not m.acknowledged]
    texts: dict[str, object] = {"messages": [m.text for m in home.messages]}
    count = str(len(unread))
    yield Entity(Component.SENSOR, HOME, "unread", "Messages to read", count, attributes=texts)
    yield Entity(
        Component.BUTTON,
        HOME,
        "acknowledge",
        "Messages read",
        None,
        told=True,
        more={"payload_press": "PRESS"},
    )


def _price(price: PriceView | None) -> Iterator[Entity]:
    unit = f"{price.currency if price and price.currency else '?'}/kWh"
    now = UNKNOWN if price is None else _number(price.per_kwh, 5)
    yield _sensor("price", "Price of energy", now, {"unit_of_measurement": unit})


def _of_event(event: EventView) -> Iterator[Entity]:
    """Yield the switch by which the owner leaves an event, or takes part again, where he may."""
    if event.state in _OVER or not event.may_opt_out or not fit(event.id):
        return
    yield Entity(
        Component.SWITCH,
        f"event-{event.id}",
        "part",
        f"Take part: {_short(event.title)}",
        _OFF if event.opted_out else _ON,
        told=True,
    )


def _of_device(device: DeviceView, duration: str) -> Iterator[Entity]:
    thing, known = f"device-{device.id}", device.quality in {"good", "asleep"}

    def sensor(name: str, title: str, state: str, more: Mapping[str, object]) -> Entity:
        return Entity(Component.SENSOR, thing, name, title, state, more=more, about=device.id)

    # A value of nobody knows when is no state to act upon; its age stands beside it.
    yield sensor("power", "Power", _watts(device.power_w if known else None), _POWER)
    if device.kind in _CHARGED:
        soc = UNKNOWN if device.soc is None or not known else _number(device.soc * 100, 1)
        yield sensor("soc", "Charge", soc, {"device_class": "battery", **_unit("%")})
    if device.kind in _WARM:
        temp = UNKNOWN if device.temp_c is None or not known else _number(device.temp_c, 1)
        yield sensor("temp", "Temperature", temp, {"device_class": "temperature", **_unit("°C")})
    quality = device.quality if device.quality in _QUALITIES else UNKNOWN
    facts: dict[str, object] = {
        "error": device.error,
        "suspect": list(device.suspect),
        "without_the_hub": device.safe,
        "risk": device.risk,
    }
    yield Entity(
        Component.SENSOR,
        thing,
        "quality",
        "Reading",
        quality,
        more={"device_class": "enum", "options": list(_QUALITIES), **_DIAGNOSTIC},
        about=device.id,
        attributes=facts,
    )
    age = UNKNOWN if device.age_s is None else _age(device.age_s)
    yield sensor("age", "Age of reading", age, {"unit_of_measurement": "s", **_DIAGNOSTIC})
    yield sensor("reason", "What it does and why", _short(device.reason) or UNKNOWN, {})
    if device.control not in {"", "none"} and device.owned:
        yield from _controls(device, duration)


def _controls(device: DeviceView, duration: str) -> Iterator[Entity]:
    """Yield how the owner wishes something of a device: pause it, limit it, for how long."""
    thing, wish_w = f"device-{device.id}", device.wish_w
    if device.control != "target":
        least_running_w = device.max_w if device.control == "switch" else 0.0
        paused = wish_w is not None and (
            wish_w == 0.0 if device.control != "switch" else wish_w < least_running_w
        )
        yield Entity(
            Component.SWITCH,
            thing,
            "pause",
            "Pause",
            _ON if paused else _OFF,
            told=True,
            about=device.id,
        )
    if device.control != "switch":
        yield Entity(
            Component.NUMBER,
            thing,
            "limit",
            "Power wished" if device.control == "target" else "Limit wished",
            _watts(wish_w),
            told=True,
            more={
                "min": device.min_w,
                "max": device.max_w,
                "step": 10,
                "mode": "box",
                "device_class": "power",
                "unit_of_measurement": "W",
            },
            about=device.id,
        )
    yield Entity(
        Component.SELECT,
        thing,
        "duration",
        "Wishes last",
        duration,
        told=True,
        more={"options": list(DURATIONS), "entity_category": "config"},
        about=device.id,
    )
    yield Entity(
        Component.BUTTON,
        thing,
        "end",
        "End the wish",
        None,
        told=True,
        more={"payload_press": "PRESS"},
        about=device.id,
    )
    until = UNKNOWN if device.wish_until is None else _time(device.wish_until)
    yield Entity(
        Component.SENSOR,
        thing,
        "until",
        "Wish until",
        until,
        more={"device_class": "timestamp"},
        about=device.id,
    )


def _sensor(name: str, title: str, state: str, more: Mapping[str, object]) -> Entity:
    return Entity(Component.SENSOR, HOME, name, title, state, more=more)


def _unit(unit: str) -> Mapping[str, object]:
    return {"unit_of_measurement": unit, "state_class": "measurement"}


def _watts(power_w: float | None) -> str:
    return UNKNOWN if power_w is None else _number(power_w, 0)


def _number(value: float, digits: int) -> str:
    if not abs(value) < _BEYOND:  # a NaN, too, is not
        return UNKNOWN
    rounded = round(value, digits)
    return f"{rounded + 0.0:.{digits}f}"  # adding zero turns -0 into 0


def _age(age_s: float) -> str:
    return _number(age_s // _AGE_STEP_S * _AGE_STEP_S, 0)


def _time(at: float) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):  # a default control has no end
        return UNKNOWN


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_STATE else f"{text[: _LONGEST_STATE - 3]}..."

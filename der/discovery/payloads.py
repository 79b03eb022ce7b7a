"""What devices behind an MQTT broker say of themselves. Pure: topic and payload in, findings out.

Payloads are strangers' JSON: what does not have the shape is no finding, and never an error.
"""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from der.addresses import MqttAddress
from der.discovery.announced import shelly_kind
from der.discovery.found import Found, How
from der.model import DeviceKind
from der.registry import Driver
from der.sentence import say

TOPICS: Final = (
    "homeassistant/+/+/config",
    "homeassistant/+/+/+/config",
    "zigbee2mqtt/bridge/devices",
    "tasmota/discovery/+/config",
    "shellies/announce",
    "+/online",
)
"""What is subscribed to; all but the announcements of first-generation Shellies are retained."""

ASK_TOPIC: Final = "shellies/command"
ASK: Final = "announce"
"""Has Shellies of the first generation announce themselves."""

HUB: Final = "hems"
"""Origin of our own publishing to Home Assistant, which is no device."""

MOST: Final = 1 << 20
"""Longer payloads are not looked at, in bytes."""


_SHUTTER: Final = 3
"""In Tasmota's list of relays, one that moves a shutter: no load to be shed."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


_Text = Annotated[str, BeforeValidator(lambda value: value if isinstance(value, str) else "")]
"""Text; anything else is none."""


class _Tasmota(_Part):
    t: str = Field(min_length=1)
    dn: _Text = ""
    md: _Text = ""
    mac: _Text = ""
    ip: _Text = ""
    rl: tuple[int, ...] = ()


class _Shelly(_Part):
    id: str = Field(min_length=1)
    model: _Text = ""
    mac: _Text = ""
    ip: _Text = ""


class _Feature(_Part):
    type: _Text = ""
    name: _Text = ""
    property: _Text = ""


class _Definition(_Part):
    model: _Text = ""
    vendor: _Text = ""
    description: _Text = ""
    exposes: tuple[_Feature, ...] = ()


class _Zigbee(_Part):
    friendly_name: str = Field(min_length=1)
    ieee_address: _Text = ""
    type: _Text = ""
    power_source: _Text = ""
    definition: _Definition | None = None


class _Origin(_Part):
    name: _Text = ""


class _Entity(_Part):
    """A Home Assistant entity; long and short keys are both in use."""

    name: _Text = ""
    device_class: _Text = ""
    dev_cla: _Text = ""
    state_topic: _Text = ""
    stat_t: _Text = ""
    base: _Text = Field("", alias="~")
    origin: _Origin | None = None
    o: _Origin | None = None
    device: dict[str, object] = Field(default_factory=dict)
    dev: dict[str, object] = Field(default_factory=dict)


_ANY: Final = TypeAdapter(list[object])


def of(topic: str, payload: bytes) -> Sequence[Found]:
    """Return the devices that a message speaks of; none where it makes no sense."""
    if len(payload) > MOST:
        return ()
    for pattern, reader in _READERS:
        match = pattern.fullmatch(topic)
        if match is not None:
            try:
                return reader(match, payload)
            except ValidationError:
                return ()
    return ()


def _tasmota(match: re.Match[str], payload: bytes) -> Sequence[Found]:
    del match
    said = _Tasmota.model_validate_json(payload)
    switches = any(said.rl) and _SHUTTER not in said.rl
    return _usable(
        Found(
            (How.MQTT,),
            said.t,
            kind=DeviceKind.PLUG if switches else None,
            driver=Driver.MQTT,
            at=MqttAddress("tasmota", said.t),
            maker="Tasmota",
            model=said.md,
            serial=said.mac.upper(),
            name=said.dn,
        )
    )


def _shelly(match: re.Match[str], payload: bytes) -> Sequence[Found]:
    del match
    said = _Shelly.model_validate_json(payload)
    return _usable(_a_shelly("shelly-gen1", said.id, said.model, said.mac))


def _shelly_online(match: re.Match[str], payload: bytes) -> Sequence[Found]:
    """Second generation: the prefix of its topics, which by default is its name."""
    if payload.strip() != b"true":
        return ()
    topic = match["topic"]
    named = _SHELLY_ID.fullmatch(topic.lower())
    return (
        () if named is None else _usable(_a_shelly("shelly", topic, named["model"], named["mac"]))
    )


def _a_shelly(profile: str, topic: str, model: str, mac: str) -> Found:
    return Found(
        (How.MQTT,),
        topic,
        kind=shelly_kind(topic.lower().partition("-")[0]),
        driver=Driver.MQTT,
        at=MqttAddress(profile, topic),
        maker="Shelly",
        model=model,
        serial=mac.upper(),
        name=topic,
    )


def _zigbee(match: re.Match[str], payload: bytes) -> Sequence[Found]:
    del match
    found: list[Found] = []
    for entry in _ANY.validate_json(payload):
        try:
            said = _Zigbee.model_validate(entry)
        except ValidationError:
            continue  # one device's entry makes no other's wrong
        if said.type == "Coordinator" or said.definition is None:
            continue
        kind = _zigbee_kind(said.definition.exposes)
        if kind is None:
            continue  # lamps' remotes, door contacts: no device of the home's energy
        found += _usable(
            Found(
                (How.MQTT,),
                said.friendly_name,
                kind=kind,
                driver=Driver.MQTT,
                at=MqttAddress("zigbee2mqtt", said.friendly_name),
                maker=said.definition.vendor,
                model=said.definition.model,
                serial=said.ieee_address,
                name=said.friendly_name,
                note=say("sleeps on its battery") if said.power_source == "Battery" else "",
            )
        )
    return found


def _zigbee_kind(exposes: Sequence[_Feature]) -> DeviceKind | None:
    types = {feature.type for feature in exposes}
    names = {feature.name or feature.property for feature in exposes}
    if "climate" in types:
        return DeviceKind.THERMOSTAT
    if "switch" in types:
        return DeviceKind.PLUG
    return DeviceKind.SUBMETER if "power" in names else None


def _home_assistant(match: re.Match[str], payload: bytes) -> Sequence[Found]:
    """Entities of devices that no other profile knows: shown, for who has them to decide."""
    said = _Entity.model_validate_json(payload)
    origin = said.origin or said.o
    if origin is not None and origin.name == HUB:
        return ()
    kind = _entity_kind(match["component"], said.device_class or said.dev_cla)
    if kind is None:
        return ()
    device = said.device or said.dev
    first = (said.state_topic or said.stat_t).replace("~", said.base)
    known = _KNOWN_TOPIC.match(first)
    maker = _said(device, "manufacturer", "mf")
    model = _said(device, "model", "mdl")
    serial = _said(device, "serial_number", "sn")
    name = _said(device, "name") or said.name
    if known is not None:  # by its topics it is one that a profile speaks to
        group = known.lastgroup or ""
        at = MqttAddress("shelly-gen1" if group == "shelly" else group, known[group])
        found = Found((How.MQTT,), at.topic, kind, Driver.MQTT, at, maker, model, serial, name)
        return _usable(found)
    where = f"{match['component']} {match['object']}"
    note = say("published for Home Assistant; no profile of ours has its topics")
    return [
        Found((How.MQTT,), where, kind, None, None, maker, model, serial, name, note=note),
    ]


def _entity_kind(component: str, device_class: str) -> DeviceKind | None:
    if component == "sensor":
        return DeviceKind.SUBMETER if device_class == "power" else None
    return _COMPONENTS.get(component)


def _said(device: dict[str, object], *keys: str) -> str:
    for key in keys:
        value = device.get(key)
        if isinstance(value, str):
            return value
    return ""


def _usable(found: Found) -> Sequence[Found]:
    """Return a finding whose topic can be one; a wildcard or a blank in it leads nowhere."""
    return [found] if _TOPIC.fullmatch(found.where) else []


_TOPIC: Final = re.compile(r"[^+#\s\0]{1,200}")
_SHELLY_ID: Final = re.compile(r"(?P<model>shelly[a-z0-9_]+)-(?P<mac>[0-9a-f]{6}|[0-9a-f]{12})")
_COMPONENTS: Final = {
    "switch": DeviceKind.PLUG,
    "climate": DeviceKind.THERMOSTAT,
    "water_heater": DeviceKind.WATER_HEATER,
}
_KNOWN_TOPIC: Final = re.compile(
    r"zigbee2mqtt/(?P<zigbee2mqtt>[^+#\s]+)|(?:tele|stat)/(?P<tasmota>[^/+#\s]+)/.*"
    r"|shellies/(?P<shelly>[^/+#\s]+)/.*"
)
_Reader = Callable[[re.Match[str], bytes], Sequence[Found]]
_READERS: Final[tuple[tuple[re.Pattern[str], _Reader], ...]] = (
    (re.compile(r"tasmota/discovery/[^/]+/config"), _tasmota),
    (re.compile(r"shellies/announce"), _shelly),
    (re.compile(r"(?P<topic>[^/]+)/online"), _shelly_online),
    (re.compile(r"zigbee2mqtt/bridge/devices"), _zigbee),
    (
        re.compile(r"homeassistant/(?P<component>[^/]+)/(?:[^/]+/)?(?P<object>[^/]+)/config"),
        _home_assistant,
    ),
)

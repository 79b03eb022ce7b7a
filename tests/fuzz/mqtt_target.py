"""What must hold of any messages whatever that come on an MQTT device's topics.

An input is a first octet that says which device it is, and then messages, a record separator
between: an octet that says the topic, one whose lowest bit says whether it was retained, and the
payload.
"""

import json
import logging
import math
from collections.abc import Mapping
from typing import Final

from der.addresses import MqttAddress
from der.drivers.mqtt import keepsake
from der.drivers.mqtt.points import Settings
from der.drivers.mqtt.profiles import NAMES, profile_of
from der.drivers.mqtt.twin import Twin
from der.errors import TransientError
from der.model import Comfort, DeviceKind, DeviceSpec, Reading
from der.registry import CONTROLS

NOW: Final = 1_795_000_000.0
SEPARATOR: Final = b"\x1e"
_LONGEST: Final = 400
_KINDS: Final = (DeviceKind.PLUG, DeviceKind.METER, DeviceKind.THERMOSTAT)
DEVICES: Final = tuple((name, kind) for name in NAMES for kind in _KINDS)
SOUND: Final[Mapping[tuple[str, bool], tuple[tuple[str, bytes], ...]]] = {
    ("tasmota", False): (
        ("tele/t/LWT", b"Online"),
        ("stat/t/POWER", b"ON"),
        ("tele/t/SENSOR", b'{"ENERGY":{"Power":100}}'),
    ),
    ("tasmota", True): (
        ("tele/t/LWT", b"Online"),
        ("tele/t/SENSOR", b'{"SML":{"power_curr":100,"power_out":0}}'),
    ),
    ("shelly-gen1", False): (
        ("shellies/t/online", b"true"),
        ("shellies/t/relay/0", b"on"),
        ("shellies/t/relay/0/power", b"100"),
    ),
    ("shelly-gen1", True): (
        ("shellies/t/online", b"true"),
        *((f"shellies/t/emeter/{i}/power", b"%d" % w) for i, w in enumerate((50, 30, 20))),
    ),
    ("shelly", False): (
        ("t/online", b"true"),
        ("t/status/switch:0", b'{"output":true,"apower":100}'),
    ),
    ("shelly", True): (("t/online", b"true"), ("t/status/em:0", b'{"total_act_power":100}')),
    ("zigbee2mqtt", False): (
        ("zigbee2mqtt/bridge/state", b"online"),
        ("zigbee2mqtt/t/availability", b"online"),
        ("zigbee2mqtt/t", b'{"state":"ON","power":100}'),
    ),
    ("zigbee2mqtt", True): (
        ("zigbee2mqtt/bridge/state", b"online"),
        ("zigbee2mqtt/t/availability", b"online"),
        ("zigbee2mqtt/t", b'{"power":100,"power_phase_b":0,"power_phase_c":0}'),
    ),
}
"""Messages after which a switch, or a meter, reads 100 W whatever came before."""


class WrongError(Exception):
    """The driver did something with messages that it never may."""


class _Lines(logging.Handler):
    """Counts what is said, by topic."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def twin_of(choice: int) -> Twin:
    """Return a device as never heard."""
    name, kind = DEVICES[choice % len(DEVICES)]
    meter = kind is DeviceKind.METER
    spec = DeviceSpec(
        "it", kind, "It", CONTROLS[kind], -2000.0 if meter else 0.0, 2000.0, comfort=Comfort(17, 23)
    )
    return Twin(spec, profile_of(spec, MqttAddress(name, "t")), lambda: NOW)


def examine(data: bytes) -> str:
    """Have a device take an input, and look at what is then believed of it.

    Returns:
        What came of it, in words.

    Raises:
        WrongError: If a promise is broken.
        Exception: Any other is a finding too.
    """
    choice = data[0] if data else 0
    twin = twin_of(choice)
    topics = sorted(twin.topics)
    lines = _Lines()
    log = logging.getLogger("der.drivers.mqtt.twin")
    log.addHandler(lines)
    try:
        for message in data[1:].split(SEPARATOR):
            if len(message) > 1:
                topic = topics[message[0] % len(topics)]
                if twin.take(topic, message[2:], retained=bool(message[1] & 1)):
                    raise WrongError("a device that was told nothing is told something")
        outcome = _believed(twin)
        _check_words(twin)
        for line in lines.said:
            if not line.startswith("it: ") or len(line) > 5 * _LONGEST:
                raise WrongError(f"{line!r} does not name the device shortly")
        _recovers(twin, choice)
    finally:
        log.removeHandler(lines)
    return outcome


def _believed(twin: Twin) -> str:
    try:
        found = twin.reading()
    except TransientError as error:
        reason = str(error)
        if not reason.startswith("it: ") or len(reason) > _LONGEST:
            raise WrongError(f"{reason!r} is no short sentence that names the device") from error
        return f"{type(twin.profile).__name__}: {reason}"
    _check(found)
    names = ("voltage_v", "energy_import_wh", "energy_export_wh", "temp_c", "connected", "limit_w")
    known = [name for name in names if getattr(found, name) is not None]
    return f"{type(twin.profile).__name__}: {known} {len(found.phases)} {sorted(found.suspect)}"


def _check(found: Reading) -> None:
    values = (
        *(found.power_w, found.reactive_var, found.voltage_v, found.frequency_hz, found.temp_c),
        *(found.energy_import_wh, found.energy_export_wh),
        *(phase.power_w for phase in found.phases),
        *(phase.voltage_v for phase in found.phases),
    )
    for value in values:
        if value is not None and not (math.isfinite(value) and abs(value) < 1e12):
            raise WrongError(f"reads {value!r}")
    if found.at != NOW or any(at > NOW for at in found.taken.values()):
        raise WrongError(f"dated {found.at!r}, {found.taken}")
    if found.limit_w not in {None, 0.0}:
        raise WrongError(f"a limit of {found.limit_w!r} that nobody set")


def _check_words(twin: Twin) -> None:
    """Whatever was heard, what the device would be told of it is sound."""
    for own in (twin.own, twin.settings, Settings()):
        told = (*twin.profile.restrict(own, 60.0), *twin.profile.release(own))
        for message in told:
            if set(message.topic) & set("+#\0") or len(message.payload) > _LONGEST:
                raise WrongError(f"it would be told {message}")
            if message.payload.startswith("{"):
                json.loads(message.payload, parse_constant=_refuse)
    if (
        twin.kept is not None
        and keepsake.parse(keepsake.message("it", twin.kept).payload.encode()) != twin.kept
    ):
        raise WrongError(f"{twin.kept} does not come back equal")


def _refuse(word: str) -> float:
    raise WrongError(f"it would be told {word}")


def _recovers(twin: Twin, choice: int) -> None:
    """After anything, sound messages are believed."""
    name, kind = DEVICES[choice % len(DEVICES)]
    if kind is DeviceKind.THERMOSTAT and name == "zigbee2mqtt":
        twin.take("zigbee2mqtt/bridge/state", b"online", retained=False)
        twin.take("zigbee2mqtt/t/availability", b"online", retained=False)
        body = b'{"local_temperature":19,"occupied_heating_setpoint":20,"running_state":"idle"}'
        twin.take("zigbee2mqtt/t", body, retained=False)
        if twin.reading().temp_c != 19.0:
            raise WrongError(f"a sound message is lost: {twin.reading()}")
        return
    for topic, payload in SOUND[name, kind is DeviceKind.METER]:
        twin.take(topic, payload, retained=False)
    if twin.reading().power_w != 100.0:
        raise WrongError(f"a sound message is lost: {twin.reading()}")

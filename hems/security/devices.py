"""How devices are spoken to and believed, as the configuration says; pure."""

from der.addresses import Transport
from der.registry import Driver
from hems.security.reach import reach_of
from hems.security.surface import Guard, Proof, Reach, TrustedDeviceView
from hems.settings.config import Config
from hems.settings.device_section import DeviceSection

_OCPP = frozenset({Driver.OCPP16, Driver.OCPP201})


def trusted(config: Config) -> tuple[TrustedDeviceView, ...]:
    """Return the devices that the home believes and moves, in the configuration's order."""
    return tuple(_view(config, device) for device in config.device)


def _view(config: Config, device: DeviceSection) -> TrustedDeviceView:
    guard, proof = _guarded(config, device)
    address, reach = _address(config, device)
    return TrustedDeviceView(
        id=device.id,
        name=device.name,
        kind=device.kind.value,
        driver=device.driver.value,
        address=address,
        reach=reach,
        guard=guard,
        proof=proof,
        ownership=device.ownership.value,
    )


def _guarded(config: Config, device: DeviceSection) -> tuple[Guard, Proof]:
    """Return how what is said is protected, and how the device shows who it is."""
    if device.driver is Driver.FEED:
        return Guard.BOTH, Proof.UTILITY
    if device.driver in _OCPP:
        return _charger(config, device)
    if device.driver is Driver.MQTT:
        return (Guard.NONE if config.mqtt.trust is None else Guard.ONE), Proof.BROKER
    if device.transport is Transport.TLS:
        ours = device.tls_certificate is not None
        return (Guard.BOTH if ours else Guard.ONE), Proof.CERTIFICATE
    return Guard.NONE, Proof.ADDRESS


def _charger(config: Config, device: DeviceSection) -> tuple[Guard, Proof]:
    """OCPP's security profiles: 0 nothing, 1 a password, 2 over TLS, 3 a certificate."""
    if config.ocpp.certificate is None:
        return Guard.NONE, (Proof.PASSWORD if device.password else Proof.ADDRESS)
    if config.ocpp.trust is not None:
        return Guard.BOTH, Proof.CERTIFICATE
    return Guard.ONE, (Proof.PASSWORD if device.password else Proof.ADDRESS)


def _address(config: Config, device: DeviceSection) -> tuple[str, Reach]:
    if device.driver is Driver.FEED:
        return device.source or "", Reach.BEYOND
    if device.driver in _OCPP:  # it calls us, from wherever it is
        return device.station or "", reach_of(config.ocpp.host)
    if device.driver is Driver.MQTT:
        return device.topic or "", reach_of(config.mqtt.host)
    place = device.host if device.port is None else f"{device.host}:{device.port}"
    return place, reach_of(device.host)

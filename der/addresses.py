"""Where devices are found and how they are spoken to: plain records, one for each way.

They import no protocol library, so that a configuration can be read without loading any.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Transport(StrEnum):
    """How Modbus frames travel."""

    TCP = "tcp"
    """Modbus TCP: MBAP header."""
    RTU_OVER_TCP = "rtu-over-tcp"
    """RTU frames with their CRC through a plain TCP gateway."""
    TLS = "tls"
    """Modbus/TCP Security: MBAP over mutual TLS, by default on port 802."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files for a TLS connection to, or from, a local device.

    Attributes:
        trust: Root certificates that the peer's chain must end in, PEM.
        certificate: Our own chain, PEM; None to show none.
        key: Its private key, PEM.
        name: Name that the peer's certificate must carry; empty for the host's.
    """

    trust: Path
    certificate: Path | None = None
    key: Path | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """Where a Modbus unit is found.

    Attributes:
        host: Name or IP address.
        port: TCP port.
        unit: Unit identifier, 0 to 255; matters behind gateways.
        timeout_s: Longest wait for the connection and for each answer, in s.
        transport: How frames travel.
        tls: Files for `Transport.TLS`.
    """

    host: str
    port: int = 502
    unit: int = 1
    timeout_s: float = 1.0
    transport: Transport = Transport.TCP
    tls: TlsFiles | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port} unit {self.unit}"


class RateUnit(StrEnum):
    """The unit in which a charger takes limits."""

    AMPERES = "A"
    WATTS = "W"


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a charger is connected.

    Attributes:
        phases: Phases on which it charges, 1 to 3.
        voltage_v: Phase to neutral.
        least_a: Least current per phase that a car can be offered (IEC 61851-1: 6 A).
        unit: The unit in which the charger takes limits.
        level: Stack level of the hub's limit, above whatever else is installed.
        fallback_a: Current per phase that the charger allows when the hub is silent.
        switches_phases: Whether it can go from three phases to one when it is told to.
    """

    phases: int = 1
    voltage_v: float = 230.0
    least_a: float = 6.0
    unit: RateUnit = RateUnit.AMPERES
    level: int = 5
    fallback_a: float = 6.0
    switches_phases: bool = False


@dataclass(frozen=True, slots=True)
class MappedAddress:
    """A Modbus device that is described by a file.

    Attributes:
        bus: Where it is.
        map: Name of a description that comes with the product, or path of one's own.
        wiring: How it is connected, for those that count in amperes.
    """

    bus: ModbusAddress
    map: str
    wiring: Wiring = field(default_factory=Wiring)


@dataclass(frozen=True, slots=True)
class StationAddress:
    """A charger that may call in.

    Attributes:
        identity: The last part of the path that it calls.
        password: Its password for HTTP basic authentication (OCPP security profiles 1 and 2), ""
            for none.
        id_tags: Cards that may charge; none named means any, as behind a private door.
        connector: Which of its connectors (1.6) or EVSEs (2.0.1) is the device.
        wiring: How it is connected.
        sample_s: How often it shall send meter values, in s.
    """

    identity: str
    password: str = field(default="", repr=False)
    id_tags: frozenset[str] = frozenset()
    connector: int = 1
    wiring: Wiring = field(default_factory=Wiring)
    sample_s: int = 1


@dataclass(frozen=True, slots=True)
class MqttAddress:
    """A device behind the home's MQTT broker.

    Attributes:
        profile: Shape of its topics and payloads ("tasmota", "shelly", "zigbee2mqtt", ...).
        topic: Its own part of the topics, such as "kitchen-plug".
    """

    profile: str
    topic: str


@dataclass(frozen=True, slots=True)
class P1Address:
    """A smart meter's customer port (DSMR P1) behind a serial-to-TCP adapter.

    Attributes:
        host: Name or IP address.
        port: TCP port.
    """

    host: str
    port: int = 23


@dataclass(frozen=True, slots=True)
class FeedAddress:
    """A device whose readings somebody else brings, such as the utility's own meter.

    Attributes:
        source: Name of who brings them.
    """

    source: str


Address = ModbusAddress | MappedAddress | StationAddress | MqttAddress | P1Address | FeedAddress


@dataclass(frozen=True, slots=True)
class CentralSettings:
    """Where the home's chargers call in.

    Attributes:
        host: Address to listen on.
        port: TCP port; 0 for any free one.
        tls: Our certificate, and with `trust` who may call (OCPP security profiles 2 and 3).
        client_certificates: Whether chargers must show one (security profile 3).
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls: TlsFiles | None = None
    client_certificates: bool = False


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """The home's MQTT broker.

    Attributes:
        host: Name or IP address.
        port: TCP port.
        username: "" for none.
        password: Its password.
        tls: Files for TLS; None for plain TCP.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = field(default="", repr=False)
    tls: TlsFiles | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """What several devices of a home share."""

    central: CentralSettings = CentralSettings()
    broker: BrokerSettings = BrokerSettings()

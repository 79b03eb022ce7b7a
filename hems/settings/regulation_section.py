"""How a battery helps to hold the grid's frequency, as the owner agreed to it."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from der.addresses import BrokerSettings, TlsFiles
from der.curves import Droop, GridFunction
from hems import units
from hems.regulation.settings import RegulationSettings, Source
from hems.settings.section import Consumption, Duration, Port, Section, Text
from programs.arming import Agreed, By

Frequency = Annotated[float, BeforeValidator(units.frequency_hz), Field(gt=0)]
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SignalSection(Section):
    """Where the aggregator's signal comes from: an MQTT broker of its own."""

    host: Text
    """The broker's host name or address."""
    port: Port = 8883
    """Its port."""
    topic: str = Field(pattern=r"^[^+#\s]{1,200}$")
    """The topic of this home's signal."""
    username: str = ""
    """Name by which the broker knows the home; none where it asks for none."""
    password: str = Field(default="", repr=False)
    """Its password."""
    trust: Path | None = None
    """Root certificates of the broker, PEM; only one on this machine may do without."""
    certificate: Path | None = None
    """Our certificate there, PEM, where the broker asks for one."""
    key: Path | None = None
    """Its private key, PEM."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) is not (self.key is None):
            raise ValueError("certificate and key belong together")
        if self.trust is None and self.host not in _LOOPBACK:
            raise ValueError("a broker on another machine needs trust: what it says moves power")
        return self

    @property
    def source(self) -> Source:
        """As the loop wants it."""
        tls = None if self.trust is None else TlsFiles(self.trust, self.certificate, self.key)
        broker = BrokerSettings(self.host, self.port, self.username, self.password, tls)
        return Source(broker, self.topic)


class RegulationSection(Section):
    """Frequency regulation; without the owner's consent nothing moves."""

    consent: bool = False
    """Whether the owner agrees that the battery is moved for the grid."""
    device: str = ""
    """Id of the battery."""
    capacity: Consumption = 0.0
    """Power that it may be moved by, either way."""
    respond: bool = True
    """Whether it responds to the frequency that is measured."""
    by: Literal["auto", "inverter", "hub"] = "auto"
    """Who responds: the inverter where it can, else the hub; or one of them only."""
    dead_band: Frequency = 0.036
    """Distance from the nominal frequency within which nothing happens."""
    droop: float = Field(default=0.05, gt=0, le=1)
    """Change of frequency, as a share of the nominal, that moves all of the capacity."""
    nominal: Frequency = 50.0
    """The grid's frequency."""
    measured_by: str = ""
    """Id of the device that measures the frequency; the battery itself where none is named."""
    program: str = ""
    """Programme whose events say when the signal is followed; none: whenever it comes."""
    stop_after: Duration = 10.0
    """A signal that is not renewed for this long has stopped."""
    fade: Duration = 10.0
    """Time in which it then fades out."""
    charge: float = Field(default=0.5, ge=0, le=1)
    """Charge to which the battery is brought back while it follows the signal."""
    signal: SignalSection | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.consent and not self.device:
            raise ValueError("device: which battery regulates is not said")
        if self.consent and self.capacity <= 0:
            raise ValueError("capacity: by how much the battery may be moved is not said")
        if self.program and self.signal is None:
            raise ValueError("signal: there is a programme, and no signal to follow")
        return self

    @property
    def settings(self) -> RegulationSettings | None:
        """As the regulating part of the home wants it; None without consent."""
        if not self.consent:
            return None
        band_hz, share = self.dead_band, self.droop
        droop = Droop(GridFunction.FREQUENCY_DROOP, band_hz, band_hz, share, share)
        return RegulationSettings(
            Agreed(
                self.device,
                droop if self.respond else None,
                By(self.by),
                self.signal is not None,
                self.program,
            ),
            self.capacity,
            self.measured_by,
            self.nominal,
            None if self.signal is None else self.signal.source,
            self.stop_after,
            self.fade,
            soc=self.charge,
        )

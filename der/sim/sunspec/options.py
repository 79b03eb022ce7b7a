"""Start options of the simulated home's SunSpec devices."""

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from der.sim.physics.wiring import PARTS
from der.sim.sunspec.slots import Adoption


class Style(StrEnum):
    """What kind of SunSpec inverter."""

    BASIC = "basic"
    """Models 701 to 704."""
    FULL = "full"
    """Models 701 to 715: curves, droop, reactive power."""
    CLASSIC = "classic"
    """Models 101 or 103, 120 to 124, 160, 802."""
    CLASSIC_FLOAT = "classic-float"
    """The same with models 111 or 113."""


class Carrier(StrEnum):
    """How a device's Modbus frames travel."""

    TCP = "tcp"
    RTU_OVER_TCP = "rtu-over-tcp"
    TLS = "tls"


class SunSpecOptions(BaseModel):
    """Each field is the option of its name; the defaults are a home of one phase, basic devices."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    only: str = Field("", description="names of the Modbus devices to serve, comma between; or all")
    phases: Literal["A", "ABC"] = Field("A", description="phases of the home's connection")
    wiring: str = Field("", description='phases of single parts, as "pv=B,ev=BC"; or all phases')
    meter_model: Literal["201", "202", "203", "204", "213"] = Field(
        "203", description="SunSpec model of the meter"
    )
    meter_order: str = Field(
        "", pattern="^[ABC]{0,3}$", description="phases at the meter's inputs, if swapped"
    )
    meter_inverted: str = Field(
        "", pattern="^[ABC]{0,3}$", description="meter inputs whose transformers are turned round"
    )
    pv_style: Style = Field(Style.BASIC, description=f"one of {', '.join(Style)}")
    battery_style: Style = Field(Style.BASIC, description=f"one of {', '.join(Style)}")
    curve_slots: int = Field(3, ge=1, le=8, description="curve slots, the running one among them")
    curve_reversion: bool = Field(True, description="whether curves have reversion timers")
    curve_adoption: Adoption = Field(
        Adoption.COMPLETES, description=f"what requests come to: one of {', '.join(Adoption)}"
    )
    single_points: bool = Field(False, description="inverters refuse frames of several points")
    meter_carrier: Carrier = Field(Carrier.TCP, description=f"one of {', '.join(Carrier)}")
    pv_carrier: Carrier = Field(Carrier.TCP, description=f"one of {', '.join(Carrier)}")
    battery_carrier: Carrier = Field(Carrier.TCP, description=f"one of {', '.join(Carrier)}")
    tls_certificate: Path | None = Field(None, description="devices' certificate chain, PEM")
    tls_key: Path | None = Field(None, description="its private key, PEM")
    tls_trust: Path | None = Field(None, description="roots of the hub's certificate, PEM")

    @field_validator("wiring")
    @classmethod
    def _names_parts(cls, text: str) -> str:
        for item in filter(None, text.split(",")):
            part, equals, phases = item.partition("=")
            if part not in PARTS or not equals or not phases or set(phases) - set("ABC"):
                raise ValueError(f"must read PART=PHASES with a part of {', '.join(PARTS)}")
        return text

    def parts(self) -> dict[str, str]:
        """Return the phases of the parts that `wiring` names."""
        pairs = (item.partition("=") for item in filter(None, self.wiring.split(",")))
        return {part: phases for part, _, phases in pairs}

    def serves(self, device: str) -> bool:
        """Whether a device is to be served."""
        return not self.only or device in self.only.split(",")

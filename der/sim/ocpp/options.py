"""Start options of the simulated home's charger."""

from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from der.sim.ocpp.link import Calling


class OcppVersion(StrEnum):
    """What the charger speaks."""

    V16 = "1.6"
    V201 = "2.0.1"


class ChargerOptions(BaseModel):
    """Each field is the option of its name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    ocpp: str = Field(
        "ws://127.0.0.1:9000/ocpp/ev",
        description="address of the charger's central system; empty for none",
    )
    ocpp_version: OcppVersion = Field(OcppVersion.V16, description="version that it speaks")
    ocpp_password: str = Field("", description="its password (security profiles 1 and 2)")
    ocpp_trust: Path | None = Field(None, description="root certificates for wss://, PEM")
    ocpp_certificate: Path | None = Field(None, description="its own chain (profile 3), PEM")
    ocpp_key: Path | None = Field(None, description="its private key, PEM")
    ev_phases: Literal["1", "3"] = Field("1", description="phases of charger and car")
    ev_switches: bool = Field(False, description="whether the charger can use one phase of three")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.ocpp_certificate is None) is not (self.ocpp_key is None):
            raise ValueError("ocpp-certificate and ocpp-key belong together")
        return self

    def calling(self) -> Calling:
        """Return how the charger calls its central system."""
        return Calling(
            self.ocpp,
            f"ocpp{self.ocpp_version}",
            self.ocpp_password,
            self.ocpp_trust,
            self.ocpp_certificate,
            self.ocpp_key,
        )

"""What an operator may ask of homes, as JSON: limits, set-points, curves, reductions."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    field_validator,
    model_validator,
)

from certs.identity import pin_valid
from hems.headend.curves import REFERENCES, CurveOrder
from hems.headend.modes import CURVES, Mode, Value

Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
PointIn = tuple[Finite, Finite]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{text[:20]!a} holds what cannot be printed")
    return text


Line = Annotated[str, AfterValidator(_printable)]
"""A line for people, which goes out to homes."""


class In(BaseModel):
    """A body that the operator sends; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PinIn(In):
    """A body that may say the registration PIN of a home."""

    pin: str | None = None
    """Drawn where None."""

    @field_validator("pin")
    @classmethod
    def _whole(cls, pin: str | None) -> str | None:
        if pin is not None and not pin_valid(pin):
            raise ValueError(
                f"{pin[:20]!r} is not a PIN: five digits and the check digit that fits"
            )
        return pin


class CurveIn(In):
    """A curve; see `hems.headend.curves.CurveOrder` for units and signs."""

    points: tuple[PointIn, ...]
    of: str | None = None
    open_loop_s: Finite | None = None
    ramp_up: Finite | None = None
    ramp_down: Finite | None = None
    filter_s: Finite | None = None
    v_ref_percent: Finite | None = None
    v_ref_follows_s: Finite | None = None
    name: Annotated[Line, Field(max_length=32)] | None = None

    def order(self) -> CurveOrder:
        """Return the curve, still to be judged."""
        return CurveOrder(**self.model_dump(include=_CURVE_FIELDS))


_CURVE_FIELDS = set(CurveOrder.__dataclass_fields__)


class NewCurveIn(CurveIn):
    """A curve to be made in a programme before an event names it."""

    mode: Mode
    program: str | None = None
    """Name or mRID; the first der programme if not given."""
    raw: bool = False


class DroopIn(In):
    """Frequency droop; the plain fields hold for over- and under-frequency alike."""

    dead_band_hz: Finite | None = None
    dead_band_over_hz: Finite | None = None
    dead_band_under_hz: Finite | None = None
    droop: Finite | None = None
    """Change of frequency, per unit, that changes power by all of it: 0.05."""
    droop_over: Finite | None = None
    droop_under: Finite | None = None
    open_loop_s: Finite = 5.0
    """Time to 90 % of a new target."""

    def parts(self) -> tuple[float, ...]:
        """Return dead bands (Hz) and droops above and below, and the response time, s.

        Raises:
            ValueError: One is missing.
        """
        parts = (
            _first("dead_band_over_hz", self.dead_band_over_hz, self.dead_band_hz),
            _first("dead_band_under_hz", self.dead_band_under_hz, self.dead_band_hz),
            _first("droop_over", self.droop_over, self.droop),
            _first("droop_under", self.droop_under, self.droop),
        )
        return (*parts, self.open_loop_s)


class FixedVarIn(In):
    """Reactive power in per cent of something; positive is injected."""

    percent: Finite
    of: str = "max_var"


class PowerFactorIn(In):
    """A power factor, and whether the DER absorbs or injects reactive power."""

    power_factor: Finite
    vars: Literal["absorb", "inject"]

    def signed(self) -> float:
        """Return it positive where vars are absorbed, as the standard has excitation."""
        return self.power_factor if self.vars == "absorb" else -self.power_factor


class AsksIn(In):
    """What is asked, one field a mode; fields are named as in `hems.headend.modes.Mode`."""

    limit_import_w: Finite | None = None
    limit_export_w: Finite | None = None
    limit_generation_w: Finite | None = None
    limit_load_w: Finite | None = None
    limit_absorb_var: Finite | None = None
    limit_inject_var: Finite | None = None
    limit_generation_percent: Finite | None = None
    fixed_w_percent: Finite | None = None
    target_w: Finite | None = None
    target_var: Finite | None = None
    storage_target_w: Finite | None = None
    fixed_var: Finite | FixedVarIn | None = None
    power_factor_inject: PowerFactorIn | None = None
    power_factor_absorb: PowerFactorIn | None = None
    volt_var: str | CurveIn | None = None
    volt_watt: str | CurveIn | None = None
    watt_var: str | CurveIn | None = None
    watt_pf: str | CurveIn | None = None
    freq_watt: str | CurveIn | None = None
    freq_droop: DroopIn | None = None
    connect: StrictBool | None = None
    energize: StrictBool | None = None
    island_permit: StrictBool | None = None
    grid_connect_permit: StrictBool | None = None
    shed_w: Finite | None = None
    reduce_energy_wh: Finite | None = None
    duty_cycle_percent: Finite | None = None
    cooling_offset_k: Finite | None = None
    heating_offset_k: Finite | None = None
    load_offset_percent: Finite | None = None
    ramp_s: Finite | None = None
    """How long a device takes to go over to what is asked."""
    raw: bool = False
    """Whether what makes no sense, yet can be told, may go out: for tests of homes."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        dict(self._values())  # raises where a part is missing or unknown
        return self

    @property
    def asked(self) -> dict[Mode, Value]:
        """What is asked, by mode, still to be judged; without the curves that come along."""
        return dict(self._values())

    def curves(self) -> dict[Mode, CurveOrder]:
        """Return the curves that come along, by mode."""
        given = {mode: getattr(self, mode.value) for mode in CURVES}
        return {mode: each.order() for mode, each in given.items() if isinstance(each, CurveIn)}

    def _values(self) -> Iterator[tuple[Mode, Value]]:
        for mode in Mode:
            value = getattr(self, mode.value)
            match value:
                case None | CurveIn():
                    continue
                case bool() | int() | float():
                    plain = float(value)
                    yield mode, (_MAX_VAR, plain) if mode is Mode.FIXED_VAR else plain
                case str():
                    yield mode, value
                case FixedVarIn():
                    if value.of not in REFERENCES:
                        known = ", ".join(REFERENCES)
                        raise ValueError(f"fixed_var of {value.of[:20]!r}; known: {known}")
                    yield mode, (float(REFERENCES[value.of]), value.percent)
                case PowerFactorIn():
                    yield mode, value.signed()
                case DroopIn():
                    yield mode, value.parts()


_MAX_VAR = float(REFERENCES["max_var"])


def _first(name: str, *values: float | None) -> float:
    found = next((value for value in values if value is not None), None)
    if found is None:
        raise ValueError(f"freq_droop: {name} is missing")
    return found

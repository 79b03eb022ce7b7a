"""The API's answers about single devices as JSON: pydantic at the edge."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from hems.device_surface import LONGEST_S, MOVE_S, SHORTEST_S
from web.models import Answer, Input
from web.words import Words


class DeviceDetailAnswer(Answer):
    """A device in full; fields as in `hems.device_surface.DeviceDetail`."""

    id: str
    name: str
    kind: str
    driver: str
    min_w: float
    max_w: float
    essentiality: int
    ownership: str
    phases: Sequence[str]
    comfort_low_c: float | None
    comfort_high_c: float | None
    address: str
    manufacturer: str
    model: str
    serial: str
    firmware: str
    abilities: Sequence[str]
    functions: Sequence[Words]
    details: Sequence[Words]
    expiry: str
    safe: Words
    risk: Words
    power_w: float | None
    soc: float | None
    temp_c: float | None
    voltage_v: float | None
    limit_w: float | None
    capacity_wh: float | None
    age_s: float | None
    quality: str
    error: Words | None
    firmware_standing: str = ""
    """As in `hems.emg.firmware.judge.Standing`; empty where nothing is known of it."""
    firmware_words: Words = ""
    """What to do about it; empty for nothing."""


class MoveOutcomeAnswer(Answer):
    """What a test move has shown; fields as in `hems.device_surface.MoveOutcome`."""

    passed: bool
    moved: bool
    findings: Sequence[Words]
    phases: Sequence[str]


class CallerAnswer(Answer):
    """A charger that has called in; fields as in `hems.device_surface.CallerView`."""

    identity: str
    remote: str
    subprotocol: str


class CallersAnswer(Answer):
    """The chargers that have called in, if anybody listens for them."""

    listening: bool
    callers: Sequence[CallerAnswer]


class MoveQuery(Input):
    """How a test move is asked for.

    Attributes:
        move_s: How long each step lasts, in s.
    """

    move_s: Annotated[float, Field(ge=SHORTEST_S, le=LONGEST_S, allow_inf_nan=False)] = MOVE_S

"""What the scripted home shows: a family house on a sunny afternoon in June, from 14:20 on."""

import math
from collections.abc import Sequence

from hems.surface import (
    DeviceView,
    EventView,
    MessageView,
    PriceView,
    Series,
    Snapshot,
    UtilityView,
)

ZONE = "Europe/Berlin"
SCRIPT_START = 1_781_698_800.0  # 2026-06-17 14:20 in Berlin
MIDNIGHT = SCRIPT_START - (14 * 60 + 20) * 60
PEAK = "0A1B2C3D4E5F60718293A4B5C6D7E8F9"
TOMORROW = "1A1B2C3D4E5F60718293A4B5C6D7E8F9"
BINDING = "2A1B2C3D4E5F60718293A4B5C6D7E8F9"
FINISHED = "3A1B2C3D4E5F60718293A4B5C6D7E8F9"


def device(
    device_id: str,
    name: str,
    kind: str,
    power_w: float | None,
    *,
    reason: str = "",
    soc: float | None = None,
    temp_c: float | None = None,
    connected: bool | None = True,
    wants_power: bool | None = None,
    setpoint_w: float | None = None,
) -> DeviceView:
    """Return a device that answered a moment ago."""
    return DeviceView(
        id=device_id,
        name=name,
        kind=kind,
        power_w=power_w,
        soc=soc,
        temp_c=temp_c,
        connected=connected,
        wants_power=wants_power,
        quality="good",
        age_s=0.2,
        setpoint_w=setpoint_w,
        reason=reason,
        error=None,
    )


def event(
    event_id: str,
    *,
    state: str = "running",
    program: str = "Peak Saver",
    title: str = "Import at most 1.5 kW",
    starts_at: float = SCRIPT_START - 7 * 60,
    ends_at: float = SCRIPT_START + 33 * 60,
    may_opt_out: bool = True,
) -> EventView:
    """Return an event that the owner takes part in."""
    return EventView(
        id=event_id,
        program=program,
        title=title,
        effect="The battery gives what it can and the car charges more slowly.",
        state=state,
        starts_at=starts_at,
        ends_at=ends_at,
        opted_out=False,
        may_opt_out=may_opt_out,
    )


def message(message_id: str, text: str, *, urgent: bool = False) -> MessageView:
    """Return a message for the afternoon that the utility wants acknowledged."""
    return MessageView(
        id=message_id,
        program="City Power",
        text=text,
        urgent=urgent,
        starts_at=SCRIPT_START - 60,
        ends_at=SCRIPT_START + 4 * 3600,
        acknowledged=False,
        may_acknowledge=True,
    )


PRICE = PriceView(
    tariff="Flex",
    currency="EUR",
    per_kwh=0.312,
    until=SCRIPT_START + 40 * 60,
    next_per_kwh=0.284,
)


def first_snapshot() -> Snapshot:
    """Return the home at the script's start, in the middle of a peak-shaving event."""
    return Snapshot(
        at=SCRIPT_START,
        seq=1,
        net_w=1410.0,
        limit_import_w=1500.0,
        limit_export_w=None,
        devices=(
            device("meter", "Meter", "meter", 1410.0),
            device("pv", "Roof", "pv", -3180.0, reason="Produces what the sun gives."),
            device(
                "battery",
                "Battery",
                "battery",
                -1250.0,
                soc=0.62,
                setpoint_w=-1250.0,
                reason="Gives 1.3 kW: Peak Saver asks for at most 1.5 kW from the grid.",
            ),
            device(
                "car",
                "Wallbox",
                "evse",
                2760.0,
                soc=0.41,
                wants_power=True,
                setpoint_w=2760.0,
                reason="Held at 2.8 kW: Peak Saver asks for at most 1.5 kW from the grid.",
            ),
            device("heatpump", "Heat pump", "heat_pump", 1340.0, temp_c=21.3, wants_power=True),
            device(
                "water",
                "Water heater",
                "water_heater",
                0.0,
                temp_c=52.5,
                connected=False,
                wants_power=True,
                reason="Waits until 14:53: the water is warm enough until then.",
            ),
        ),
        events=(
            event(PEAK),
            event(
                FINISHED,
                state="completed",
                title="Reduce by 2 kW",
                starts_at=MIDNIGHT + 7.5 * 3600,
                ends_at=MIDNIGHT + 8 * 3600,
            ),
        ),
        utility=UtilityView(
            state="connected",
            detail="Connected; the next question goes out in 5 minutes.",
            server="https://utility.example:8443/dcap",
            lfdi="3E4F45AB31EDFE5B67E343E5E4562E31984E23E5",
            last_contact=SCRIPT_START - 2,
        ),
        alarms=(),
    )


def day_series(now: Snapshot, start: float, end: float, step_s: int) -> Sequence[Series]:
    """Return what the scripted home measured: figures computed from the hour alone."""
    at = [start + i * step_s for i in range(max(0, int((end - start) // step_s)))]
    hours = [((t - MIDNIGHT) / 3600) % 24 for t in at]
    power = {
        "pv": [_solar(h) for h in hours],
        "car": [7200.0 if 1 < h < 3.2 else 2760.0 if 13.4 < h < 17 else 0.0 for h in hours],
        "heatpump": [1400.0 if math.sin(h * 5) > 0.55 else 60.0 for h in hours],
        "water": [2000.0 if 5.5 < h < 6.4 else 0.0 for h in hours],
        "rest": [320 + 180 * math.sin(h * 1.9) ** 2 + _meal(h) for h in hours],
    }
    without = [sum(parts) for parts in zip(*power.values(), strict=True)]
    battery = [max(-3500.0, min(3500.0, -0.75 * net)) for net in without]
    soc = [0.15 + 0.7 * max(0.0, math.sin((h - 7) / 24 * 2 * math.pi)) for h in hours]
    power |= {
        "battery": battery,
        "meter": [net + b for net, b in zip(without, battery, strict=True)],
    }
    return [
        Series(
            device=d.id,
            at=at,
            power_w=[
                # half an hour in the morning in which nothing was measured
                None if 9.0 <= h < 9.5 else round(p, 1)
                for h, p in zip(hours, power.get(d.id, [0.0] * len(at)), strict=True)
            ],
            soc=soc if d.kind == "battery" else [None] * len(at),
        )
        for d in now.devices
    ]


def _solar(hour: float) -> float:
    sun = max(0.0, math.sin((hour - 5.2) / 16 * math.pi)) if 5.2 < hour < 21.2 else 0.0
    cloud = 1 - 0.35 * max(0.0, math.sin(hour * 9.7) * math.sin(hour * 3.1))
    return -5200.0 * math.pow(sun, 1.4) * cloud


def _meal(hour: float) -> float:
    return sum(
        size * math.exp(-(((hour - at) / 0.35) ** 2))
        for at, size in ((7.0, 1500.0), (12.4, 1900.0), (18.6, 2600.0))
    )

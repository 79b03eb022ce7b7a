"""The history as rows, for files: one for each period and device, with units in the names."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from hems.cem import civil
from hems.cem.civil import Grain, Period
from hems.store.cipher import StoreKey
from hems.store.quarters import DeviceEnergy, Energy, Quarters

MOST_PERIODS: Final = 400_000
"""Most periods of a file: ten years of quarter-hours fit."""
_AT_ONCE: Final = 500
_WH_PER_KWH: Final = 1000.0


class ExportError(Exception):
    """A file cannot be made; `str()` says why, for people."""


class Named(BaseModel):
    """A device as people know it."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str


class Order(BaseModel):
    """What file is to be made of what.

    Attributes:
        store: The hub's store.
        key: Its key, hex digits; None for one that is not encrypted.
        zone: Where the home is, IANA name.
        devices: By id.
        start: UTC epoch seconds.
        end: UTC epoch seconds.
        step: Length of a period.
        form: "csv" or "parquet".
    """

    model_config = ConfigDict(frozen=True)

    store: Path
    key: str | None = Field(default=None, repr=False)
    zone: str
    devices: Mapping[str, Named]
    start: float
    end: float
    step: Grain
    form: str

    @property
    def store_key(self) -> StoreKey | None:
        """The same, as the store wants it."""
        return None if self.key is None else StoreKey.unpacked(bytes.fromhex(self.key))


@dataclass(frozen=True, slots=True)
class Row:
    """What a device took and gave in a period.

    Attributes:
        start: UTC.
        end: UTC.
        start_local: By the home's clock, with its offset.
        device: Device id.
        name: As people know it.
        kind: What it is.
        energy: What it took and gave.
        measured: Share of the period that was measured.
    """

    start: datetime
    end: datetime
    start_local: datetime
    device: str
    name: str
    kind: str
    energy: Energy
    measured: float

    @property
    def figures(self) -> tuple[float | None, ...]:
        """What the columns of figures have, in their order."""
        each = self.energy
        return (
            round(each.taken_wh / _WH_PER_KWH, 6),
            round(each.given_wh / _WH_PER_KWH, 6),
            round(each.mean_w, 1),
            round(each.low_w, 1),
            round(each.high_w, 1),
            each.soc_low,
            each.soc_high,
            round(self.measured, 4),
        )


FIGURES: Final = (
    "taken_kwh",
    "given_kwh",
    "mean_power_w",
    "lowest_power_w",
    "highest_power_w",
    "lowest_charge",
    "highest_charge",
    "measured_share",
)
"""Columns of figures; powers are means of minutes, consumption positive; shares are 0 to 1."""


async def rows(order: Order, quarters: Quarters) -> AsyncIterator[Sequence[Row]]:
    """Yield the rows of a file, some at a time; a device that was not measured has none.

    Raises:
        ExportError: There would be too many.
        StoreError: The store cannot be read.
    """
    zone = ZoneInfo(order.zone)
    counted = islice(civil.periods(order.start, order.end, order.step, zone), MOST_PERIODS + 1)
    if sum(1 for _ in counted) > MOST_PERIODS:
        raise ExportError(f"this would be more than {MOST_PERIODS} periods: take a longer step")
    periods = civil.periods(order.start, order.end, order.step, zone)
    while some := list(islice(periods, _AT_ONCE)):
        found = await quarters.energy(some, by_minute=order.step is Grain.MINUTE)
        yield list(_rows(some, found, order.devices, zone))


def _rows(
    periods: Sequence[Period],
    found: Iterable[DeviceEnergy],
    devices: Mapping[str, Named],
    zone: ZoneInfo,
) -> Iterator[Row]:
    by_device = [(each, devices.get(each.device, Named(name="", kind=""))) for each in found]
    for number, (start, end) in enumerate(periods):
        begun = datetime.fromtimestamp(start, UTC)
        ended, local = datetime.fromtimestamp(end, UTC), begun.astimezone(zone)
        for each, named in by_device:
            energy = each.periods[number]
            if energy is not None:
                share = energy.measured_s / (end - start)
                yield Row(begun, ended, local, each.device, named.name, named.kind, energy, share)

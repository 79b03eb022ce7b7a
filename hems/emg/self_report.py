"""What the home says of itself to a utility: all parts of a `Report`, from the last image.

Nothing here is a constant that poses as a reading: what is not known is left out.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from der.commands import DeviceOptions
from der.model import DeviceSpec, DeviceState, Quality
from hems.emg import der_report, der_status
from hems.emg.der_report import DER_KINDS, Ratings
from hems.emg.modes import modes
from hems.image import Image
from hems.sep2 import resources as res
from hems.sep2.enddevice.reports import DerReport, Report, dated_report
from hems.sep2.rules.dialect import Dialect
from programs.capability import Spare, StoreFacts, loads
from programs.rules import SHEDDABLE

_FUNCTIONS: Final = (
    *(0, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17),
    *(19, 20),
)
"""Function sets that this home uses as a client (bits of functionsImplemented)."""
_LOCALE: Final = "en"
_MAINS: Final = 1
_NO_BATTERY: Final = 4
"""batteryStatus of a hub that has none of its own."""
_OPERATING, _NOT_OPERATING = 2, 1
_WHOLE: Final = 10_000
_TEXT: Final = 32
"""Longest text in octets that these resources carry."""


MODEL: Final = "Home hub"
HARDWARE: Final = "1"
"""Of a machine that does not say what it is."""


@dataclass(frozen=True, slots=True)
class Maker:
    """The hub as a product.

    Attributes:
        lfdi: Of its certificate.
        serial: Its serial number.
        software: Version of its software.
        activated: Since when that runs, UTC epoch s.
        made: When the hub was made, UTC epoch s.
        pen: Private enterprise number of its maker; 0 for none.
        model: Its model.
        hardware: Version of its hardware.
    """

    lfdi: str
    serial: str
    software: str
    activated: int
    made: int = 0
    pen: int = 0
    model: str = MODEL
    hardware: str = HARDWARE


def information(maker: Maker, dialect: Dialect, connection_point: str) -> res.DeviceInformation:
    """Return what the hub is; 2023 has its connection point here."""
    modern = dialect is Dialect.V2023 and connection_point
    return res.DeviceInformation(
        connection_point_id=_text(connection_point) if modern else None,
        functions_implemented=sum(1 << bit for bit in _FUNCTIONS),
        lfdi=maker.lfdi,
        mf_date=maker.made,
        mf_hw_ver=_text(maker.hardware),
        mf_id=maker.pen,
        mf_model=_text(maker.model),
        mf_ser_num=_text(maker.serial),
        primary_power=_MAINS,
        secondary_power=0,
        sw_act_time=maker.activated,
        sw_ver=_text(maker.software),
    )


def device_status(devices: Sequence[DeviceState], at: int) -> res.DeviceStatus:
    """Return whether the home operates: whether any of its devices is connected and answers."""
    known = [d for d in devices if d.quality is Quality.GOOD and d.reading is not None]
    working = any(d.reading is not None and d.reading.connected is not False for d in known)
    state = (_OPERATING if working else _NOT_OPERATING) if known else 0
    return res.DeviceStatus(changed_time=at, op_state=state)


def power_status(at: int) -> res.PowerStatus:
    """Return how the hub itself is supplied: from the mains, without a battery of its own."""
    return res.PowerStatus(battery_status=_NO_BATTERY, changed_time=at, current_power_source=_MAINS)


def load_shed(image: Image, spare: Spare | None = None) -> tuple[res.LoadShedAvailability, ...]:
    """Return how much of the present load could be shed, and for how long.

    Empty where nothing here can be shed at all; 0 W where nothing of it draws, or all is needed
    now. The time is that for which all of it can stay off, left out where nobody minds or knows.

    Args:
        image: What the devices were read as.
        spare: For how long loads can stay off; None where that is not known.
    """
    good = [d for d in image.devices.values() if d.quality is Quality.GOOD and d.reading]
    if not any(d.spec.control in SHEDDABLE for d in good):
        return ()
    # In an emergency comfort gives way: what nobody knows a time of counts, without one.
    named = Spare() if spare is None else spare
    unknown = {d.spec.id: math.inf for d in good if d.spec.comfort is not None}
    found = loads(good, replace(named, for_s={**unknown, **named.for_s}))
    shed_w = sum(load.power_w for load in found)
    longest_s = min((load.for_s for load in found), default=math.inf)
    percent = None
    if image.net_w is not None:
        made_w = sum(der_status.power_w(d) for d in good if d.spec.kind in DER_KINDS)
        load_w = max(image.net_w - made_w, shed_w)
        percent = min(_WHOLE, round(shed_w / load_w * _WHOLE)) if load_w > 0 else 0
    return (
        res.LoadShedAvailability(
            availability_duration=None if math.isinf(longest_s) else round(longest_s),
            sheddable_percent=percent,
            sheddable_power=res.ActivePower.of(round(shed_w)),
        ),
    )


def by_program(
    entries: Sequence[res.LoadShedAvailability], hrefs: Iterable[str]
) -> tuple[res.LoadShedAvailability, ...]:
    """Return the load that could be shed for each demand-response programme that the device is in.

    Any of them may ask for all of it. Without a programme it is told once, for none in particular.

    Args:
        entries: What could be shed.
        hrefs: Of the programmes.
    """
    found = tuple(
        replace(entry, demand_response_program_link=res.Link(href=href))
        for href in sorted(set(hrefs))
        for entry in entries
    )
    return found or tuple(entries)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What all DER of one report share: when (server's clock), modes, ramp, and who controls."""

    at: int
    modes: frozenset[str]
    gradient: float | None
    remote: bool


class SelfReport:
    """Makes the home's report, and remembers since when each part of it holds.

    Args:
        maker: The hub.
        dialect: What the server speaks.
        name: What the owner calls the home; empty for no name.
        connection_point: Where the home is connected (NMI); empty if it is not known.
        floor_soc: State of charge below which storage gives nothing, 0 to 1.
        facts: What of batteries nobody measures, by id.
    """

    def __init__(
        self,
        maker: Maker,
        dialect: Dialect,
        *,
        name: str = "",
        connection_point: str = "",
        floor_soc: float = 0.0,
        facts: Mapping[str, StoreFacts] | None = None,
    ) -> None:
        self._maker = maker
        self._dialect = dialect
        self._name = name
        self._connection_point = connection_point
        self._floor_soc = floor_soc
        self._facts = facts or {}
        self._last: Report | None = None

    def take(
        self,
        image: Image,
        offset_s: float,
        *,
        gradient: float | None = None,
        remote: bool = False,
        specs: Sequence[DeviceSpec] | None = None,
        options: Mapping[str, DeviceOptions] | None = None,
        spare: Spare | None = None,
    ) -> Report:
        """Return the report of an image.

        Args:
            image: What the devices were read as.
            offset_s: Server's clock less this machine's, s.
            gradient: Default ramp that the utility has set, in per cent of the rating a second.
            remote: Whether the utility has a control in force.
            specs: All devices of the home, where the image shows some of them only.
            spare: For how long loads can stay off; None where that is not known.
            options: What devices say that they can do, by id.
        """
        at = round(image.at + offset_s)
        # What is not trusted counts for nothing: it can neither be steered nor believed.
        every = tuple(d for d in image.devices.values() if not d.barred)
        barred = image.devices.keys() - {d.spec.id for d in every}
        if specs is not None:
            specs = [s for s in specs if s.id not in barred]
        ders = [d for d in every if d.spec.kind in DER_KINDS]
        able = modes(specs if specs is not None else [d.spec for d in every], options)
        asked = _Asked(at, able, gradient, remote)
        report = Report(
            der=self._der(ders, asked) if ders else DerReport(),
            ders=tuple(self._der([d], asked) for d in ders),
            information=information(self._maker, self._dialect, self._connection_point),
            status=device_status(every, at),
            power=power_status(at),
            load_shed=load_shed(image, spare),
            configuration=self._configuration(),
            connection_point=self._place(),
        )
        self._last = dated_report(report, self._last)
        return self._last

    def _der(self, devices: Sequence[DeviceState], asked: _Asked) -> DerReport:
        at, dialect = asked.at, self._dialect
        ratings = Ratings.of((d.spec for d in devices), der_report.capacity_wh(devices))
        rated = der_report.capability(ratings, asked.modes, dialect)
        floor_soc = self._floor_soc
        return DerReport(
            capability=rated,
            settings=der_report.settings(rated, at, gradient=asked.gradient),
            status=der_status.status(devices, at, dialect, remote=asked.remote),
            availability=der_report.availability(
                devices, at, dialect, floor_soc=floor_soc, facts=self._facts
            )
            if ratings.stores
            else None,
        )

    def _configuration(self) -> res.Configuration | None:
        if not self._name:
            return None
        return res.Configuration(current_locale=_LOCALE, user_device_name=_text(self._name))

    def _place(self) -> res.ConnectionPoint | None:
        if self._dialect is not Dialect.CSIP_AUS or not self._connection_point:
            return None
        return res.ConnectionPoint(connection_point_id=_text(self._connection_point))


def _text(words: str) -> str:
    """Return as much of a text as fits."""
    return words.encode()[:_TEXT].decode(errors="ignore")

"""What a home has said of itself, as it is read from its documents."""

import pytest

from hems.headend.ability.documents import Document, der_of, parsed, sheds_of
from hems.headend.ability.told import Der, Shed
from hems.sep2.resources import (
    ActivePower,
    DERAvailability,
    DERCapability,
    DERSettings,
    DERStatus,
    LoadShedAvailability,
    Resource,
    WattHour,
)
from hems.sep2.resources.der_device import (
    ConnectStatusType,
    OperationalModeStatusType,
    StateOfChargeStatusType,
)
from hems.sep2.xml import serialize

pytestmark = pytest.mark.requirement("PRO-2030.5")
of = ActivePower.of
CAPABILITY = DERCapability(
    modes_supported=0,
    rtg_max_w=of(6000),
    rtg_max_charge_rate_w=of(4000),
    rtg_max_discharge_rate_w=of(5000),
    rtg_max_wh=WattHour.of(10_000),
    type=4,
    doe_modes_supported=0b0011,
)


def documents(**records: Resource) -> list[Document]:
    return [Document(kind, record, float(i)) for i, (kind, record) in enumerate(records.items())]


def status(**fields: object) -> DERStatus:
    return DERStatus(reading_time=0, **fields)  # type: ignore[arg-type] # fields of the record


def test_all_that_it_has_said_is_read_in_whatever_order_it_came() -> None:
    said = documents(
        dera=DERAvailability(reading_time=0, stat_w_avail=of(-5), availability_duration=60),
        ders=status(
            operational_mode_status=OperationalModeStatusType(date_time=0, value=1),
            state_of_charge_status=StateOfChargeStatusType(date_time=0, value=4200),
        ),
        derg=DERSettings(set_grad_w=0, set_max_w=of(4600), updated_time=0),
        dercap=CAPABILITY,
        lsa0=LoadShedAvailability(sheddable_power=of(1500), availability_duration=600),
        lsa7=LoadShedAvailability(sheddable_percent=1000),
    )
    assert der_of(said) == Der(
        rated_w=4600,
        charge_w=4000,
        discharge_w=5000,
        capacity_wh=10_000,
        limits=3,
        soc=0.42,
        off=True,
        status_at=1.0,
        give_w=0,
        give_s=60,
        said_at=0.0,
    )
    assert sheds_of(said) == {0: Shed(1500, None, 600, 4.0), 7: Shed(None, 0.1, None, 5.0)}
    assert der_of(documents(lsa0=LoadShedAvailability())) is None
    assert sheds_of(documents(dercap=CAPABILITY)) == {}


def test_it_may_do_the_lesser_of_what_it_is_set_to_and_rated_for() -> None:
    set_to = DERSettings(
        set_grad_w=0, set_max_w=of(9000), set_max_charge_rate_w=of(1000), updated_time=0
    )
    found = der_of(documents(derg=set_to, dercap=CAPABILITY))
    assert found is not None
    assert (found.rated_w, found.charge_w, found.discharge_w) == (6000, 1000, 5000)


def test_what_could_be_given_may_be_told_as_a_share_of_the_rating() -> None:
    ready = DERAvailability(
        reading_time=0, reserve_percent=2500, reserve_charge_percent=5000, max_charge_duration=60
    )
    found = der_of(documents(dercap=CAPABILITY, dera=ready))
    assert found is not None
    assert (found.give_w, found.take_w, found.take_s) == (1500, 2000, 60)
    unrated = der_of(documents(dera=ready))
    assert unrated is not None
    assert (unrated.give_w, unrated.take_w) == (None, None)


@pytest.mark.parametrize(
    ("mode", "generator", "storage", "off"),
    [
        (None, None, None, False),
        (2, None, None, False),
        (1, None, None, True),
        (None, 0, None, True),
        (None, 0, 1, False),
        (2, 2, 2, True),
        (1, 1, 1, True),
    ],
)
def test_it_is_off_when_it_says_so_or_is_connected_nowhere(
    mode: int | None, generator: int | None, storage: int | None, *, off: bool
) -> None:
    def connection(value: int | None) -> ConnectStatusType | None:
        return None if value is None else ConnectStatusType(date_time=0, value=value)

    said = status(
        operational_mode_status=None
        if mode is None
        else OperationalModeStatusType(date_time=0, value=mode),
        gen_connect_status=connection(generator),
        stor_connect_status=connection(storage),
    )
    found = der_of(documents(ders=said))
    assert found is not None
    assert found.off is off


def test_what_cannot_be_read_any_more_says_nothing() -> None:
    assert parsed("dercap", serialize(CAPABILITY)) == CAPABILITY
    assert parsed("ders", serialize(CAPABILITY)) is None
    assert parsed("lsa4", b"<no") is None

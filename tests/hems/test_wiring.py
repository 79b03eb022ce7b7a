"""From the configuration to what the parts are started with."""

from dataclasses import replace
from pathlib import Path

import pytest

from der.addresses import StationAddress
from der.model import Control, DeviceKind, DeviceSpec, Ownership
from der.registry import CONTROLS
from hems import wiring
from hems.sep2.rules.events import Event, Program
from hems.sep2.rules.lifecycle import Edition
from hems.settings.config import Config
from hems.settings.device_section import DeviceSection
from hems.settings.utility_section import MemberSection, ProgramSection, UtilitySection

UTILITY = UtilitySection(
    certificate=Path("hub.pem"),
    key=Path("hub.key"),
    trust=Path("trust.pem"),
    crls=Path("crls.pem"),
    pin="111115",
    program=(
        ProgramSection(name="Peak Saver", binding=False),
        ProgramSection(name="Strict Reduction", binding=True),
    ),
)


def charger(phases: int) -> DeviceSection:
    return DeviceSection.model_validate(
        {
            "id": "ev",
            "kind": "evse",
            "name": "Car",
            "driver": "ocpp16",
            "station": "ev",
            "max": "11 kW",
            "fallback": "4140 W",
            "phases": phases,
        }
    )


@pytest.mark.parametrize(("phases", "fallback_a"), [(1, 18.0), (3, 6.0)])
def test_a_chargers_currents_are_per_phase(phases: int, fallback_a: float) -> None:
    (description,) = wiring.descriptions(Config(device=(charger(phases),)))
    assert isinstance(description.at, StationAddress)
    assert description.at.wiring.phases == phases
    assert description.at.wiring.fallback_a == pytest.approx(fallback_a)


@pytest.mark.parametrize(
    ("edition", "level", "rules", "schema_ver"),
    [
        ("2018", "-S1", Edition.V2018, None),
        ("csip-aus", "+S1", Edition.V2018, None),
        ("2023", "-S2", Edition.V2023, "2.2"),
    ],
)
def test_the_configured_edition_is_spoken_throughout(
    edition: str, level: str, rules: Edition, schema_ver: str | None
) -> None:
    utility = UTILITY.model_copy(update={"edition": edition})
    settings = wiring.client_settings(utility, "A" * 40)
    assert (settings.level, settings.profile.edition) == (level, rules)
    assert wiring.dialect(utility).schema_ver == schema_ver


@pytest.mark.parametrize(
    ("program", "kind", "mandatory", "binds"),
    [
        ("Peak Saver", "DERControl", False, False),
        ("Strict Reduction", "EndDeviceControl", False, True),
        ("Unknown", "DERControl", False, True),
        ("Unknown", "EndDeviceControl", False, False),
        ("Unknown", "EndDeviceControl", True, True),
        ("Peak Saver", "EndDeviceControl", True, True),
    ],
)
def test_who_may_leave_an_event_is_what_was_agreed_else_what_the_standard_says(
    program: str, kind: str, mandatory: bool, binds: bool
) -> None:
    binding = wiring.client_settings(UTILITY, "A" * 40).binding
    assert binding is not None
    event = Event(
        "E" * 32, Program("P" * 32, program), 0, 0, 60, {}, kind=kind, mandatory=mandatory
    )
    assert binding(event) is binds


@pytest.mark.parametrize(
    ("kind", "given", "range_w"),
    [
        ("meter", {}, (-8_000.0, 8_000.0)),
        ("submeter", {}, (-8_000.0, 8_000.0)),
        ("meter", {"min": "-3 kW", "max": "9 kW"}, (-3_000.0, 9_000.0)),
    ],
)
def test_a_meter_has_the_range_of_the_main_breaker(
    kind: str, given: dict[str, str], range_w: tuple[float, float]
) -> None:
    section = {"id": "m", "kind": kind, "name": "M", "driver": "sunspec", "port": 502, **given}
    config = Config.model_validate(
        {"home": {"main_breaker": f"{8000 / 230} A"}, "device": [section]}
    )
    (description,) = wiring.descriptions(config)
    assert (description.spec.min_w, description.spec.max_w) == pytest.approx(range_w)


def specs(*kinds: str) -> list[DeviceSpec]:
    ranges = {Control.FLOOR: (-6000.0, 0.0), Control.TARGET: (-5000.0, 5000.0)}
    made = []
    for kind in kinds:
        control = CONTROLS[DeviceKind(kind)]
        bounds = ranges.get(control, (0.0, 7000.0))
        made.append(DeviceSpec(kind, DeviceKind(kind), kind, control, *bounds))
    return made


def test_what_no_device_here_can_do_is_not_taken_on() -> None:
    able = wiring.client_settings(UTILITY, "A" * 40, specs("meter", "evse")).profile
    assert able.carries_out("opModImpLimW")
    assert not able.carries_out("opModGenLimW")
    assert not able.carries_out("opModConnect")


def test_a_member_does_what_its_own_devices_can() -> None:
    roof = MemberSection(name="Roof", lfdi="b" * 40, pin="111115", devices=("pv",))
    section = UTILITY.model_copy(update={"member": (roof,), "register_in_band": False})
    settings = wiring.client_settings(section, "A" * 40, specs("meter", "pv", "evse"))
    home, member = settings.members
    assert member.identity.lfdi == "B" * 40
    assert not home.registers
    assert not member.registers
    assert home.profile.carries_out("opModImpLimW")
    assert member.profile.carries_out("opModGenLimW")
    assert not member.profile.carries_out("opModImpLimW")


@pytest.mark.requirement("L1-OWNER")
@pytest.mark.parametrize(
    ("owners", "binds"),
    [
        ({}, False),
        ({"pv": Ownership.SERVICE_PROVIDER}, True),
        ({"pv": Ownership.OTHER}, False),
        ({"evse": Ownership.SERVICE_PROVIDER}, False),
    ],
)
def test_events_of_a_member_that_is_the_providers_cannot_be_left(
    owners: dict[str, Ownership], *, binds: bool
) -> None:
    roof = MemberSection(name="Roof", lfdi="b" * 40, pin="111115", devices=("pv",))
    section = UTILITY.model_copy(update={"member": (roof,)})
    owned = [
        replace(s, ownership=owners.get(s.id, Ownership.OWNER))
        for s in specs("meter", "pv", "evse")
    ]
    home, member = wiring.client_settings(section, "A" * 40, owned).members
    event = Event("E" * 32, Program("P" * 32, "Peak Saver"), 0, 0, 60, {})
    assert home.binding is not None
    assert member.binding is not None
    assert not home.binding(event)
    assert member.binding(event) is binds


def test_an_agreed_lfdi_is_the_homes_and_the_certificate_keeps_its_own() -> None:
    section = UTILITY.model_copy(update={"lfdi": "C" * 40, "name": "grid"})
    settings = wiring.client_settings(section, "A" * 40)
    assert (settings.identity.lfdi, settings.certificate) == ("C" * 40, "A" * 40)
    assert settings.server == "grid"

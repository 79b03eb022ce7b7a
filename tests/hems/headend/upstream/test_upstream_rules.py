"""What the aggregator makes of events and readings; its configuration; tables without I/O."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hems.headend.errors import SettingsError
from hems.headend.modes import Mode
from hems.headend.settings import load_settings
from hems.headend.sharing.following import Span
from hems.headend.sharing.model import Ability, Kind, Shares
from hems.headend.upstream.asks import total_w, values_of, wishes
from hems.headend.upstream.metering import Totals, point_of
from hems.headend.upstream.port import Reading
from hems.headend.upstream.settings import UpstreamSettings
from hems.headend.upstream.shared import Given, Head, news, order_of, parts_of
from hems.sep2.rules.events import Event, ModeValue, Program
from tests.hems.headend.conftest import PIN

pytestmark = pytest.mark.requirement("PRO-2030.5")

T0 = 1_800_000_000.0
HOMES = [Ability("A", 3000), Ability("B", 1000, rated_w=5000)]


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ({"TargetReduction.W": 5000.0}, {Kind.SHED: 5000}),
        ({"opModTargetW": 4000.0}, {Kind.GENERATE: 4000}),
        ({"opModTargetW": -4000.0}, {Kind.ABSORB: 4000}),
        ({"opModFixedW": 50.0}, {Kind.GENERATE: 4000}),
        ({"opModFixedW": -25.0}, {Kind.ABSORB: 2000}),
        ({"opModMaxLimW": 10.0}, {Kind.GENERATION: 800}),
        ({"opModImpLimW": 700.0, "opModExpLimW": 0.0}, {Kind.IMPORT: 700, Kind.EXPORT: 0}),
        ({"opModMaxLimWAbsorb": 700.0, "opModMaxLimWInject": 9.0}, {"import": 700, "export": 9}),
        ({"opModGenLimW": 900.0, "opModMaxLimW": 10.0}, {Kind.GENERATION: 800}),
        ({"opModGenLimW": 700.0, "opModMaxLimW": 10.0}, {Kind.GENERATION: 700}),
        ({"opModLoadLimW": 1.4}, {Kind.LOAD: 1}),
        ({"opModVoltVar": "/curve/1", "opModTargetVar": 5.0, "opModFixedVar": (1.0, 2.0)}, {}),
        ({"opModImpLimW": ()}, {}),  # a mode that is disabled asks for nothing
        ({}, {}),
    ],
)
def test_what_a_group_is_asked_for(
    modes: Mapping[str, ModeValue], expected: Mapping[str, int]
) -> None:
    asked = wishes(modes)
    assert {kind: total_w(asked, kind, HOMES) for kind in {w.kind for w in asked}} == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.SHED, {Mode.SHED: 700.0}),
        (Kind.GENERATE, {Mode.TARGET_W: 700.0}),
        (Kind.ABSORB, {Mode.TARGET_W: -700.0}),
        (Kind.IMPORT, {Mode.IMPORT: 700.0}),
        (Kind.LOAD, {Mode.LOAD: 700.0}),
    ],
)
def test_how_a_share_is_dispatched(kind: Kind, expected: Mapping[Mode, float]) -> None:
    assert values_of(kind, 700) == expected


EVENT = Event("E", Program("P"), 1, int(T0), 3600, {}, mandatory=True, ramp_s=2.5)


def head(kind: Kind = Kind.SHED) -> Head:
    return Head("E.L.x", "u", "L", "E", kind, 3000, Span(T0, T0 + 3600), round=2)


def test_homes_that_are_given_the_same_get_one_order() -> None:
    given = {name: Given(name) for name in "ABCD"}
    parts = parts_of(head(), {"A": 500, "D": 500, "B": 700}, given, T0 + 60)
    assert [(p.key, p.value_w, sorted(p.homes)) for p in parts] == [
        ("E.L.x.2.500", 500, ["A", "D"]),
        ("E.L.x.2.700", 700, ["B"]),
    ]
    order = order_of(head(), parts[0], T0 + 90.4, EVENT)
    assert (order.binding, order.ramp_s) == (True, 2.5)
    assert (order.start, order.start + order.duration_s) == (T0 + 90, T0 + 3600)
    early = parts_of(head(), {"A": 500}, given, T0 - 60)
    assert order_of(head(), early[0], T0 - 60, None).start == T0


def test_who_is_told_of_new_shares() -> None:
    before = {"A": 500, "B": 500, "C": 500}
    after = Shares({"A": 700, "B": 300, "D": 400})
    assert news(head(), before, after) == {"A": 700, "D": 400}
    assert news(head(Kind.IMPORT), before, after) == {"A": 700, "B": 300, "D": 400}


def test_the_total_of_all_homes_is_made_at_its_pace_of_what_is_fresh() -> None:
    spec = point_of("AB" * 20, 60)
    assert spec == point_of("AB" * 20, 60), "the same over restarts"
    assert spec.mrid != point_of("CD" * 20, 60).mrid
    totals = Totals(spec, 60.0, 900.0)
    readings = [
        Reading("A", T0, 1000.0),
        Reading("B", T0 - 800, -300.5),
        Reading("C", T0 - 950, 9999.0),
        Reading("D", T0),
    ]
    made = totals.total(readings, T0)
    assert made is not None
    assert (made.series, made.start, made.duration_s, made.value) == (
        spec.series[0].mrid,
        T0 - 60,
        60,
        699.5,
    )
    assert totals.total(readings, T0 + 59) is None
    assert totals.total(readings, T0 + 60) is not None
    assert Totals(spec, 60.0, 900.0).total(readings[2:], T0) is None, "nothing is not 0 W"


def settings(**changes: Any) -> UpstreamSettings:
    return UpstreamSettings.model_validate(
        {
            "url": "https://utility.example/dcap",
            "certificate": Path("a.pem"),
            "key": Path("a.key"),
            "roots": Path("roots.pem"),
            "crls": Path("crls.pem"),
            "pin": PIN,
            **changes,
        }
    )


def test_the_configuration_says_how_it_is_shared() -> None:
    rules = settings(step_w=300, grain_w=10, again_s=5, end_s=7).sharing()
    assert (rules.rules.step_w, rules.rules.grain_w) == (300, 10)
    assert (rules.follow.again_s, rules.follow.end_s) == (5, 7)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://utility.example"}, "url"),
        ({"pin": "123456"}, "last digit of the PIN"),
        ({"grain_w": 0}, "grain_w"),
        ({"look_s": float("nan")}, "look_s"),
        ({"devices": [{"lfdi": "XY", "pin": PIN}]}, "devices.0.lfdi"),
        (
            {"devices": [{"lfdi": "ab" * 20, "pin": PIN}, {"lfdi": "AB" * 20, "pin": PIN}]},
            "same lfdi",
        ),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_configuration_is_refused_by_its_field(
    changes: Mapping[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(**changes)


CONFIGURED = """
database = "headend.sqlite"
certificate = "server.pem"
key = "server.key"
roots = "trust.pem"
crls = "crls.pem"
token_file = "token"

[upstream]
url = "https://gridco.example/dcap"
certificate = "aggregator.pem"
key = "aggregator.key"
roots = "gridco.pem"
crls = "gridco-crls.pem"
pin = "123455"
"""


def test_it_is_switched_on_by_a_table_whose_paths_are_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "headend.toml").write_text(CONFIGURED)
    upstream = load_settings(tmp_path / "headend.toml").upstream
    assert upstream is not None
    assert (upstream.certificate, upstream.crls) == (
        tmp_path / "aggregator.pem",
        tmp_path / "gridco-crls.pem",
    )
    assert upstream.primacy == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('pin = "123456"', "upstream.pin"),
        ('url = "http://gridco.example"', "upstream.url"),
        ("primacy = 256", "upstream.primacy"),
        ("lok_s = 5", "upstream.lok_s"),
    ],
)
def test_what_cannot_be_switched_on_is_named(tmp_path: Path, line: str, said: str) -> None:
    name = line.split(" ", 1)[0]
    lines = [each for each in CONFIGURED.splitlines() if not each.startswith(f"{name} =")]
    (tmp_path / "headend.toml").write_text("\n".join([*lines, line]))
    with pytest.raises(SettingsError, match=said):
        load_settings(tmp_path / "headend.toml")

"""Descriptions from files: what is wrong is said in one line, and all of ours are right."""

import contextlib
import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.addresses import MappedAddress, ModbusAddress
from der.description import DeviceDescription
from der.drivers.mapped.files import bundled, load, names, parse
from der.drivers.mapped.link import connector
from der.drivers.mapped.points import Table
from der.drivers.mapped.steps import Quantity
from der.errors import PermanentError
from der.model import Control, DeviceKind, DeviceSpec, Expiry

GOOD = """
title = "A box"
manufacturer = "Somebody"
kinds = ["battery"]
source = "its label"
[points]
power = { address = 10, type = "s32", low = -9000, high = 9000 }
charge = { address = 20, type = "u16", takes = [0, 5000] }
hold = { address = 21, type = "u16", takes = [1, 600] }
[read]
power_w = "power"
[control]
expiry = { kind = "reversion", safe = "idles" }
set = [{ point = "hold", value = "lapse_s" }, { point = "charge", value = "power_w" }]
safe = [{ point = "charge", value = 0 }]
"""
POWER = 'power = { address = 10, type = "s32", low = -9000, high = 9000 }'
CHARGE = 'charge = { address = 20, type = "u16", takes = [0, 5000] }'
SET = '{ point = "charge", value = "power_w" }'
REVERT = '{ point = "hold", value = "revert_w", otherwise = 9 }'
MISTAKES = [
    ('title = "A box"', 'titel = "A box"', "title: is missing"),
    ('title = "A box"', 'title = "A box"\ncolour = "red"', "colour: unknown key"),
    ('title = "A box"', "title = [", "is not TOML: "),
    ('["battery"]', '["fridge"]', r"kinds\[0\]: must be 'meter', "),
    (POWER, POWER.replace('"s32"', '"s31"'), "points.power.type: must be 'u16', "),
    (POWER, POWER.replace("10", "70000"), "points.power.address: must be less than"),
    (POWER, POWER.replace("10", "65535"), "points.power: it ends beyond address 65535"),
    (POWER, POWER.replace('type = "s32",', ""), "points.power: a register needs a type"),
    (POWER, POWER.replace("low", "scale = 0, low"), "points.power: a scale of 0"),
    (POWER, POWER.replace("low = -9000", "low = 9000"), "points.power: low 9000 is not below"),
    (POWER, POWER.replace("-9000", "nan"), "points.power.low: must be a finite number"),
    (POWER, POWER.replace("low", "bits = [0, 1], low"), "points.power: bits are of an unsigned"),
    (POWER, POWER.replace("low", "invalid = -1, low"), "points.power.invalid: is the unsigned"),
    (POWER, POWER.replace("low", "absent = 0, low"), "points.power: absent is what the patterns"),
    (POWER, POWER.replace("low", 'exponent = "sf", low'), "points.power: there is no point 'sf'"),
    (POWER, POWER.replace("low", 'exponent = "hold", low'), None),
    (POWER, POWER.replace("low", 'exponent = "power", low'), "points.power: its exponent 'power'"),
    (POWER, POWER.replace("10", "19"), "points.charge: it overlaps 'power'"),
    (CHARGE, f"{CHARGE}\nidle = {{ address = 30, type = 'u16' }}", "points.idle: nothing uses it"),
    (CHARGE, CHARGE.replace("charge =", "Charge ="), "points: 'Charge' is no name"),
    (CHARGE, CHARGE.replace("20", '20, table = "input"'), r"control.set\[1\]: charge lies in the"),
    (CHARGE, CHARGE.replace("20", '20, table = "coil"'), "points.charge: a coil cannot be a u16"),
    (CHARGE, CHARGE.replace(", takes = [0, 5000]", ""), r"control.set\[1\]: charge needs `takes`"),
    (CHARGE, CHARGE.replace("[0, 5000]", "[5, 5]"), "points.charge: takes 5 to 5, which"),
    (CHARGE, CHARGE.replace("[0, 5000]", "[0, 9], bits = [0, 4]"), r"control.set\[1\]: charge"),
    (CHARGE, CHARGE.replace("20", "20, offset = 0.5"), r"control.set\[1\]: charge has an off"),
    ('power_w = "power"', 'power_w = "p"', "read: there is no point 'p'"),
    ('power_w = "power"', 'power_w = "Power"', "read.power_w: 'Power' is no name"),
    ('power_w = "power"', 'soc = "power"', "read.power_w: is missing"),
    ('power_w = "power"', 'power_w = "power"\nconnected = { point = "power" }', "read.connected: "),
    ('{ kind = "reversion", safe = "idles" }', '{ kind = "hope", safe = "" }', "control.expiry"),
    ('kind = "reversion"', 'kind = "guard"', "control.expiry: a guard needs its risk written down"),
    ('kind = "reversion"', 'kind = "watchdog"', "control.expiry: a watchdog has a timeout_s"),
    ('kind = "reversion"', 'kind = "reversion", timeout_s = 9', "control.expiry: timeout_s and ev"),
    ('"lapse_s"', "30", "control.expiry: no step of set writes lapse_s, so nothing ends a set-p"),
    ("expiry =", "# expiry =", "control.expiry: is missing"),
    ("safe = [", "reset = [", "control: safe is missing or empty"),
    (SET, SET.replace("power_w", "wishes"), r"control.set\[1\].value: must be a valid num.*; or"),
    (SET, SET.replace("value", 'when = "always", per = "p", value'), r"control.set\[1\]: there is"),
    (SET, SET.replace("value", "factor = 0, value"), r"control.set\[1\]: a factor of 0"),
    (SET, SET.replace("value", "otherwise = 1, value"), r"control.set\[1\]: otherwise is for"),
    (SET, SET.replace("power_w", "revert_w"), r"control.set\[1\]: revert_w needs an otherwise"),
    (SET, f"{SET}, {REVERT}", "control.safe: does not take back hold, where set writes revert_w"),
    (SET, SET.replace('"power_w"', "70000"), r"control.set\[1\]: charge cannot hold 70000"),
    (SET, SET.replace('"power_w"', "1, factor = 2"), r"control.set\[1\]: factor, per, below and"),
    ("value = 0 }]", 'value = "power_w" }]', r"control.safe\[0\]: power_w is of a set-point"),
    ("value = 0 }]", 'value = 0, when = "zero" }]', r"control.safe\[0\]: when zero asks for a"),
    ('kinds = ["battery"]', 'kinds = ["meter"]', "control: a meter takes no set-points"),
]  # fmt: skip


def test_the_good_one_is_good() -> None:
    device = parse(GOOD, "box.toml")
    assert device.polled == ("power",)
    assert device.control is not None


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[new for _, new, _ in MISTAKES])
def test_a_mistake_is_named_with_file_and_place(old: str, new: str, said: str | None) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new)
    if said is None:
        assert parse(text, "box.toml").polled == ("power", "hold")
        return
    with pytest.raises(PermanentError, match=rf"^box\.toml: {said}") as caught:
        parse(text, "box.toml")
    assert "\n" not in str(caught.value)
    assert "pydantic" not in str(caught.value)


@given(st.text(max_size=80), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_whatever_is_in_a_file_ends_in_that_error_or_none(text: str, at: int, cut: int) -> None:
    for damaged in (text, GOOD[:at] + text + GOOD[at + cut :]):
        with contextlib.suppress(PermanentError):
            parse(damaged, "box.toml")


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(
        PermanentError, match=r"^no-such-box: no such file, .*\(there are: abb-b24, "
    ):
        load("no-such-box")
    with pytest.raises(PermanentError, match=r"cannot be read: "):
        load(str(tmp_path))
    with pytest.raises(PermanentError, match=r"cannot be read: "):
        load("a\0b")
    (tmp_path / "latin.toml").write_bytes(b"title = '\xe9'")
    with pytest.raises(PermanentError, match=r"latin.toml: is not UTF-8 text"):
        load(str(tmp_path / "latin.toml"))
    (tmp_path / "large.toml").write_bytes(b" " * 600_000)
    with pytest.raises(PermanentError, match=r"large.toml: is too large for a description"):
        load(str(tmp_path / "large.toml"))
    os.mkfifo(tmp_path / "pipe")
    for endless in ("/dev/zero", str(tmp_path / "pipe")):
        with pytest.raises(PermanentError, match=r": is no ordinary file"):
            load(endless)
    (tmp_path / "own.toml").write_text(GOOD)
    assert load(str(tmp_path / "own.toml")).title == "A box"


@pytest.mark.parametrize(
    ("kind", "map_", "said"),
    [
        (DeviceKind.PV, "victron-ess", "victron-ess describes a battery, not a pv"),
        (DeviceKind.BATTERY, "nothing", "nothing: no such file"),
    ],
)
def test_a_description_for_another_kind_of_device_is_refused(
    kind: DeviceKind, map_: str, said: str
) -> None:
    spec = DeviceSpec("box", kind, "Box", Control.TARGET, -1, 1)
    at = MappedAddress(ModbusAddress("127.0.0.1"), map_)
    with pytest.raises(PermanentError, match=rf"^box: {said}"):
        connector(DeviceDescription(spec, "modbus", at), None, lambda: 0.0)


@pytest.mark.parametrize("name", names())
def test_each_of_ours_is_whole(name: str) -> None:
    device = load(name)
    # What `faults` proves of any file (no overlap, an end or a guard, bounds) holds for these too;
    # the rest is what a reader of ours may rely on.
    assert device.title
    assert device.manufacturer
    assert len(device.source) > 10
    path = Path(load.__code__.co_filename).parent / "maps" / f"{name}.toml"
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert text.isascii()
    assert tomllib.loads(text)["title"] == device.title
    if device.control is not None:
        assert device.control.expiry.safe
        if device.control.expiry.kind is Expiry.GUARD:
            assert device.control.expiry.risk
        for step in device.control.set:
            point = device.points[step.point]
            assert point.table in {Table.COIL, Table.HOLDING}
            if isinstance(step.value, Quantity):
                assert point.least < point.most


def test_there_are_enough_of_ours_for_a_choice() -> None:
    found = {each.name: each for each in bundled()}
    assert len(found) >= 8
    assert found["victron-gx"].unit == 100
    assert found["solaredge-inverter"].port == 1502
    assert not found["eastron-sdm630"].controlled
    assert found["heidelberg-energy-control"].kinds == {DeviceKind.EVSE}
    kinds = frozenset[DeviceKind]().union(*(each.kinds for each in found.values()))
    assert kinds >= set(DeviceKind)

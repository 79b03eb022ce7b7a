"""Finding models in devices that get their list wrong, and reading them in few frames."""

import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.constants import ExcCodes

from der.drivers.modbus.connection import MAX_REGISTERS, ModbusConnection
from der.drivers.sunspec import link as sunspec
from der.drivers.sunspec.block import Located, Reader, block_of
from der.drivers.sunspec.map import MANNERS, Plan, SunSpecMap, merged, want
from der.drivers.sunspec.model import Point, decode, load_model, repetitions
from der.errors import PermanentError, RefusalError, TransientError
from tests.der.drivers.servers import (
    BASE,
    Points,
    Served,
    laid_out,
    model_registers,
    serve_registers,
    sunspec_map,
    where,
)
from tests.der.drivers.test_sunspec import BATTERY, INVERTER, METER, METERED, STORED

pytestmark = [pytest.mark.requirement("SVC-READ")]

CURVES: Points = {
    "NPt": 4, "NCrv": 3, "V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": 0, "Ena": 1,
    "Crv[1].ActPt": 4, "Crv[1].Pt[1].V": 9200, "Crv[1].Pt[1].Var": 3000,
    "Crv[3].Pt[4].V": 10800, "Crv[3].Pt[4].Var": -3000,
}  # fmt: skip


@asynccontextmanager
async def opened(
    registers: Sequence[int], base: int = BASE
) -> AsyncIterator[tuple[ModbusConnection, Served]]:
    async with serve_registers(base, registers) as served:
        bus = await ModbusConnection.open("pv", served.address)
        yield bus, served
        bus.close()


# Groups


def test_curves_are_laid_out_as_the_device_has_them() -> None:
    model = laid_out(705, CURVES)
    assert (repetitions(model, "Crv"), repetitions(model, "Crv[2].Pt")) == (3, 4)
    assert repetitions(load_model(705), "Crv") == 0
    assert model.points["Crv[1].ActPt"].offset == 15
    assert model.points["Crv[2].ActPt"].offset == 15 + 10 + 4 * 2
    assert model.points["Crv[3].Pt[4].Var"].scale == "DeptRef_SF"
    assert model.points["Crv[3].Pt[4].Var"].writable
    assert not model.points["Crv[3].ReadOnly"].writable
    block = block_of(model, struct.pack(f">{model.end}H", *model_registers(705, CURVES)))
    assert block.number("Crv[3].Pt[4].V") == 108.0
    assert block.number("Crv[3].Pt[4].Var") == -30.0
    assert block.number("Crv[2].Pt[1].V") is None
    with pytest.raises(KeyError, match=r"model 705 has no point Crv\[4\]"):
        block.number("Crv[4].ActPt")


def test_groups_that_occur_once_are_there_from_the_start() -> None:
    assert load_model(704).points["PFWAbsRvrt.Ext"].end == load_model(704).end == 67


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(2, 400))
def test_counts_that_lie_never_reach_beyond_the_model(points: int, curves: int, size: int) -> None:
    model = load_model(705).lay_out({"NPt": points, "NCrv": curves}, size)
    assert model.end <= max(size, 15)
    assert all(a.end == b.offset for a, b in zip(*_neighbours(model.points), strict=True))


def _neighbours(points: Mapping[str, Point]) -> tuple[list[Point], list[Point]]:
    placed = list(points.values())
    return placed[:-1], placed[1:]


async def test_discovery_counts_the_groups() -> None:
    models = {**INVERTER, 705: CURVES, 160: {"N": 2}, 714: {"NPrt": 1}}
    async with opened(sunspec_map(models)) as (bus, _):
        device = await SunSpecMap.discover(bus, [701, 705, 160, 714])
    assert device.ids == (1, 701, 702, 703, 704, 705, 160, 714)
    assert set(device.models) == {701, 705, 160, 714}
    assert repetitions(device.models[705].model, "Crv") == 3
    assert repetitions(device.models[160].model, "module") == 2
    assert repetitions(device.models[714].model, "Prt") == 1


# Lists that are wrong


async def test_of_several_models_of_one_number_the_first_counts() -> None:
    registers = sunspec_map(INVERTER, marked=False)
    second = model_registers(704, {"WMaxLimPct": 1})
    async with opened([*registers, *second, 0xFFFF, 0]) as (bus, _):
        device = await SunSpecMap.discover(bus, [704])
    assert device.ids == (1, 701, 702, 703, 704, 704)
    assert device.models[704].address == where(INVERTER, 704, "ID")


@pytest.mark.parametrize("tail", [[], [0, 0], [0xFFFF, 0xFFFF], [0] * 20])
async def test_a_list_without_its_end_marker(tail: list[int]) -> None:
    registers = [*sunspec_map(METERED, marked=False), *tail]
    async with serve_registers(BASE, registers) as served:
        link = await sunspec.connect(METER, served.address)
        assert (await link.read()).power_w == -1520
        await link.close()


@pytest.mark.parametrize("wrong", [-1, 1, -2, 2, 30])
async def test_a_length_that_is_wrong_is_found_out(
    wrong: int, caplog: pytest.LogCaptureFixture
) -> None:
    registers = sunspec_map(STORED)
    at = where(STORED, 702, "L") - BASE
    registers[at] += wrong
    async with opened(registers) as (bus, _):
        device = await SunSpecMap.discover(bus, STORED)
    assert device.ids == tuple(STORED)
    assert device.models[704].address == where(STORED, 704, "ID")
    (said,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert said.startswith("pv: SunSpec model 702 at register ")
    assert said.endswith(f"says {50 + wrong} registers and has 50")


async def test_models_of_makers_and_of_the_future_are_passed_over() -> None:
    registers = [0x5375, 0x6E53, 64999, 3, 1, 2, 3, 799, 2, 5, 6]
    registers += sunspec_map(METERED)[2:]
    async with opened(registers) as (bus, _):
        device = await SunSpecMap.discover(bus, [203])
    assert device.ids == (64999, 799, 1, 203)


async def test_a_model_longer_than_its_definition() -> None:
    registers = sunspec_map(METERED, marked=False)
    registers[where(METERED, 203, "L") - BASE] += 5
    async with serve_registers(BASE, [*registers, 9, 9, 9, 9, 9, 0xFFFF, 0]) as served:
        link = await sunspec.connect(METER, served.address)
        assert (await link.read()).energy_import_wh == 1_234_560
        await link.close()


async def test_a_map_without_models() -> None:
    async with opened([0x5375, 0x6E53, 0xFFFF, 0]) as (bus, _):
        with pytest.raises(PermanentError, match=r"^pv: the SunSpec map at .* has no models"):
            await SunSpecMap.discover(bus, [701])


@pytest.mark.parametrize(
    "code", [ExcCodes.ILLEGAL_FUNCTION, ExcCodes.ILLEGAL_ADDRESS, ExcCodes.DEVICE_FAILURE]
)
async def test_a_base_is_found_behind_others_that_are_refused(code: ExcCodes) -> None:
    async with opened(sunspec_map(METERED), base=50000) as (bus, served):
        served.refuse[3, 40000] = code
        device = await SunSpecMap.discover(bus, [203])
    assert set(device.models) == {203}


async def test_a_device_that_is_busy_at_every_base_may_be_asked_again() -> None:
    async with opened(sunspec_map(METERED)) as (bus, served):
        served.refuse[3, 40000] = ExcCodes.DEVICE_BUSY
        with pytest.raises(TransientError, match=r"^pv: SunSpec marker at .* busy"):
            await SunSpecMap.discover(bus, [203])
        served.refuse.clear()
        assert (await SunSpecMap.discover(bus, [203])).models


# Frames


@pytest.mark.parametrize("most", [125, 124, 100, 64, 40, 32, 20, 16])
async def test_a_device_that_answers_few_registers_at_a_time(most: int) -> None:
    async with serve_registers(BASE, sunspec_map(STORED)) as served:
        served.most = most
        link = await sunspec.connect(BATTERY, served.address)
        await link.read()
        served.frames.clear()
        reading = await link.read()
        assert (reading.power_w, reading.soc) == (-2345, 0.5725)
        assert all(frame.count <= most for frame in served.frames), "it is remembered"
        assert [(frame.address, frame.count) for frame in served.frames] == list(link.frames)
        await link.close()


async def test_a_device_that_answers_one_model_at_a_time() -> None:
    async with serve_registers(BASE, sunspec_map(STORED)) as served:
        served.borders = frozenset(where(STORED, model, "ID") for model in STORED)
        link = await sunspec.connect(BATTERY, served.address)
        assert (await link.read()).soc == 0.5725
        served.frames.clear()
        assert (await link.read()).soc == 0.5725
        assert len(served.frames) == 4, "of models 701, 703, 704 and 713"
        await link.close()


async def test_a_refusal_that_smaller_frames_do_not_help_against_is_told_once() -> None:
    async with opened(sunspec_map(METERED)) as (bus, served):
        device = await SunSpecMap.discover(bus, METERED)
        plan = Plan(device, [want(device.models[203], ["W", "Hz", "TotWhImp"])])
        served.most = 1
        served.frames.clear()
        with pytest.raises(RefusalError, match=r"^pv: power at .* exception 3"):
            await plan.read("power")
        tried = len(served.frames)
        assert tried <= len(MANNERS)
        with pytest.raises(RefusalError, match=r"^pv: power at .* exception 3"):
            await plan.read("power")
        assert len(served.frames) == tried + 1, "not all of it again"
        served.most = 125
        (block,) = await plan.read("power")
        assert block.number("W") == -1520


def least(spans: Sequence[tuple[int, int]], most: int) -> int:
    """Fewest windows of `most` registers that have every span in one of them; by trying all."""
    best = [0]
    for end in range(len(spans)):
        last = max(start + count for start, count in spans[: end + 1])
        options = [
            best[begin] + 1
            for begin in range(end + 1)
            if last - spans[begin][0] <= most or begin == end
        ]
        best.append(min(options))
    return best[-1]


@pytest.mark.parametrize(
    "models",
    [*combinations([1, 103, 120, 121, 122, 123, 124, 160, 802], 4), (1, 701, 702, 703, 704, 713)],
)
def test_a_plan_takes_the_fewest_frames_there_can_be(models: Sequence[int]) -> None:
    parts, address = [], BASE
    for model_id in models:
        model = load_model(model_id)
        names = list(model.points)[3::7]
        parts.append(want(Located(model, address, model.end), names))
        address += model.end
    plan = Plan(SunSpecMap(None, {}), parts)  # type: ignore[arg-type]
    spans = sorted(span for part in parts for span in part.spans)
    assert len(plan.frames) == least(spans, MAX_REGISTERS)
    assert all(count <= MAX_REGISTERS for _, count in plan.frames)


def test_points_of_one_model_asked_twice_are_read_once() -> None:
    at = Located(load_model(203), BASE, 107)
    (part,) = merged([want(at, ["W", "Hz"]), want(at, ["W", "PhV"])])
    assert part.names == ("W", "Hz", "W_SF", "Hz_SF", "PhV", "V_SF")


def test_between_asks_for_what_lies_between() -> None:
    at = Located(load_model(704), BASE, 67)
    names = want(at, ["WMaxLimPctEna", "WMaxLimPctRvrtTms"], between=True).names
    assert names[0] == "WMaxLimPctEna"
    assert "WMaxLimPctEnaRvrt" in names
    short = Located(load_model(704), BASE, 18)
    assert want(short, ["WMaxLimPctRvrt", "WMaxLimPctRvrtTms"]).names == ("WMaxLimPctRvrt",)


@settings(max_examples=50)
@given(st.data())
def test_blocks_say_what_each_point_alone_says(data: st.DataObject) -> None:
    """The compiled decoding of frames against the plain decoding of one point at a time."""
    model_id = data.draw(st.sampled_from([1, 103, 113, 203, 213, 701, 702, 704, 713, 802]))
    model = load_model(model_id)
    registers = data.draw(
        st.lists(
            st.sampled_from([0, 1, 2, 0x7FFF, 0x8000, 0xFFFF, 0xFFFE, 0x7FC0, 0x3F80]),
            min_size=model.end,
            max_size=model.end,
        )
    )
    cut = data.draw(st.integers(2, model.end))
    block = block_of(model, struct.pack(f">{cut}H", *registers[:cut]))
    for point in model.points.values():
        raw = registers[point.offset : point.end]
        if point.end > cut:
            assert block.raw(point.name) is None
            continue
        assert block.raw(point.name) == tuple(raw)
        if point.type in {"string", "pad"}:
            continue
        value = decode(point, raw)
        scale = point.scale
        if isinstance(scale, str):
            place = model.points[scale]
            factor = decode(place, registers[place.offset : place.end])
            lost = place.end > cut or factor is None or abs(factor) > 10
            value = None if lost or value is None or factor is None else value * 10.0**factor
        assert block.number(point.name) == pytest.approx(value, nan_ok=False)
        assert block.numbers()[point.name] == block.number(point.name)


def test_frames_are_decoded_each_from_its_own_place() -> None:
    at = Located(load_model(203), BASE, 107)
    reader = Reader([(BASE + 4, 2), (BASE + 16, 5)], [at])
    (block,) = reader.blocks(struct.pack(">7H", 11, 12, 20, 21, 22, 23, 24))
    assert (block.raw("AphB"), block.raw("AphC")) == ((11,), (12,))
    assert (block.raw("A_SF"), block.number("PhV")) == (None, None)
    assert (block.raw("Hz_SF"), block.raw("W"), block.raw("WphA")) == ((21,), (22,), (23,))

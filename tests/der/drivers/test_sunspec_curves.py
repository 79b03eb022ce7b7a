"""Curves and droop on the simulated inverter: written, adopted, read back, and seen to act."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from der.commands import Options, ReadFunction, StopFunction, WriteFunction
from der.curves import Curve, Droop, GridFunction, GridSupport, ShareOf
from der.drivers.sunspec import functions
from der.errors import PermanentError, RejectedError, TransientError
from tests.der.drivers.sunspec_home import Opened, opened, opened_in

VOLT_VAR = Curve(
    GridFunction.VOLT_VAR,
    ((0.90, -0.30), (0.97, 0.0), (1.03, 0.0), (1.10, 0.30)),
    ShareOf.MAX_VAR,
    response_s=3.0,
)
OTHER_VOLT_VAR = Curve(
    GridFunction.VOLT_VAR, ((0.90, -0.10), (1.10, 0.10)), ShareOf.MAX_VAR, response_s=3.0
)
VOLT_WATT = Curve(GridFunction.VOLT_WATT, ((1.05, 1.0), (1.10, 0.25)), response_s=2.0)
WATT_VAR = Curve(GridFunction.WATT_VAR, ((-1.0, 0.4), (-0.5, 0.0), (0.0, 0.0)), ShareOf.MAX_VAR)
DROOP = Droop(GridFunction.FREQUENCY_DROOP, 0.2, 0.2, 0.05, 0.04, response_s=1.0, least_share=0.1)
ALL: tuple[GridSupport, ...] = (VOLT_VAR, VOLT_WATT, WATT_VAR, DROOP)
MAX_VAR = 4000 * 1.1 * 0.44
HIGH_V = 253.0


@pytest.fixture
async def pv() -> AsyncIterator[Opened]:
    async with opened("pv", pv_style="full") as device:
        yield device


async def write(device: Opened, what: GridSupport, lapse_s: float | None = None) -> GridSupport:
    return await device.handle.ioctl(WriteFunction(what, lapse_s))


async def moves(device: Opened, var: float, what: str) -> None:
    await device.reads(lambda r: r.reactive_var == pytest.approx(var, abs=1), what)


@pytest.mark.requirement("SVC-IOCTL")
@pytest.mark.parametrize("asked", ALL, ids=lambda asked: str(asked.function))
async def test_a_function_reads_as_it_was_written(pv: Opened, asked: GridSupport) -> None:
    assert await write(pv, asked) == asked
    assert await pv.handle.ioctl(ReadFunction(asked.function)) == asked


async def test_the_device_says_what_it_has(pv: Opened) -> None:
    options = await pv.handle.ioctl(Options())
    assert options.functions == frozenset(GridFunction) - {GridFunction.FREQUENCY_WATT}


@pytest.mark.requirement("SVC-IOCTL")
async def test_volt_var_absorbs_at_high_voltage_and_the_meter_sees_it(pv: Opened) -> None:
    await write(pv, VOLT_VAR)
    pv.home.house.supply.fixed_v = HIGH_V
    await moves(pv, 0.30 * MAX_VAR, "absorbs what its curve says")
    async with opened_in(pv.home, "meter") as meter:
        await moves(meter, 0.30 * MAX_VAR, "the meter counts it as the inverter does")
    pv.home.house.supply.fixed_v = 207.0
    await moves(pv, -0.30 * MAX_VAR, "injects at low voltage")
    assert await pv.handle.ioctl(StopFunction(GridFunction.VOLT_VAR)) == "volt-var is off"
    await moves(pv, 0.0, "moves none when it is off")
    assert await pv.handle.ioctl(ReadFunction(GridFunction.VOLT_VAR)) == VOLT_VAR


async def test_watt_var_absorbs_at_high_output(pv: Opened) -> None:
    await write(pv, WATT_VAR)
    pv.home.house.fixed_pv_w = 4000.0
    await pv.reads(lambda r: r.power_w == -4000, "full output")
    most_var = (4400**2 - 4000**2) ** 0.5
    await moves(pv, min(0.4 * MAX_VAR, most_var), "absorbs what its curve says")


async def test_volt_watt_bounds_the_output(pv: Opened) -> None:
    await write(pv, VOLT_WATT)
    pv.home.house.supply.fixed_v = HIGH_V
    await pv.reads(lambda r: r.power_w == pytest.approx(-1000, abs=1), "a quarter of 4 kW")


async def test_droop_lowers_the_output_at_high_frequency(pv: Opened) -> None:
    await pv.reads(lambda r: r.power_w == -3000, "undisturbed")
    await write(pv, DROOP)
    pv.home.house.supply.fixed_hz = 50.5
    # 0.3 Hz beyond the dead band are 0.6 % of 50 Hz; 5 % would be 4000 W.
    await pv.reads(lambda r: r.power_w == pytest.approx(-3000 + 480, abs=1), "less")
    pv.home.house.supply.fixed_hz = 53.0
    await pv.reads(lambda r: r.power_w == pytest.approx(-400, abs=1), "not below its least")


@pytest.mark.requirement("SVC-IOCTL")
@pytest.mark.parametrize("slots", [2, 3])
async def test_a_function_that_was_off_ends_by_itself_with_the_hub_gone(slots: int) -> None:
    async with opened("pv", pv_style="full", curve_slots=slots) as pv:
        pv.home.house.supply.fixed_v = HIGH_V
        await write(pv, VOLT_VAR, lapse_s=1)
        await moves(pv, 0.30 * MAX_VAR, "acts")
        await pv.handle.close()
        async with opened_in(pv.home, "pv") as again:
            await moves(again, 0.0, "went back to none by itself")


@pytest.mark.parametrize("slots", [2, 3])
async def test_an_event_ends_in_what_ran_before_it(slots: int) -> None:
    async with opened("pv", pv_style="full", curve_slots=slots) as pv:
        await write(pv, OTHER_VOLT_VAR)
        assert await write(pv, VOLT_VAR, lapse_s=30) == VOLT_VAR
        # Renewed, and changed meanwhile: it goes back to what ran before all of that.
        assert await write(pv, VOLT_VAR, lapse_s=30) == VOLT_VAR
        third = Curve(GridFunction.VOLT_VAR, ((0.9, -0.2), (1.1, 0.2)), ShareOf.MAX_VAR, 3.0)
        assert await write(pv, third, lapse_s=1) == third
        await pv.asks(
            ReadFunction(GridFunction.VOLT_VAR), lambda curve: curve == OTHER_VOLT_VAR, "went back"
        )


async def test_nothing_is_adopted_before_its_end_is_set(pv: Opened) -> None:
    await write(pv, VOLT_VAR, lapse_s=30)
    said = [w.values for w in pv.home.journal.writes()]
    order = [
        next(i for i, values in enumerate(said) if part in values)
        for part in ("Crv.2.ActPt=4", "Crv.3.ActPt=2", "RvrtCrv=3", "RvrtTms=30", "AdptCrvReq=2")
    ]
    assert order == sorted(order)
    assert said.index("Ena=1") > order[-1]
    assert said[-1] == "RvrtTms=30"
    renewed = await since(pv, lambda: write(pv, VOLT_VAR, lapse_s=30))
    assert not any("Crv." in values or "Adpt" in values for values in renewed), "its time only"
    changed = await since(pv, lambda: write(pv, OTHER_VOLT_VAR, lapse_s=30))
    assert any("Crv.2." in values for values in changed)
    assert not any("Crv.3." in values for values in changed), "what it goes back to stays"


async def since(device: Opened, call: Callable[[], Awaitable[object]]) -> list[str]:
    """Do something and return what was written meanwhile."""
    writes = device.home.journal.writes()
    await call()
    return [w.values for w in device.home.journal.writes(writes[-1].number)]


async def test_an_event_may_become_permanent(pv: Opened) -> None:
    await write(pv, VOLT_VAR, lapse_s=30)
    await write(pv, VOLT_VAR)
    last = next(w for w in reversed(pv.home.journal.writes()) if "RvrtTms" in w.values)
    assert last.values == "RvrtTms=0"


@pytest.mark.parametrize(
    ("options", "asked", "lapse_s", "says"),
    [
        ({"curve_slots": 1}, VOLT_VAR, None, r"^pv: model 705 has no free slot: all 1 Crv"),
        (
            {},
            Curve(GridFunction.VOLT_VAR, tuple((0.9 + i / 100, 0.0) for i in range(9))),
            None,
            r"^pv: model 705 NPt: 9 points do not fit, there is room for 8",
        ),
        (
            {},
            Curve(GridFunction.VOLT_WATT, ((1.0, 1.0),), ShareOf.MAX_VA),
            None,
            r"^pv: model 706 DeptRef has no value for max-va",
        ),
        (
            {"curve_reversion": False},
            VOLT_WATT,
            60,
            r"^pv: model 706 has no RvrtTms: volt-watt cannot end by itself",
        ),
        (
            {},
            Curve(GridFunction.WATT_VAR, ((-1.0, 0.0),), response_s=3),
            None,
            r"^pv: model 712 has no RspTms",
        ),
        (
            {},
            Curve(GridFunction.VOLT_VAR, ((3.0, 0.0),)),
            None,
            r"^pv: model 705 Crv\[2\].* at .*: Modbus exception 3",
        ),
        (
            {},
            Curve(GridFunction.VOLT_VAR, ((9.0, 0.0),)),
            None,
            r"^pv: model 705: 90000 does not fit uint16 Crv\[2\].Pt\[1\].V",
        ),
        (
            {"curve_adoption": "fails"},
            VOLT_VAR,
            60,
            r"^pv: model 705 AdptCrvRslt: the device failed to adopt slot 2",
        ),
        (
            {"curve_adoption": "fails"},
            DROOP,
            None,
            r"^pv: model 711 AdptCtlRslt: the device failed to adopt slot 2",
        ),
    ],
)
async def test_what_cannot_be_done_is_said_once_and_changes_nothing(
    options: dict[str, object], asked: GridSupport, lapse_s: float | None, says: str
) -> None:
    async with opened("pv", pv_style="full", **options) as pv:
        pv.home.house.supply.fixed_v = HIGH_V
        pv.home.house.supply.fixed_hz = 51.0
        before = await pv.handle.ioctl(ReadFunction(asked.function))
        with pytest.raises(PermanentError, match=says):
            await write(pv, asked, lapse_s)
        assert await pv.handle.ioctl(ReadFunction(asked.function)) == before
        reading = await pv.reads(lambda r: r.power_w == -3000, "is not bounded")
        assert reading.reactive_var == 0


async def test_an_adoption_that_never_completes_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(functions, "ADOPTION_S", 0.4)
    async with opened("pv", pv_style="full", curve_adoption="hangs") as pv:
        with pytest.raises(TransientError, match=r"^pv: model 705 AdptCrvRslt: slot 2 was"):
            await write(pv, VOLT_VAR, 60)


@pytest.mark.parametrize("asked", ALL, ids=lambda asked: str(asked.function))
async def test_points_go_singly_where_frames_are_refused(asked: GridSupport) -> None:
    async with opened("pv", pv_style="full", single_points=True) as pv:
        assert await write(pv, asked, lapse_s=60) == asked


async def test_without_a_timer_a_function_can_be_set_for_good() -> None:
    async with opened("pv", pv_style="full", curve_reversion=False) as pv:
        assert await write(pv, VOLT_VAR) == VOLT_VAR


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Curve(GridFunction.VOLT_VAR, ()), "pv: volt-var has no points"),
        (Curve(GridFunction.VOLT_VAR, ((1.1, 0.0), (0.9, 0.0))), "not in rising order"),
        (Curve(GridFunction.VOLT_VAR, ((1.0, float("nan")),)), "not all numbers are finite"),
        (Curve(GridFunction.VOLT_WATT, ((1.0, -0.5),)), "can't be negative"),
        (Curve(GridFunction.FREQUENCY_DROOP, ((1.0, 0.5),)), "is no curve"),
        (Droop(GridFunction.FREQUENCY_DROOP, 0.1, 0.1, 0.0, 0.05), "droops above 0"),
        (Droop(GridFunction.FREQUENCY_DROOP, -0.1, 0.1, 0.05, 0.05), "dead bands from 0 Hz"),
    ],
)
async def test_settings_that_make_no_sense_are_rejected(
    pv: Opened, asked: GridSupport, says: str
) -> None:
    with pytest.raises(RejectedError, match=says):
        await write(pv, asked)
    assert pv.home.journal.writes() == []


async def test_a_device_without_curves_has_no_such_command() -> None:
    async with opened("pv") as pv:
        for command in (
            WriteFunction(VOLT_VAR),
            ReadFunction(GridFunction.VOLT_VAR),
            StopFunction(GridFunction.VOLT_VAR),
        ):
            with pytest.raises(RejectedError, match="pv: has no command"):
                await pv.handle.ioctl(command)


voltages = st.lists(st.floats(0.8, 1.2), min_size=1, max_size=8).map(sorted)
curves = st.builds(
    lambda xs, ys, of, response: Curve(
        GridFunction.VOLT_VAR, tuple(zip(xs, ys, strict=False)), of, response_s=response
    ),
    voltages,
    st.lists(st.floats(-1, 1), min_size=8, max_size=8),
    st.sampled_from(ShareOf),
    st.floats(1, 100),
)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(curves, min_size=3, max_size=3))
async def test_random_curves_come_back_within_one_step(asked: list[Curve]) -> None:
    async with opened("pv", pv_style="full") as pv:
        for curve in asked:
            got = await write(pv, curve, lapse_s=30)
            assert isinstance(got, Curve)
            assert (got.of, len(got.points)) == (curve.of, len(curve.points))
            for (x, y), (asked_x, asked_y) in zip(got.points, curve.points, strict=True):
                assert x == pytest.approx(asked_x, abs=0.0001)
                assert y == pytest.approx(asked_y, abs=0.0001)
                assert abs(y) <= abs(asked_y) + 1e-9

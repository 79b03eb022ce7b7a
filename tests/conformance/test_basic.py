"""Basic functions on the wire: identification, groups, control modes, precedence of events."""

import ssl
from functools import partial

import pytest

from hems.emg.modes import modes as carried_out
from tests.conformance.scenario import AUS, CSIP, Profile, scenario
from tests.conformance.steps import force
from tests.interop.grid.markup import Element, el
from tests.interop.grid.server import serving
from tests.interop.grid.tree import DEVICES
from tests.interop.grid.words import ACTIVE, CANCELLED, CANCELLED_RANDOM, power
from tests.interop.lone import DEVICES as HOME
from tests.interop.lone import Lone

pytestmark = pytest.mark.requirement("PRO-2030.5")

CAP = "opModMaxLimW"


@scenario("BASIC-001", "BASIC", "The device is known by LFDI, SFDI and registration PIN", CSIP)
async def test_identification(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(0, 60, opModMaxLimW=5000)
        await grid.answered(mrid, [1, 2])
    assert {e.sender for e in grid.log} == {lone.lfdi}
    assert {a.lfdi for a in grid.answers} == {lone.lfdi}
    pins, events = grid.asked("GET", f"{DEVICES}/77/pin"), grid.asked("GET", programme.events_href)
    assert pins[0].at < events[0].at


@scenario("BASIC-002", "BASIC", "Seven groups: the programme of the narrowest rules", CSIP)
async def test_seven_groups(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    groups = [grid.home.members[0], *(grid.add_group() for _ in range(6))]
    programmes = [grid.add_programme(70 - 10 * n, group=group) for n, group in enumerate(groups)]
    for number, programme in enumerate(programmes):
        programme.fall_back(opModMaxLimW=9000 - 1000 * number)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 30.0)
        mrid = programmes[3].add(0, 60, opModMaxLimW=4500)
        await force(lone, CAP, 45.0)  # an event goes before any default
        await grid.answered(mrid, [1, 2])


@scenario("BASIC-003", "BASIC", "A device moved to another group follows that one alone", CSIP)
async def test_another_group(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    old = grid.add_programme(5)
    old.fall_back(opModMaxLimW=9000)
    mrid = old.add(0, 60, opModMaxLimW=3000)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 30.0)
        await grid.answered(mrid, [1, 2])
        grid.home.members.clear()
        grid.add_group()
        grid.home.members[0].href += "/moved"
        grid.add_programme(7).fall_back(opModMaxLimW=6000)
        await force(lone, CAP, 60.0)


def _curve(name: str) -> Element:
    return el(name, href="/curves/1")


def _pf(name: str) -> Element:
    return el(name, el("displacement", 950), el("excitation", "true"), el("multiplier", -3))


MODES = (
    ("BASIC-004", "opModLVRTMustTrip", _curve("opModLVRTMustTrip"), "Voltage ride-through"),
    ("BASIC-005", "opModLFRTMustTrip", _curve("opModLFRTMustTrip"), "Frequency ride-through"),
    ("BASIC-006", "opModVoltVar", _curve("opModVoltVar"), "Volt-VAr curve"),
    ("BASIC-008", "opModFixedPFInjectW", _pf("opModFixedPFInjectW"), "Fixed power factor"),
    ("BASIC-011", "opModVoltWatt", _curve("opModVoltWatt"), "Volt-Watt curve"),
    ("BASIC-012", "opModFreqWatt", _curve("opModFreqWatt"), "Frequency-Watt curve"),
    ("BASIC-013", "opModFixedW", el("opModFixedW", 6000), "Active power in per cent"),
    ("BASIC-014", "opModTargetW", power("opModTargetW", 3000), "Active power in W"),
    ("BASIC-015", "opModWattPF", _curve("opModWattPF"), "Watt-PF curve"),
)


@pytest.mark.parametrize(
    ("mode", "element"),
    [
        pytest.param(
            mode,
            element,
            marks=scenario(id_, "BASIC", f"{title}: carried out where claimed, else refused"),
        )
        for id_, mode, element, title in MODES
    ],
)
async def test_a_control_mode(
    lone: Lone, context: ssl.SSLContext, profile: Profile, mode: str, element: Element
) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    grid.extra["/curves/1"] = _some_curve()
    async with serving(grid, context), lone.client(grid) as client:
        mrid = programme.add(0, 3, {mode: element})
        if mode in carried_out(HOME):
            await lone.until(lambda: lone.in_force(mode) is not None)
            await grid.answered(mrid, [1, 2, 3])
            return
        await grid.answered(mrid, [251 if profile is Profile.Y2023 else 252])
        (event,) = client.engine.events
        assert event.phase == "rejected"
        assert mode in event.reason  # what the owner's page shows
        assert lone.in_force(mode) is None


def _some_curve() -> Element:
    points = [
        el("CurveData", el("xvalue", x), el("yvalue", y))
        for x, y in ((92, 60), (98, 0), (108, -60))
    ]
    return el(
        "DERCurve",
        el("mRID", "C0"),
        el("creationTime", 1),
        *points,
        el("curveType", 0),
        el("xMultiplier", 0),
        el("yMultiplier", 0),
        el("yRefType", 3),
        href="/curves/1",
    )


@scenario("BASIC-016", "BASIC", "Two programmes with defaults, no control", CSIP)
async def test_two_defaults(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    weak, strong = grid.add_programme(9), grid.add_programme(2)
    weak.fall_back(opModConnect=False, opModMaxLimW=4000)
    strong.fall_back(opModMaxLimW=7000)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 70.0)
        await force(lone, "opModConnect", value=False)  # only the weaker sets that mode


@scenario("BASIC-017", "BASIC", "One programme without a default, one control", CSIP)
async def test_one_control_without_default(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    programme.offers_default = False
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(1, 2, opModMaxLimW=4000)
        await force(lone, CAP, 40.0)
        await force(lone, CAP, None)
        await grid.answered(mrid, [1, 2, 3])


@scenario("BASIC-018", "BASIC", "One programme with a default, one control", CSIP)
async def test_one_control_over_default(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    programme.fall_back(opModMaxLimW=9000)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 90.0)
        mrid = programme.add(1, 2, opModMaxLimW=4000)
        await force(lone, CAP, 40.0)
        await force(lone, CAP, 90.0)
        await grid.answered(mrid, [1, 2, 3])


@scenario("BASIC-019", "BASIC", "Two controls of one programme that do not overlap", CSIP)
async def test_two_controls_in_a_row(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    programme.fall_back(opModMaxLimW=9000)
    async with serving(grid, context), lone.client(grid):
        first = programme.add(1, 2, opModMaxLimW=4000)
        second = programme.add(4, 2, opModMaxLimW=3000)
        for value in (40.0, 90.0, 30.0, 90.0):
            await force(lone, CAP, value)
        await grid.answered(first, [1, 2, 3])
        await grid.answered(second, [1, 2, 3])


@scenario("BASIC-020", "BASIC", "Two programmes whose controls do not overlap", CSIP)
@pytest.mark.deep
async def test_two_programmes_in_a_row(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    weak, strong = grid.add_programme(9), grid.add_programme(2)
    weak.fall_back(opModMaxLimW=9000)
    strong.fall_back(opModMaxLimW=8000)
    async with serving(grid, context), lone.client(grid):
        first = weak.add(1, 2, opModMaxLimW=4000)
        second = strong.add(4, 2, opModMaxLimW=3000)
        for value in (40.0, 80.0, 30.0, 80.0):
            await force(lone, CAP, value)
        await grid.answered(first, [1, 2, 3])
        await grid.answered(second, [1, 2, 3])


@scenario(
    "BASIC-021", "BASIC", "The stronger programme's control supersedes before the start", CSIP
)
async def test_superseded_before_its_start(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    weak, strong = grid.add_programme(9), grid.add_programme(2)
    async with serving(grid, context), lone.client(grid):
        soon = round(3 * grid.patience)  # both are known before they start
        first = weak.add(soon, 4, created=grid.now() - 60, opModMaxLimW=8000)
        second = strong.add(soon, 3, opModMaxLimW=4000)
        await force(lone, CAP, 40.0, 8.0 + soon)
        await grid.answered(second, [1, 2, 3])
        assert grid.codes(first) in ([1, 7], [1, 14])


@scenario(
    "BASIC-022", "BASIC", "The weaker programme's control comes while the stronger's is due", CSIP
)
@pytest.mark.deep
async def test_weaker_over_running(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    weak, strong = grid.add_programme(9), grid.add_programme(2)
    strong.fall_back(opModMaxLimW=9000)
    async with serving(grid, context), lone.client(grid):
        second = weak.add(3, 4, created=grid.now() - 60, opModMaxLimW=8000)
        first = strong.add(2, 3, opModMaxLimW=4000)
        await force(lone, CAP, 40.0)
        await force(lone, CAP, 90.0)  # and not what was superseded
        await grid.answered(first, [1, 2, 3])
        assert grid.codes(second) in ([1, 7], [1, 14])


@scenario(
    "BASIC-023", "BASIC", "The stronger programme's control comes while the weaker's runs", CSIP
)
async def test_stronger_over_running(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    weak, strong = grid.add_programme(9), grid.add_programme(2)
    async with serving(grid, context), lone.client(grid):
        first = weak.add(0, 30, opModMaxLimW=4000)
        await force(lone, CAP, 40.0)
        second = strong.add(0, 5, opModMaxLimW=7000)
        await force(lone, CAP, 70.0)
        await grid.answered(second, [1, 2, 3])
        assert grid.codes(first) in ([1, 2, 7], [1, 2, 14])
        assert lone.in_force(CAP) is None


@pytest.mark.parametrize(
    ("strong_first", "late"),
    [
        pytest.param(
            *(False, False),
            marks=scenario("BASIC-024", "BASIC", "Independent controls, the weaker first", CSIP),
        ),
        pytest.param(
            *(True, False),
            marks=[
                scenario("BASIC-025", "BASIC", "Independent controls, the stronger first", CSIP),
                pytest.mark.deep,
            ],
        ),
        pytest.param(
            *(False, True),
            marks=scenario("BASIC-026", "BASIC", "An independent control that comes later", CSIP),
        ),
    ],
)
async def test_independent_controls(
    lone: Lone, context: ssl.SSLContext, strong_first: bool, late: bool
) -> None:
    grid = lone.grid()
    weak, strong = grid.add_programme(9), grid.add_programme(2)
    early, other = (strong, weak) if strong_first else (weak, strong)
    unit = round(grid.patience)  # s; orders take their time, too
    async with serving(grid, context), lone.client(grid):
        first = early.add(unit, 5 * unit, opModConnect=False)
        if late:
            await force(lone, "opModConnect", value=False)
        second = other.add(2 * unit, 2 * unit, opModMaxLimW=4000)
        await force(lone, CAP, 40.0)
        assert lone.in_force("opModConnect") == 0
        await grid.answered(second, [1, 2, 3])
        await grid.answered(first, [1, 2, 3])


@scenario(
    "ALL-18", "CTL", "Responses to a control that runs, is taken back, or cannot be done", AUS
)
async def test_control_responses(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        run = programme.add(0, 2, opModExpLimW=1000.0)
        back = programme.add(0, 60, opModGenLimW=1000.0)
        never = programme.add(60, 60, opModImpLimW=1000.0)
        await grid.answered(back, [1, 2])
        await grid.answered(never, [1])
        programme.restate(back, CANCELLED)
        programme.restate(never, CANCELLED)
        await grid.answered(back, [1, 2, 6])
        await grid.answered(never, [1, 6])
        await grid.answered(run, [1, 2, 3])


@pytest.mark.parametrize(
    ("modes", "code"),
    [
        pytest.param(
            {"opModExpLimW": -5.0},
            253,
            marks=scenario("ALL-24A", "CTL", "A limit below zero is refused as invalid", AUS),
        ),
        pytest.param(
            {},
            253,
            marks=scenario("ALL-24B", "CTL", "A control that sets nothing is refused as invalid"),
        ),
    ],
)
async def test_nonsense_is_refused(
    lone: Lone, context: ssl.SSLContext, modes: dict[str, float], code: int
) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid) as client:
        mrid = programme.add(0, 60, modes)
        await grid.answered(mrid, [code])
        (event,) = client.engine.events
        assert event.reason
        fine = programme.add(0, 60, opModMaxLimW=5000)
        await force(lone, CAP, 50.0)
        await grid.answered(fine, [1, 2])


@scenario("ALL-24C", "CTL", "A control that is over before it comes is refused as expired")
async def test_expired_is_refused(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    mrid = programme.add(-120, 60, current=ACTIVE, opModMaxLimW=5000)
    async with serving(grid, context), lone.client(grid):
        await grid.answered(mrid, [254])


@scenario("ALL-24D", "CTL", "A control for other device categories is not answered at all")
async def test_other_categories_are_not_answered(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    foreign = programme.add(0, 60, category="00000002", opModMaxLimW=1000)
    async with serving(grid, context), lone.client(grid):
        mine = programme.add(0, 60, category="FFFFFFFF", opModMaxLimW=5000)
        await grid.answered(mine, [1, 2])
        assert grid.codes(foreign) == []
        assert lone.in_force(CAP) == 50.0


@scenario("ALL-24", "CTL", "Limits with any power of ten are read right", AUS)
async def test_scaling_factors(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        for multiplier, watts in ((-2, 150.25), (-1, 1500.5), (0, 1500), (1, 15000), (3, 2e6)):
            programme.events.items.clear()
            programme.add(0, 60, opModImpLimW=power("aus:opModImpLimW", watts, multiplier))
            await lone.until(partial(_limited, lone, watts))


def _limited(lone: Lone, watts: float) -> bool:
    held = lone.in_force("opModImpLimW")
    return isinstance(held, float | int) and abs(held - watts) < 0.011


@scenario("ALL-21", "CTL", "A schedule of many controls is kept in order")
async def test_scheduling(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    made = [programme.add(5 + 2 * n, 2, opModMaxLimW=1000 * (n + 1)) for n in range(5)]
    async with serving(grid, context), lone.client(grid):
        for mrid in made:
            await grid.answered(mrid, [1, 2, 3], 20.0)
    assert lone.took(CAP) == [10, 20, 30, 40, 50]


@scenario("ALL-22", "CTL", "Randomised starts lie within their range, and differ")
async def test_randomised_starts(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    begin = grid.now() + 100
    made = [programme.add(100, 60, randomize_start_s=60, opModMaxLimW=5000) for _ in range(12)]
    async with serving(grid, context), lone.client(grid) as client:
        await grid.until(lambda: len(grid.answers) >= len(made), 10.0, "all received")
        starts = [e.starts_at for e in client.engine.events]
    assert all(begin - 1.5 <= start <= begin + 61.5 for start in starts)
    assert len({round(start) for start in starts}) > 3


@scenario("ALL-22A", "CTL", "Cancelled with randomisation: it ends within the range, not at once")
async def test_cancelled_with_randomisation(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(0, 300, randomize_duration_s=4, opModMaxLimW=5000)
        await force(lone, CAP, 50.0)
        await grid.answered(mrid, [1, 2])
        programme.restate(mrid, CANCELLED_RANDOM)
        await force(lone, CAP, None, 8.0)
        await grid.answered(mrid, [1, 2, 6])

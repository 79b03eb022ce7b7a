"""Set-points to writes: never beyond what is asked, never beyond what is declared."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.drivers.mapped.meaning import RATING
from der.drivers.mapped.planning import Asked, Known, plan
from der.drivers.mapped.points import Kind, Point, Table, Values, decode_raw, scaled
from der.drivers.mapped.reading import Standing
from der.drivers.mapped.steps import Quantity, Step, When
from der.errors import RejectedError, TransientError
from der.model import Control, DeviceKind, DeviceSpec

SPEC = DeviceSpec("box", DeviceKind.BATTERY, "Box", Control.TARGET, -5000, 5000)
STANDING = Standing("box", 5000.0, 3, 230.0)
WHOLE = [Kind.U16, Kind.S16, Kind.U32, Kind.S32]


def asked(
    power_w: float | None, lapse_s: float | None = 30.0, revert_w: float | None = None
) -> Asked:
    return Asked(SPEC, STANDING, 6.0, power_w, lapse_s, revert_w, 1380.0)


def point(
    kind: Kind = Kind.S16, scale: float = 1.0, least: float = -math.inf, most: float = math.inf
) -> Point:
    return Point("x", Table.HOLDING, 0, kind, kind.size, scale, least=least, most=most)


def written(step: Step, at: Point, what: Asked, values: Values | None = None) -> float | None:
    """Return what the device is then told, in the point's unit; None for nothing."""
    writes = plan([step], Known({"x": at}, values or Values()), what)
    if not writes:
        return None
    raw = decode_raw(at, list(writes[0].words))
    assert raw is not None
    return scaled(at, raw, 0.0)


@given(
    kind=st.sampled_from([*WHOLE, Kind.F32, Kind.F64]),
    scale=st.sampled_from([1.0, 0.1, 0.01, 10.0, 0.25]),
    bounds=st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
    power_w=st.floats(-5000, 5000) | st.sampled_from([math.nan, math.inf, -math.inf]),
    quantity=st.sampled_from([Quantity.POWER, Quantity.CURRENT]),
    factor=st.sampled_from([1.0, -1.0, 0.001, -100.0]),
    per=st.sampled_from(["", RATING]),
    below=st.none() | st.just(0.0),
)
def test_never_beyond_its_bounds_and_never_more_than_asked(  # noqa: PLR0917
    kind: Kind,
    scale: float,
    bounds: tuple[float, float],
    power_w: float,
    quantity: Quantity,
    factor: float,
    per: str,
    below: float | None,
) -> None:
    least, most = sorted(bounds)
    at = point(kind, scale, least, most)
    step = Step("x", quantity, factor=factor, per=per, below=below)
    try:
        told = written(step, at, asked(power_w))
    except RejectedError:
        return
    wish = power_w * factor / (STANDING.watts_per_ampere if quantity is Quantity.CURRENT else 1.0)
    wish = wish / STANDING.rating_w if per else wish
    assert math.isfinite(power_w)
    assert told is not None
    slack = 1e-6 * max(1.0, abs(told))
    assert least - slack <= told <= most + slack or told == below
    assert abs(told) <= abs(wish) + slack


@given(st.floats(0.001, 1e6), st.sampled_from([1.0, 60.0]))
def test_a_time_is_never_shorter_than_asked(lapse_s: float, scale: float) -> None:
    at = point(kind=Kind.U16, scale=scale, least=scale, most=65535 * scale)
    try:
        told = written(Step("x", Quantity.LAPSE), at, asked(0.0, lapse_s))
    except RejectedError:
        assert lapse_s > 65535 * scale
        return
    assert told is not None
    assert lapse_s - 1e-6 <= told < max(lapse_s, scale) + scale


@pytest.mark.parametrize(
    ("step", "at", "what", "told"),
    [
        (
            Step("x", Quantity.LAPSE),
            point(kind=Kind.U16, least=1, most=900),
            asked(None, None),
            900,
        ),
        (
            Step("x", Quantity.CURRENT, below=0.0),
            point(scale=0.1, least=6, most=16),
            asked(4139),
            0,
        ),
        (Step("x", Quantity.CURRENT), point(scale=0.1, least=6, most=16), asked(4140), 6),
        (Step("x", Quantity.CURRENT), point(scale=0.1, least=6, most=16), asked(5000), 7.2),
        (Step("x", Quantity.POWER), point(least=-3000, most=3000), asked(-4000), -3000),
        (Step("x", Quantity.FALLBACK), point(scale=0.1, least=6, most=16), asked(None), 6),
        (Step("x", Quantity.RATING), point(least=0, most=9000), asked(None), 5000),
        (
            Step("x", Quantity.REVERT, factor=-100, per=RATING, otherwise=100.0),
            point(least=0, most=100),
            asked(-1000, revert_w=-2500),
            50,
        ),
        (
            Step("x", Quantity.REVERT, factor=-100, per=RATING, otherwise=100.0),
            point(least=0, most=100),
            asked(-1000),
            100,
        ),
        (Step("x", 7.0, when=When.POSITIVE), point(), asked(0), None),
        (Step("x", 7.0, when=When.NOT_NEGATIVE), point(), asked(0), 7),
        (Step("x", 7.0, when=When.NEGATIVE), point(), asked(-1), 7),
        (Step("x", 7.0, when=When.NOT_POSITIVE), point(), asked(-1), 7),
        (Step("x", 7.0, when=When.ZERO), point(), asked(0), 7),
        (Step("x", 7.0, when=When.ALLOWED), point(), asked(4999), None),
        (Step("x", 7.0, when=When.ALLOWED), point(), asked(5000), 7),
        (Step("x", 7.0, when=When.FORBIDDEN), point(), asked(4999), 7),
        (Step("x", 7.0, when=When.RUNNING), point(), asked(1380), 7),
        (Step("x", 7.0, when=When.STOPPED), point(), asked(1379), 7),
        (Step("x", 7.0, when=When.STOPPED), point(), asked(None), None),
    ],
)
def test_steps(step: Step, at: Point, what: Asked, told: float | None) -> None:
    assert written(step, at, what) == told


@pytest.mark.parametrize(
    ("step", "at", "power_w", "said"),
    [
        (Step("x", Quantity.POWER), point(least=100, most=900), 50, "x takes 100 to 900, not 50"),
        (Step("x", Quantity.POWER), point(least=-9, most=-5), 0, "x takes -9 to -5, not 0"),
        (Step("x", Quantity.POWER), point(kind=Kind.U16, least=-9, most=9), -5, "not -5"),
        (Step("x", Quantity.POWER), point(least=0, most=9), math.nan, "not nan"),
        (Step("x", Quantity.REVERT), point(least=0, most=9), 1, "x needs a revert_w"),
    ],
)
def test_what_could_only_be_written_greater_is_refused(
    step: Step, at: Point, power_w: float, said: str
) -> None:
    with pytest.raises(RejectedError, match=f"^box: .*{said}$"):
        written(step, at, asked(power_w))


def test_a_share_of_what_is_not_known_is_not_written() -> None:
    known = Known({"x": point(least=0, most=100)}, Values({"whole": 0.0}))
    with pytest.raises(TransientError, match=r"^box: x cannot be written: whole has no usable"):
        plan([Step("x", Quantity.POWER, per="whole")], known, asked(50))

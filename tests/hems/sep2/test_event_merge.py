"""What several servers ask of one device, against a search through all that they ask."""

import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.sep2.rules.events import Active, ModeValue, Program, Schedule
from hems.sep2.rules.merge import Lost, merge
from tests.hems.sep2.examples import examples

pytestmark = pytest.mark.requirement("PRO-2030.5")

LEAST = ["opModExpLimW", "opModConnect", "DutyCycle", "opModMaxLimW"]
GREATEST = ["TargetReduction.W"]
SINGLE = ["opModTargetW", "opModVoltVar", "opModMaxLimPctVarInject"]


def active(mode: str, value: ModeValue, event: str, primacy: int = 1, **more: Any) -> Active:
    return Active(mode, value, event, Program("P", primacy=primacy), 0.0, 9.0, False, **more)


def schedule(*asked: Active, at: float = 5.0, change: float = math.inf, **more: Any) -> Schedule:
    return Schedule(at, {a.mode: a for a in asked}, change, **more)


def random_schedules(seed: int) -> dict[str, Schedule]:
    rng = random.Random(seed)  # noqa: S311 - cases, not secrets
    servers = {}
    for name in ["north", "east", "south"][: rng.randint(1, 3)]:
        asked = []
        for mode in rng.sample(LEAST + GREATEST + SINGLE, rng.randint(0, 6)):
            value = float(rng.randint(0, 3))
            default = rng.random() < 0.4
            asked.append(active(mode, value, f"{name}-{mode}", rng.randint(0, 2), default=default))
        servers[name] = schedule(*asked, at=rng.randint(0, 9), change=rng.randint(10, 19))
    return servers


@settings(max_examples=examples(1000), deadline=None)
@given(st.integers(0, 2**64))
def test_limits_are_obeyed_all_and_of_set_points_the_strongest(seed: int) -> None:
    servers = random_schedules(seed)
    merged = merge(servers)
    claims = [(n, a) for n, s in servers.items() for a in s.active.values()]
    assert set(merged.schedule.active) == {a.mode for _, a in claims}
    for mode, holder in merged.schedule.active.items():
        rivals = [(n, a) for n, a in claims if a.mode == mode]
        assert (merged.sources[mode], holder) in rivals
        values = [a.value for _, a in rivals]
        if mode in LEAST:
            assert holder.value == min(values)
        elif mode in GREATEST:
            assert holder.value == max(values)
        else:
            events = [(n, a) for n, a in rivals if not a.default] or rivals
            least = min(a.program.primacy for _, a in events)
            assert holder is next(a for _, a in events if a.program.primacy == least)
    beaten = {
        (a.mode, n)
        for n, a in claims
        if a.mode in SINGLE and not a.default and merged.sources[a.mode] != n
    }
    assert {(lost.mode, lost.server) for lost in merged.lost} == beaten
    assert merged.schedule.at == max(s.at for s in servers.values())
    assert merged.schedule.next_change == min(s.next_change for s in servers.values())


def test_the_loser_learns_to_whom() -> None:
    merged = merge(
        {
            "a": schedule(active("opModTargetW", 5.0, "E1", 2)),
            "b": schedule(active("opModTargetW", 7.0, "E2", 1)),
        }
    )
    assert merged.schedule.active["opModTargetW"].value == 7.0
    assert list(merged.lost) == [Lost("opModTargetW", "a", "E1", "b", "E2")]


def test_at_equal_primacy_the_server_named_first_prevails() -> None:
    asked = [schedule(active("opModTargetW", v, "E")) for v in (5.0, 7.0)]
    assert merge({"b": asked[0], "a": asked[1]}).sources == {"opModTargetW": "b"}
    assert merge({"a": asked[1], "b": asked[0]}).sources == {"opModTargetW": "a"}


def test_an_event_prevails_over_a_stronger_default_and_nobody_loses() -> None:
    merged = merge(
        {
            "a": schedule(active("opModVoltVar", "/c/1", "D1", 0, default=True)),
            "b": schedule(active("opModVoltVar", "/c/2", "E2", 2)),
        }
    )
    assert merged.schedule.active["opModVoltVar"].event == "E2"
    assert list(merged.lost) == []


def test_of_equal_limits_the_stronger_is_named() -> None:
    weak, strong = (schedule(active("opModExpLimW", float("5"), f"E{p}", p)) for p in (2, 1))
    for servers in ({"a": weak, "b": strong}, {"b": strong, "a": weak}):
        assert merge(servers).schedule.active["opModExpLimW"].event == "E1"


@pytest.mark.parametrize(
    ("gradients", "expected"), [((None, None), None), ((None, 2.0), 2.0), ((0.0, 2.0), 0.0)]
)
def test_the_first_servers_gradient_counts(
    gradients: tuple[float | None, ...], expected: float | None
) -> None:
    servers = {f"s{i}": schedule(gradient=g) for i, g in enumerate(gradients)}
    assert merge(servers).schedule.gradient == expected


def test_every_limit_of_power_is_known_as_one() -> None:
    limits = ["Imp", "Exp", "Gen", "Load"]
    modes = [f"opMod{name}LimW" for name in limits]
    modes += ["opModMaxLimWAbsorb", "opModMaxLimWInject", "opModMaxLimPctWAbsorb"]
    modes += ["opModMaxLimPctVAAbsorb", "opModMaxLimPctVAInject", "opModEnergize"]
    modes += ["opModMaxLimVarAbsorb", "opModMaxLimVarInject"]
    modes += ["opModGridConnectPermit", "opModIslandPermit"]
    for mode in modes:
        high, low = (schedule(active(mode, v, "E", p)) for v, p in ((1.0, 0), (0.0, 2)))
        assert merge({"a": high, "b": low}).schedule.active[mode].value == 0.0, mode
    high, low = (schedule(active("TargetReduction.Wh", v, "E")) for v in (9.0, 3.0))
    assert merge({"a": low, "b": high}).schedule.active["TargetReduction.Wh"].value == 9.0


def test_nothing_to_merge_is_an_error() -> None:
    with pytest.raises(ValueError, match="no schedule"):
        merge({})


def test_a_limit_that_is_no_number_is_named() -> None:
    odd = schedule(active("opModExpLimW", "/curve", "E"))
    with pytest.raises(ValueError, match="a limit of '/curve'"):
        merge({"a": odd, "b": schedule(active("opModExpLimW", 1.0, "F"))})

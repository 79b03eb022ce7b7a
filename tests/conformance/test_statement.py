"""The PICS and the catalogue are honest: nothing is claimed that the code does not do."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from certs.pki import Pki
from tests.conformance import pics
from tests.conformance.scenario import GROUPS, Profile, Scenario

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


def _names(folder: Path) -> set[str]:
    """Return all attribute and plain names in the modules of a folder, but for the resources'."""
    found: set[str] = set()
    for path in (p for p in folder.rglob("*.py") if "resources" not in p.parts):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Name):
                found.add(node.id)
    return found


def test_every_resource_that_is_claimed_is_used() -> None:
    used = _names(ROOT / "hems" / "sep2") | _names(ROOT / "hems" / "emg")
    claimed = {kind.__name__ for kinds in pics.FUNCTION_SETS.values() for kind in kinds}
    assert claimed <= used, claimed - used


@pytest.mark.parametrize("profile", list(Profile))
def test_a_statement_is_made_for_each_profile(pki: Pki, profile: Profile) -> None:
    made = pics.statement(profile, pki)
    assert made.modes["opModMaxLimW"]
    assert ("opModExpLimW" in made.modes) is (profile is Profile.CSIP_AUS)
    assert ("opModMaxLimWInject" in made.modes) is (profile is Profile.Y2023)
    assert {1, 2, 3, 6, 7} <= set(made.responses)
    assert "CCM8" in made.transport["cipher suites"]
    assert f"# PICS for {profile.value}" in pics.render(made)


def _marked() -> list[str]:
    """Return the first argument of each call of `scenario` in this folder."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in HERE.glob("test_*.py")]
    return [
        str(node.args[0].value)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "scenario"
        and isinstance(node.args[0], ast.Constant)
    ]


def test_no_id_stands_for_two_scenarios() -> None:
    twins = [name for name, count in Counter(_marked()).items() if count > 1]
    assert not twins


def test_a_scenario_of_no_known_group_is_refused() -> None:
    assert Scenario("X-01", "CORE", "x").group in GROUPS
    with pytest.raises(ValueError, match="no group"):
        Scenario("X-01", "NONE", "x")

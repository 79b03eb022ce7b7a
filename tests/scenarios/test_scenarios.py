"""Every scenario of the library comes out as expected; those that take long, in `test-deep`."""

from pathlib import Path

import pytest

from hems.scenarios.outcome import judge
from hems.scenarios.report import passed, summary
from hems.scenarios.script import Script, load_script
from hems.scenarios.stage import play

_LIBRARY = Path(__file__).parent


def _marked(path: Path) -> object:
    script = load_script(path)
    marks = [pytest.mark.requirement(each) for each in script.requirements]
    if script.deep:
        marks += [pytest.mark.deep, pytest.mark.timeout(600)]
    return pytest.param(path.stem, script, id=path.stem, marks=marks)


@pytest.mark.parametrize(("name", "script"), [_marked(path) for path in _LIBRARY.glob("*.toml")])
def test_scenario(name: str, script: Script) -> None:
    played = play(script)
    findings = judge(script, played)
    assert passed(findings), summary(name, script, played, findings)


def test_the_library_is_as_large_as_it_is_said_to_be() -> None:
    assert len(list(_LIBRARY.glob("*.toml"))) >= 30


def test_every_scenario_says_what_it_shows() -> None:
    for path in _LIBRARY.glob("*.toml"):
        assert path.read_text(encoding="utf-8").startswith("# "), path.stem

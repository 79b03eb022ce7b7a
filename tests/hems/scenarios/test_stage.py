"""A scenario is played by real parts: what is told, what is refused, and that it can fail."""

from pathlib import Path

import pytest

from hems.cli import main
from hems.commands import scenario_arguments
from hems.scenarios.outcome import judge
from hems.scenarios.page import page
from hems.scenarios.plots import as_svg, draw, write_png
from hems.scenarios.record import Played
from hems.scenarios.report import passed, summary
from hems.scenarios.script import Script, ScriptError, parse_script
from hems.scenarios.stage import play
from tests.hems.scenarios.scripts import bare


@pytest.fixture(scope="module")
def script() -> Script:
    return parse_script(bare(), "a.toml")


@pytest.fixture(scope="module")
def played(script: Script) -> Played:
    return play(script)


@pytest.mark.requirement("BUC-1")
def test_the_event_goes_all_the_way_and_is_answered(script: Script, played: Played) -> None:
    assert passed(judge(script, played)), summary("a", script, played, judge(script, played))
    assert [answer.status for answer in played.events["peak"].answers] == [1, 2, 3]
    assert [state for _, state, _ in played.events["peak"].states] == [
        "coming",
        "running",
        "completed",
    ]
    assert played.writes["battery"] > 0


@pytest.mark.parametrize(
    "expectation",
    [
        {"check": "bound", "of": "base", "begins": "18:03", "ends": "18:07", "at_most": "5 W"},
        {"check": "mean", "of": "battery", "begins": "18:04", "ends": "18:06", "at_least": "1 W"},
        {"check": "responses", "event": "peak", "codes": [1, 2]},
        {"check": "alarm", "contains": "the moon"},
        {"check": "state", "event": "peak", "at": "18:09", "state": "running"},
    ],
)
def test_a_scenario_can_fail(played: Played, expectation: dict[str, object]) -> None:
    other = parse_script(bare(expect=[expectation]), "a.toml")
    assert not passed(judge(other, played))


def test_the_same_seed_gives_the_same_course(script: Script, played: Played) -> None:
    again = play(script)
    for name in ("net", "battery", "charge", "import_limit"):
        assert list(again.courses.of(name))[5:] == pytest.approx(
            list(played.courses.of(name))[5:], nan_ok=True
        )


def test_the_report_stands_by_itself(script: Script, played: Played, tmp_path: Path) -> None:
    figure = draw(script, played)
    write_png(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    text = page("a", script, played, judge(script, played), as_svg(figure))
    assert "<svg" in text
    assert "limit_import_w 500" in text
    assert "import limit" in text  # the legend is text, not outlines
    for elsewhere in ("<script", "<link", "@import", 'src="'):
        assert elsewhere not in text


def test_what_a_home_has_not_is_not_drawn(script: Script, played: Played) -> None:
    legend = draw(script, played).axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["base", "battery"]


def test_an_event_that_makes_no_sense_is_said_by_the_operators_door() -> None:
    event = {**bare()["event"][0], "asks": {"limit_import_w": -5}}
    with pytest.raises(ScriptError, match="limit_import_w -5"):
        play(parse_script(bare(event=[event]), "a.toml"))


def test_a_hub_that_cannot_be_configured_so_is_said() -> None:
    with pytest.raises(ScriptError, match=r"hub\.home\.battery_reserve"):
        play(parse_script(bare(hub={"home": {"battery_reserve": 7}}), "a.toml"))


def test_the_command_says_whether_all_came_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """
title = "Short"
shows = "Nothing"
requirements = ["BUC-1"]
starts = 2026-07-13T18:00:00
ends = "18:00:30"
[house]
load = "800 W"
[[expect]]
check = "mean"
of = "import"
begins = "18:00:05"
ends = "18:00:30"
at_most = "%s"
"""
    (tmp_path / "good.toml").write_text(text % "900 W", encoding="utf-8")
    (tmp_path / "bad.toml").write_text(text % "100 W", encoding="utf-8")
    library = ["--library", str(tmp_path)]
    assert main(["scenario", "good", *library, "--report", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "good.png").exists()
    assert (tmp_path / "out" / "good.html").exists()
    assert main(["scenario", "bad", *library]) == 1
    assert "FAIL mean import at most 100 W" in capsys.readouterr().out
    assert main(["scenario", "all", *library]) == 1
    assert "1 of 2 scenarios came out as expected" in capsys.readouterr().out
    assert main(["scenario", "list", *library]) == 0
    assert "Short" in capsys.readouterr().out
    assert main(["scenario", "none", *library]) == 1
    assert "there is no scenario 'none'" in capsys.readouterr().err


def test_the_library_is_looked_for_where_it_is() -> None:
    assert list(scenario_arguments.LIBRARY.glob("*.toml"))

from pathlib import Path
from typing import Any

import pytest

from hems.scenarios.script import ScriptError, load_script, parse_script
from hems.settings.toml_file import ConfigError
from tests.hems.scenarios.scripts import bare

_CHECK = {"check": "bound", "of": "net", "begins": "18:01", "ends": "18:02", "at_most": "1 kW"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ends": "17:00"}, "it ends before it starts"),
        ({"ends": "25:99"}, "ends: '25:99' is no time"),
        ({"starts": "2026-07-13T18:00:00Z"}, "starts: is by the clock on the wall"),
        ({"time_zone": "Mars/Olympus"}, "time_zone: 'Mars/Olympus' is not an IANA time zone"),
        ({"wether": "fine"}, "wether: unknown key"),
        ({"requirements": []}, "requirements:"),
        ({"house": {"pv": {"peak": "4"}}}, "house.pv.peak: '4' is no quantity"),
        ({"house": {"battery": {"charge": 1.5}}}, "house.battery.charge:"),
        ({"files": {"../x": ""}}, "files: '../x' is not the plain name of a file"),
        ({"utility": None}, "events and operators need a utility"),
        ({"event": [{"name": "a", "at": "18:01", "lasts": "1 min"}]}, "event[0].asks: is missing"),
        ({"happens": [{"at": "18:01", "kind": "off"}]}, "happens[0]: 'off' needs device"),
        ({"happens": [{"at": "18:01", "kind": "sun"}]}, "happens[0]: 'sun' needs value"),
        (
            {"happens": [{"at": "18:01", "kind": "utility down", "value": "1 W"}]},
            "happens[0]: 'utility down' has no value",
        ),
        ({"owner": [{"at": "18:01", "does": "leave"}]}, "owner[0]: to leave needs an event"),
        (
            {"owner": [{"at": "18:01", "does": "leave", "event": "party"}]},
            "owner[0] names no event 'party'",
        ),
        ({"owner": [{"at": "18:01", "does": "wish", "device": "car"}]}, "a wish needs a power"),
        ({"expect": []}, "expect:"),
        ({"expect": [{"check": "luck"}]}, "expect[0]:"),
        ({"expect": [{**_CHECK, "at_most": None}]}, "expect[0]: needs at_most, at_least or both"),
        ({"expect": [{**_CHECK, "ends": "18:01"}]}, "expect[0]: ends is not after begins"),
        ({"expect": [{"check": "record", "inside": "9 %"}]}, "expect[0]: needs an event"),
        ({"expect": [{"check": "record", "event": "peak"}]}, "expect[0]: needs delivered, inside"),
        ({"expect": [{**_CHECK, "of": "mood"}]}, "expect[0].of:"),
        ({"expect": [{**_CHECK, "at_most": "1 apple"}]}, "'1 apple' is no quantity"),
    ],
)
def test_a_mistake_is_named_by_its_place(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_script(bare(**changes), "a.toml")
    assert str(caught.value).startswith("a.toml: ")
    assert said in str(caught.value)


def test_two_events_of_one_name() -> None:
    event = bare()["event"][0]
    with pytest.raises(ScriptError, match="two events are called 'peak'"):
        parse_script(bare(event=[event, event]), "a.toml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        load_script(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("02:30", 1792888200),  # summer time, the first of two
        ("02:30 again", 1792891800),
        ("03:00", 1792893600),
        ("+1d 00:00", 1792969200),
        ("24:00", 1792969200),
        ("02:30:15", 1792888215),
    ],
)
def test_moments_of_the_night_when_the_clock_is_set_back(text: str, utc: int) -> None:
    script = parse_script(
        bare(starts="2026-10-25T00:00:00", ends="+1d 12:00", event=[], expect=[_CHECK]), "a.toml"
    )
    check = parse_script(
        bare(expect=[{"check": "value", "of": "net", "at": text, "at_most": "1 W"}]), "a.toml"
    ).expect[0]
    assert check.check == "value"
    assert script.at(check.at) == utc
    assert str(check.at) in {text, "+1d 00:00", "24:00"}

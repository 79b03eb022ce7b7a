"""The settlement file: units, times, the same bytes, and a last line that shows a change."""

import csv
import hashlib
import io
import json
from dataclasses import replace

import pytest

from hems.participation.settlement import COLUMNS, write
from hems.programme_surface import Form
from hems.store.performances import Interval, Settled
from programs.performance import Performance

T = 1_800_000_000.25
RECORD = Performance(
    programme="energy-support",
    event="0A",
    asked_by="Evening, or so",
    starts_at=T,
    ends_at=T + 1800.0,
    asked=500.0,
    unit="Wh",
    baseline_w=3000.0,
    baseline_by="the meter when the event began",
    promised_wh=500.0,
    delivered_wh=512.3456789,
    inside_share=None,
    deviation=0.0,
    rebound_w=-0.0,
    kind="energy",
    lfdi="3E" * 20,
)
SETTLED = Settled(
    RECORD, (Interval(T, 899.75, 749.79, 500.0), Interval(T + 899.75, 900.25, 750.21, None))
)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.requirement("BUC-5")
def test_a_line_an_event_and_a_line_a_quarter_hour() -> None:
    event, first, second, end = rows(write([SETTLED], Form.CSV))
    assert event["row"] == "event"
    assert event["starts_utc"] == "2027-01-15T08:00:00.250Z"
    assert event["use_case"] == "BUC-5"
    assert event["delivered_kwh"] == "0.512346"
    assert event["baseline_kwh"] == "1.5"
    assert event["metered_kwh"] == ""  # of one quarter-hour it is not known
    assert event["inside_share"] == ""
    assert event["rebound_w"] == "0"
    assert event["opted_out"] == "false"
    assert (first["row"], first["metered_kwh"], first["delivered_kwh"]) == (
        ("interval", "0.5", "0.24979")
    )
    assert (second["metered_kwh"], second["delivered_kwh"]) == ("", "")
    assert (end["row"], end["lfdi"]) == ("end", "3")


def test_the_last_line_counts_and_seals() -> None:
    text = write([SETTLED, SETTLED], Form.CSV)
    body, _, last = text.rstrip("\n").rpartition("\n")
    sealed = hashlib.sha256(f"{body}\n".encode()).hexdigest()
    assert last == f"end,{body.count(chr(10))},{sealed}"
    lines = write([SETTLED], Form.JSON_LINES).splitlines()
    told = json.loads(lines[-1])
    above = "".join(f"{line}\n" for line in lines[:-1])
    assert told == {
        "row": "end",
        "lines": 3,
        "sha256": hashlib.sha256(above.encode()).hexdigest(),
    }


def test_the_same_records_give_the_same_bytes() -> None:
    for form in Form:
        assert write([SETTLED], form) == write([replace(SETTLED)], form)


def test_json_lines_say_the_same_as_the_table() -> None:
    table = rows(write([SETTLED], Form.CSV))
    lines = [json.loads(line) for line in write([SETTLED], Form.JSON_LINES).splitlines()]
    assert list(lines[0]) == list(COLUMNS)
    for row, line in zip(table[:-1], lines[:-1], strict=True):
        for name in COLUMNS:
            if isinstance(line[name], float):
                assert float(row[name]) == line[name]
            else:
                assert row[name] == {None: "", False: "false", True: "true"}.get(
                    line[name], line[name]
                )


def test_a_name_that_is_a_formula_is_none_in_a_spreadsheet() -> None:
    evil = Settled(replace(RECORD, asked_by='=HYPERLINK("http://evil")', note="two\nlines"))
    (event, end) = rows(write([evil], Form.CSV))
    assert event["asked_by"] == '\'=HYPERLINK("http://evil")'
    assert event["note"] == "two\nlines"
    assert end["row"] == "end"


def test_nothing_is_a_file_too() -> None:
    assert [row["row"] for row in rows(write([], Form.CSV))] == ["end"]


def test_a_quarter_hour_that_was_read_in_part_counts_for_that_part() -> None:
    half = Settled(RECORD, (Interval(T, 900.0, 750.0, 200.0, 450.0), Interval(T, 900.0, 7.0, None)))
    _, first, second, _ = rows(write([half], Form.CSV))
    assert (first["measured_share"], first["delivered_kwh"]) == ("0.5", "0.175")
    assert second["delivered_kwh"] == ""


@pytest.mark.requirement("BUC-12")
def test_a_set_point_is_not_counted_at_the_meter() -> None:
    """Charging, as asked, is delivered energy; at the meter it would be less than none."""
    taken = Settled(replace(RECORD, kind="storage-power"), SETTLED.intervals)
    event, first, *_ = rows(write([taken], Form.CSV))
    assert event["delivered_kwh"] == "0.512346"
    assert (first["metered_kwh"], first["delivered_kwh"]) == ("0.5", "")

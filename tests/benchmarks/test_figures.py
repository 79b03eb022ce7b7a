"""What the benchmarks work out of what they measured."""

import json
from pathlib import Path

import pytest

from hems.commands.event import Event
from tests.benchmarks import common
from tests.benchmarks.reaction import Reaction, shares


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert common.percentile([float(n) for n in range(100, 0, -1)], share) == expected


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        common.percentile([], 0.5)
    assert common.latencies("poll", []) == {
        "poll_p50_ms": None,
        "poll_p99_ms": None,
        "poll_max_ms": None,
    }


def test_figures_are_the_last_line_and_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(common, "FIGURES", tmp_path)
    common.report("made", {"a_ms": 1.5}, requirements=["BUC-1"], headline=["a_ms"], record=True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"a_ms": 1.5}
    kept = json.loads((tmp_path / "made.json").read_text())
    assert kept == {"requirements": ["BUC-1"], "headline": ["a_ms"], "figures": {"a_ms": 1.5}}


def reaction(accepted_at: float, obeyed_at: float, notified_at: float | None) -> Reaction:
    event = Event(
        id="A",
        program="Peak Saver",
        state="active",
        start=int(accepted_at),
        duration_s=4,
        asks={"limit_import_w": 1000.0},
        accepted_at=accepted_at,
        reached=0,
        homes=[],
    )
    return Reaction(event, notified_at, obeyed_at)


def test_the_steps_of_each_reaction_are_found_in_the_log() -> None:
    lines = [
        "1000.000500 DEBUG hems.cem.station battery is to be told an older thing",
        "not a line of the log",
        "1000.003000 DEBUG hems.sep2.transport.listener a notification comes in, 992 octets",
        "1000.004000 DEBUG hems.sep2.session a notification of /derp/1/derc is read",
        "1000.008000 DEBUG hems.sep2.book.engine 2 events and 3 responses are in the ledger",
        "1000.009000 DEBUG hems.cem.station battery is to be told -2000 W",
        "1000.010500 DEBUG hems.cem.station battery is to be told a later thing",
    ]
    whole = reaction(1000.0, 1000.010, 1000.002)
    unnoticed = reaction(1002.0, 1002.010, 1002.002)  # nothing of it stands in the log
    spent_ms, share = shares("\n".join(lines), [whole, unnoticed])
    assert spent_ms == pytest.approx(
        {"headend": 2.0, "tls_http": 1.0, "xml": 1.0, "ledger": 4.0, "deciding": 1.0, "modbus": 1.0}
    )
    assert sum(share.values()) == pytest.approx(1.0)
    assert share["ledger"] == pytest.approx(0.4)

"""`hems export history`: files of a store, while no hub runs."""

import csv
from datetime import date
from pathlib import Path

import pytest

from hems.cem.civil import day_start
from hems.cli import main
from tests.web.past import BERLIN, past

pytestmark = pytest.mark.requirement("ROLE-UI")

DAY = ["--from", "2026-06-14", "--to", "2026-06-15"]


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    start = day_start(date(2026, 6, 14), BERLIN)
    async with past(tmp_path, start) as made:
        await made.measured("car", start, start + 86_400, 1500.0)
    (tmp_path / "hems.toml").write_text(
        "[home]\ntime_zone = 'Europe/Berlin'\n[store]\npath = 'hems.db'\n"
    )
    return tmp_path


def export(folder: Path, *arguments: str) -> int:
    return main(["export", "history", "--config", str(folder / "hems.toml"), *arguments])


def test_a_day_by_the_hour(folder: Path) -> None:
    file = folder / "day.csv"
    assert export(folder, *DAY, "--step", "hour", str(file)) == 0
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 24
    assert {row["taken_kwh"] for row in rows} == {"1.5"}
    assert rows[0]["start_local (Europe/Berlin)"] == "2026-06-14T00:00:00+02:00"
    assert sorted(path.name for path in folder.glob("*day*")) == ["day.csv"]


def test_to_stdout_and_as_parquet(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert export(folder, *DAY, "-") == 0
    assert capfdbinary.readouterr().out.startswith(b"start_utc,end_utc,")
    assert export(folder, *DAY, "--format", "parquet", str(folder / "day.parquet")) == 0
    assert (folder / "day.parquet").read_bytes()[:4] == b"PAR1"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--from", "2026-06-15", "--to", "2026-06-14", "x.csv"], "must come after"),
        (["--from", "1970-01-03", "--to", "2999-01-01", "--step", "minute", "x.csv"], "more than"),
        ([*DAY, "/nowhere/x.csv"], "cannot be written"),
    ],
)
def test_what_cannot_be_exported_says_why(
    folder: Path,
    arguments: list[str],
    reason: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    assert export(folder, *arguments) == 1
    assert reason in capsys.readouterr().err
    assert not (folder / "x.csv").exists()


def test_without_a_store_there_is_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hems.toml").write_text("[store]\npath = 'none.db'\n")
    assert export(tmp_path, *DAY, str(tmp_path / "x.csv")) == 1
    assert "no store" in capsys.readouterr().err


def test_a_file_that_was_there_stays_until_the_new_one_is_whole(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "day.csv"
    file.write_text("old")
    arguments = ["--from", "1970-01-03", "--to", "2999-01-01", "--step", "minute", str(file)]
    assert export(folder, *arguments) == 1
    assert file.read_text() == "old"
    assert "more than" in capsys.readouterr().err

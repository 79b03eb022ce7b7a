"""`hems update`: packing, offering, the quiet moment, and what is told of how it stands."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hems import cli
from hems.bulletin import LIST, FirmwareList
from hems.commands.updating import QUIET_S, quiet
from hems.headend.firmware.repository import FirmwareRepository
from hems.software.sides import Sides
from hems.software.switch import State, armed, installed, packaged, started
from hems.store.schema import REVISIONS
from hems.surface import EventView, Snapshot, UtilityView
from tests.hems.software import mini
from tests.hems.store.test_released_schemas import released

EVENT = EventView(
    id="1",
    program="p",
    title="t",
    effect="e",
    state="coming",
    starts_at=10_000.0,
    ends_at=20_000.0,
    opted_out=False,
    may_opt_out=True,
)


@pytest.mark.requirement("LC-PATCH")
def test_from_wheels_to_an_offer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    mini.wheel(wheels, "0.2.0")
    out = tmp_path / "hems-0.2.0.tar"
    words = ["update", "pack", str(wheels), "--version", "0.2.0", "--least", "0.1.0"]
    assert cli.main([*words, "--out", str(out)]) == 1
    assert "one wheel of pip" in capsys.readouterr().err
    pip = mini.pip_wheel()
    (wheels / pip.name).write_bytes(pip.read_bytes())
    assert cli.main([*words, "--out", str(out)]) == 0
    lists = FirmwareRepository(tmp_path / "lists")
    lists.make(root_keys=1, threshold=1)
    lists.add_vendor("hems", None)
    offer = ["headend", "firmware", "offer", "hems", "0.2.0", "--folder", str(tmp_path / "lists")]
    assert cli.main([*offer, "--file", str(out)]) == 0
    other = tmp_path / "hems-0.2.0-any.tar"
    assert cli.main([*words, "--machine", "any", "--out", str(other)]) == 0
    assert cli.main([*offer, "--file", str(other)]) == 0
    listed = FirmwareList.model_validate_json(lists.read("hems", LIST) or b"")
    (release,) = listed.releases
    assert [each.file for each in release.packages] == [out.name, other.name]
    moved = tmp_path / "moved.tar"
    moved.write_bytes(out.read_bytes())
    assert cli.main([*offer, "--file", str(moved)]) == 1
    assert "it was packed as" in capsys.readouterr().err


def test_how_it_stands_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sides = Sides(tmp_path, tmp_path)
    waits = installed(packaged(State(barred=("0.1.5",)), "0.1.0"), "0.2.0", migrates=False)
    sides.write(waits)
    assert cli.main(["update", "status", "--sides", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "runs      0.1.0 (package)" in told
    assert "waits     0.2.0 (a); tried not yet" in told
    assert "failed    0.1.5" in told
    sides.write(started(armed(waits)))
    assert cli.main(["update", "status", "--sides", str(tmp_path)]) == 0
    assert "on trial, start 1; otherwise 0.1.0 (package)" in capsys.readouterr().out
    (tmp_path / "switch.json").write_text(json.dumps({"phase": "odd"}))
    assert cli.main(["update", "status", "--sides", str(tmp_path)]) == 1
    assert "switch.json: damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("event", "now", "said"),
    [
        (EVENT, 10_000.0 - QUIET_S - 1, True),
        (EVENT, 10_000.0 - QUIET_S + 1, False),
        (replace(EVENT, state="running"), 15_000.0, False),
        (replace(EVENT, state="completed"), 15_000.0, True),
        (replace(EVENT, state="cancelled"), 9_999.0, True),
    ],
)
def test_a_quiet_moment(event: EventView, now: float, said: bool) -> None:
    home = Snapshot(
        at=now,
        seq=1,
        net_w=None,
        limit_import_w=None,
        limit_export_w=None,
        devices=(),
        events=(event,),
        utility=UtilityView("connected", "", "", "", None),
        alarms=(),
    )
    assert quiet(home, now) is said


@pytest.mark.requirement("LC-PATCH")
def test_a_rehearsal_brings_a_copy_of_the_store_up_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The store is the former version's, and an attempt before was ended by a power cut."""
    (tmp_path / "hems.toml").write_text("[home]\n")
    store = tmp_path / "hems.db"
    released(store, REVISIONS[-2], sealed=True)
    before = store.read_bytes()
    (tmp_path / "updates").mkdir()
    (tmp_path / "updates" / "rehearsal.db").write_bytes(b"half of a copy under a key of then")
    words = ["update", "rehearse", "--home", str(tmp_path)]
    assert cli.main(words) == 0, capsys.readouterr().err
    assert "reads this home's configuration and store" in capsys.readouterr().out
    assert store.read_bytes() == before
    assert not list((tmp_path / "updates").iterdir())
    with store.open("r+b") as file:
        file.seek(8192)
        file.write(bytes(4096))
    assert cli.main(words) == 1
    assert f"{store} cannot be brought up" in capsys.readouterr().err
    assert not list((tmp_path / "updates").iterdir())

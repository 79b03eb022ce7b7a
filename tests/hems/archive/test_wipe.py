"""Erasing a home: everything that is its own, nothing else, and the proof."""

from pathlib import Path

import pytest

from hems.archive import wipe
from hems.archive.belongings import Belongings


def filled(folder: Path) -> Belongings:
    (folder / "identity").mkdir()
    for name in ("hems.db", "hems.db-wal", "settings.toml", "identity/hub.key", "guard.json"):
        (folder / name).write_text("secret" * 100)
    (folder / "holiday.jpg").write_text("not ours")
    return Belongings(
        folder,
        folder / "hems.db",
        (folder / "settings.toml", folder / "devices.toml"),
        (folder / "identity",),
        (folder / "guard.json",),
    )


@pytest.mark.requirement("LC-DECOMMISSION")
def test_all_of_the_home_is_gone_and_nothing_else(tmp_path: Path) -> None:
    home = filled(tmp_path)
    wipe.mark(tmp_path)
    proof = wipe.erase(home)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]
    assert proof.left == ()
    assert {each.path.name for each in proof.gone} == {
        *("hems.db", "hems.db-wal", "settings.toml", "hub.key", "guard.json")
    }
    assert proof.gone[0].path.name == "hub.key", "keys go first"
    assert all(each.size == 600 for each in proof.gone)
    assert not wipe.marked(tmp_path)


def test_files_are_written_over_before_they_go(tmp_path: Path) -> None:
    home = filled(tmp_path)
    other = tmp_path / "second name"
    other.hardlink_to(tmp_path / "hems.db")
    wipe.erase(home)
    assert b"secret" not in other.read_bytes()


def test_what_a_link_stands_for_is_left_alone(tmp_path: Path) -> None:
    home = filled(tmp_path)
    (tmp_path / "settings.toml").unlink()
    (tmp_path / "settings.toml").symlink_to(tmp_path / "holiday.jpg")
    wipe.erase(home)
    assert (tmp_path / "holiday.jpg").read_text() == "not ours"
    assert not (tmp_path / "settings.toml").is_symlink()


def test_the_decision_stands_until_it_is_done(tmp_path: Path) -> None:
    wipe.mark(tmp_path)
    assert wipe.marked(tmp_path)

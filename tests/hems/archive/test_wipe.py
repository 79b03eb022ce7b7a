"""Erasing a home: everything that is its own, nothing else, and the proof."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from hems.archive import wipe
from hems.archive.belongings import Belongings
from hems.archive.traces import Trace, search


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


@pytest.mark.requirement("LC-DECOMMISSION")
@pytest.mark.parametrize("name", ["settings.toml", "hems.db", "identity/hub.key", "identity"])
def test_what_a_link_stands_for_is_left_alone_and_no_proof_says_that_it_is_gone(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "home").mkdir()
    home, link = filled(tmp_path / "home"), tmp_path / "home" / name
    elsewhere = link.rename(tmp_path / "elsewhere")
    link.symlink_to(elsewhere)
    before = tree(elsewhere)
    proof = wipe.erase(home)
    assert tree(elsewhere) == before
    assert not link.is_symlink()
    (left,) = proof.left
    assert left == f"{elsewhere}: is left, for it lies elsewhere; {link} stood for it"
    assert not any(link in (each.path, *each.path.parents) for each in proof.gone)
    assert wipe.erase(home).left == (), "it was said"


@pytest.mark.requirement("LC-DECOMMISSION")
def test_what_says_where_the_others_are_goes_last(tmp_path: Path) -> None:
    """After a power cut the rest is found by it."""
    home = filled(tmp_path)
    (tmp_path / "utility.pem").write_text("certificate")
    files = (tmp_path / "devices.toml", tmp_path / "settings.toml", tmp_path / "utility.pem")
    proof = wipe.erase(replace(home, files=files))
    assert proof.gone[-1].path.name == "settings.toml"


def tree(top: Path) -> dict[Path, bytes]:
    files = [top] if top.is_file() else top.rglob("*")
    return {path: path.read_bytes() for path in files}


def test_the_decision_stands_until_it_is_done(tmp_path: Path) -> None:
    wipe.mark(tmp_path)
    assert wipe.marked(tmp_path)


def test_the_store_s_key_goes_before_everything_else(tmp_path: Path) -> None:
    home = filled(tmp_path)
    for name in ("hems.db.key", "another.key"):
        (tmp_path / name).write_text("key" * 30)
    leftovers = (*home.leftovers, tmp_path / "another.key")
    proof = wipe.erase(replace(home, leftovers=leftovers))
    assert proof.gone[0].path.name == "hems.db.key"
    assert {each.path.name for each in proof.gone[1:3]} == {"hub.key", "another.key"}
    digests = {each.path.name: each.sha256 for each in proof.gone if each.sha256}
    assert digests.keys() == {"hems.db", "hems.db-wal"}
    assert digests["hems.db"] == hashlib.sha256(b"secret" * 100).hexdigest()


def test_what_a_store_of_an_older_version_had_is_not_told_by_its_digest(tmp_path: Path) -> None:
    home = filled(tmp_path)
    (tmp_path / "hems.db").write_bytes(b"SQLite format 3\0" + b"secret")
    assert {each.sha256 for each in wipe.erase(home).gone} == {""}


TRACES = (
    Trace("home's name", b"Elm Street 4"),
    Trace("account name", b"Ada Lovelace"),
    Trace("account name", b"Bo"),
    Trace("key material", bytes(range(32))),
)


@pytest.mark.requirement("LC-DECOMMISSION")
@pytest.mark.parametrize("before", [0, 1, (1 << 20) - 5, 1 << 20, (2 << 20) - 31])
@pytest.mark.parametrize("trace", TRACES)
def test_a_trace_is_found_wherever_it_lies(tmp_path: Path, trace: Trace, before: int) -> None:
    file = tmp_path / "a" / "b" / "forgotten.bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"." * before + trace.content + b".")
    (tmp_path / "link").symlink_to(file)
    found = search([tmp_path], TRACES)
    wanted = () if trace.content == b"Bo" else (f"{file}: still has the {trace.what}",)
    assert found.found == wanted
    assert found.files == 1
    assert found.kinds == ("account name", "home's name", "key material")
    assert trace.content not in str(found).encode() or trace.content == b"Bo"


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(bytes(5000))
    assert search([tmp_path], TRACES).found == ()
    assert search([tmp_path], ()).files == 1
    assert search([tmp_path / "nowhere"], TRACES).files == 0

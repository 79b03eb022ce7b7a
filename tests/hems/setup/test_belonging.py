"""What belongs to a home on the disk, by what its configuration says."""

from pathlib import Path

import pytest

from hems.archive.wipe import doomed
from hems.settings import settings_file
from hems.settings.config import load
from hems.setup.belonging import belongings, store_place

UTILITY = """
[utility]
certificate = "identity/utility-1/certificate.pem"
key = "../pki/hub.key"
trust = "trust.pem"
crls = "trust.pem"
pin = "111115"
[tariff]
source = "file"
prices = "https://prices.example/day"
import.price = "0.3/kWh"
"""


def test_all_that_is_named_and_is_there_but_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    for name in (
        "identity/utility-1/certificate.pem",
        "trust.pem",
        "holiday.jpg",
        "../pki/hub.key",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (folder / "hems.toml").write_text(UTILITY)
    settings_file.write(folder / "settings.toml", {}, 0.0)
    config = load(folder / "hems.toml")
    keys = config.web.keys
    keys.mkdir(parents=True, exist_ok=True)
    (keys / "page.pem").write_text("x")
    found = belongings(folder / "hems.toml", config)
    kept = {str(path.relative_to(folder)) for path in found.kept()}
    assert kept == {
        "hems.toml",
        "settings.toml",
        "trust.pem",
        "identity/utility-1/certificate.pem",
        str((keys / "page.pem").relative_to(folder)),
    }
    assert found.store == folder / "hems.db"
    assert [path.resolve() for path in found.outside] == [tmp_path / "pki" / "hub.key"]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("hems.db", "home/hems.db"),
        ("data/h.db", "home/data/h.db"),
        ("/var/lib/hems/x.db", "/var/lib/hems/x.db"),
    ],
)
def test_the_store_goes_where_the_backups_configuration_has_it(
    tmp_path: Path, said: str, place: str
) -> None:
    unpacked = tmp_path / "work" / "files"
    unpacked.mkdir(parents=True)
    (unpacked / "hems.toml").write_text(f'[store]\npath = "{said}"\n')
    config = load(unpacked / "hems.toml")
    found = store_place(tmp_path / "home" / "hems.toml", unpacked, config)
    assert found == tmp_path / place


def test_an_updates_copies_of_a_store_elsewhere_are_erased_and_nothing_beside_them(
    tmp_path: Path,
) -> None:
    folder, disk = tmp_path / "home", tmp_path / "disk"
    names = ("kept-1/hems.db", ".kept-2/hems.db", "tried-1/hems.db.key", "rehearsal.db-wal")
    for name in (*names, "of somebody else"):
        (disk / "updates" / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / "updates" / name).write_text("x")
    folder.mkdir()
    (folder / "hems.toml").write_text(f'[store]\npath = "{disk}/hems.db"\n')
    found = set(doomed(belongings(folder / "hems.toml", load(folder / "hems.toml"))))
    assert {path for path in found if disk in path.parents} == {
        disk / "updates" / name for name in names
    }

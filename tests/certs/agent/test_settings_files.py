"""Files of the configuration: which has changed, and which keys; never what they say."""

from pathlib import Path

import pytest

from certs.agent.settings_files import SettingsFiles, flat

pytestmark = [pytest.mark.requirement("L1-AGENT"), pytest.mark.requirement("L1-EVENTS")]

TEXT = '[home]\nname = "Home"\n[mqtt]\npassword = "secret"\n[[device]]\nid = "pv"\nport = 502\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hems.toml"
    path.write_text(TEXT)
    return path


def watched(file: Path, *folders: Path) -> SettingsFiles:
    files = SettingsFiles([str(file)], [str(folder) for folder in folders])
    assert files.look() == []
    assert files.look() == []
    return files


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        ('"secret"', '"another"', ("mqtt.password",)),
        ("port = 502", "port = 503", ("device[0].port",)),
        ('name = "Home"\n', "", ("home.name",)),
        ("[mqtt]\n", "[mqtt]\nport = 1884\n", ("mqtt.port",)),
        ("[home]", "# said by hand\n[home]", ()),
        ("[home]", "[home", ("device[0].id", "device[0].port", "home.name", "mqtt.password")),
    ],
)
def test_the_keys_that_changed_are_told(
    file: Path, old: str, new: str, keys: tuple[str, ...]
) -> None:
    files = watched(file)
    file.write_text(TEXT.replace(old, new))
    (found,) = files.look()
    assert (found.path, found.what, found.keys) == (str(file), "changed", keys)
    assert "another" not in repr(found)
    assert files.look() == []


def test_the_same_content_written_anew_is_no_change(file: Path) -> None:
    files = watched(file)
    file.unlink()
    file.write_text(TEXT)
    assert files.look() == []


def test_files_come_and_go(file: Path, tmp_path: Path) -> None:
    identity = tmp_path / "identity"
    (identity / "1").mkdir(parents=True)
    files = watched(file, identity)
    (identity / "1" / "roots.pem").write_text("root")
    (identity / "1" / "note.txt").write_text("no part of it")
    assert [(Path(c.path).name, c.what) for c in files.look()] == [("roots.pem", "added")]
    file.unlink()
    (gone,) = files.look()
    assert (gone.path, gone.what) == (str(file), "removed")


def test_tables_are_flattened() -> None:
    table = {"a": {"b": 1}, "c": [{"d": 2}, {"d": 3}], "e": [1, 2], "f": []}
    assert dict(flat(table)) == {
        "a.b": 1,
        "c[0].d": 2,
        "c[1].d": 3,
        "e": [1, 2],
        "f": [],
    }

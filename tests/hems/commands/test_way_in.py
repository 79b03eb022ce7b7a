"""Which home a command is about where it is told of none, and what it says where there is none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest

from hems.cli import _parser, main
from hems.commands.first_start import Place, housed, prepared
from hems.commands.presence import announced
from hems.commands.way_in import PACKAGED, home_folder
from hems.settings import devices_file, settings_file
from hems.settings.config import load, there
from hems.settings.toml_file import ConfigError

pytestmark = pytest.mark.requirement("LC-TEST")


@pytest.mark.parametrize("name", ["hems.toml", settings_file.NAME, devices_file.DEFAULT])
def test_the_one_named_comes_first_then_the_one_here_then_the_package_s(
    tmp_path: Path, name: str
) -> None:
    here, packaged = tmp_path / "here", tmp_path / "packaged"
    here.mkdir()
    assert home_folder(None, here, packaged) == here, "no package is installed"
    packaged.mkdir()
    assert home_folder(None, here, packaged) == packaged
    assert home_folder("", here, packaged) == packaged
    (here / name).touch()
    assert home_folder(None, here, packaged) == here
    assert home_folder("/else/where", here, packaged) == Path("/else/where")


def test_the_package_s_home_is_where_its_service_has_it() -> None:
    unit = Path("packaging/debian/hems.service").read_text(encoding="utf-8")
    assert f"hems run --home {PACKAGED} " in unit


def test_what_begins_or_ends_a_home_is_never_done_to_one_that_was_only_found() -> None:
    parser = _parser()
    for words in (["run"], ["restore", "FILE"], ["wipe"]):
        assert parser.parse_args(words).home == Path(), words
    for words in (["backup", "FILE"], ["enrol", "CODE"], ["keys", "list"], ["update", "check"]):
        assert parser.parse_args(words).home is None, words


def test_a_command_reads_the_home_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEMS_HOME", str(tmp_path))
    (tmp_path / "hems.toml").write_text("[home]\nphases = 2\n", encoding="utf-8")
    for words in (["keys", "list"], ["renew"], ["update", "check"], ["device", "list"]):
        assert main(words) == 1
        assert "home.phases" in capsys.readouterr().err, words
    assert main(["keys", "list", "--home", str(tmp_path / "other")]) == 1
    assert "other/hems.toml: cannot be read" in capsys.readouterr().err


def test_the_doctor_says_where_it_looked_and_how_to_name_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEMS_HOME", str(tmp_path))
    assert main(["doctor"]) == 2
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(f"trouble    settings      {tmp_path}: there is no home: ")
    assert all(word in first for word in ("--home FOLDER", "HEMS_HOME", str(PACKAGED)))
    assert any(" time " in line for line in rest), "the machine is looked at all the same"
    (tmp_path / "hems.toml").write_text("[home]\nphases = 2\n", encoding="utf-8")
    assert main(["doctor"]) == 2
    assert "home.phases" in capsys.readouterr().out.splitlines()[0]


def test_status_says_where_else_the_page_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEMS_HOME", str(tmp_path))
    asked = ["status", "--url", "http://127.0.0.1:9"]
    assert main(asked) == 1
    assert "see that the hub runs (`hems doctor`)" in capsys.readouterr().err
    page = "http://127.0.0.1:8123"
    with announced(tmp_path / devices_file.DEFAULT, page, "token"):
        assert main(asked) == 1
    said = capsys.readouterr().err
    assert f"the hub of {tmp_path} has its page at {page}" in said
    assert said.count("\n") == 1


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of another user's home, which this one may not look into."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "hems.toml").touch()
    way = {each: each.stat().st_mode for each in (tmp_path, *tmp_path.parents)}
    before = {each: mode for each, mode in way.items() if not mode & 0o001}
    for each, mode in before.items():
        each.chmod(mode | 0o011)
    yield home
    for each, mode in before.items():
        each.chmod(mode)


@contextmanager
def as_nobody() -> Iterator[None]:
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_s_home_is_one_error(locked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["doctor", "--home", str(locked)]
    others = [[*words, "--home", str(locked)] for words in (["wipe", "--yes"], ["setup-code"])]
    main(asked)  # all that it needs is loaded, wherever that lies
    for command in ("wipe", "people"):
        import_module(f"hems.commands.{command}")
    capsys.readouterr()
    with as_nobody():
        assert main(asked) == 2
        first = capsys.readouterr().out.splitlines()[0]
        assert "Permission denied" in first
        assert "sudo -u hems hems doctor" in first
        with pytest.raises(ConfigError, match=r"hems\.toml: cannot be read: Permission denied"):
            load(locked / "hems.toml")
        for begun in (housed, prepared):
            with pytest.raises(ConfigError, match=r"home: cannot be looked into: Permission"):
                begun(Place(folder=locked))
        for words in others:
            assert main(words) == 1, words
            assert "cannot be read: " in capsys.readouterr().err, words
        assert there(locked / "hems.toml"), "which is not to say that there is none"

"""What a server writes down once it listens, and that commands on its machine find their way in."""

import asyncio
import json
import stat
from pathlib import Path

import pytest

from hems.cli import main
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings, load_settings


async def test_commands_get_in_by_the_file_that_the_server_writes(
    settings: HeadEndSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = settings.token_file.with_name("operator.json")
    async with HeadEnd(settings) as head_end:
        told = json.loads(file.read_text(encoding="utf-8"))
        assert told == {"url": head_end.addresses.operator_url, "token": head_end.token}
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [
            each for each in file.parent.iterdir() if each.name.startswith("operator.json.")
        ] == []
        monkeypatch.setenv("HEMS_OPERATOR", str(file))
        assert await asyncio.to_thread(main, ["headend", "operator", "list"]) == 0
        assert "no operators yet" in capsys.readouterr().out


async def test_the_file_is_where_the_settings_say(settings: HeadEndSettings) -> None:
    file = settings.token_file.with_name("door")
    named = settings.model_copy(update={"operator_file": file})
    file.write_text("of a run before, which others may read", encoding="utf-8")
    async with HeadEnd(named) as head_end:
        assert json.loads(file.read_text(encoding="utf-8"))["token"] == head_end.token
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert not settings.token_file.with_name("operator.json").exists()


async def test_homes_are_served_where_the_file_cannot_be_written(
    settings: HeadEndSettings, caplog: pytest.LogCaptureFixture
) -> None:
    file = settings.token_file.with_name("missing") / "operator.json"
    async with HeadEnd(settings.model_copy(update={"operator_file": file})) as head_end:
        assert head_end.addresses.dcap_url.startswith("https://")
    assert f"operator_file {file} cannot be written" in caplog.text


def test_its_place_is_taken_from_the_settings_own_folder(tmp_path: Path) -> None:
    names = ("database", "certificate", "key", "roots", "crls", "token_file", "operator_file")
    config = tmp_path / "headend.toml"
    config.write_text("".join(f'{name} = "{name}"\n' for name in names), encoding="utf-8")
    assert load_settings(config).operator_file == tmp_path / "operator_file"

"""`hems headend doctor` on real installations, running and at rest, sound and broken."""

import asyncio
import contextlib
import io
import json
import socket
import sqlite3
from pathlib import Path

import pytest

from certs.pki import Pki
from hems.cli import main
from hems.headend.db.schema import REVISIONS, SINCE
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from tests.faults.identities import expired_service

pytestmark = pytest.mark.requirement("LC-TEST")
Findings = list[dict[str, str]]


def written(settings: HeadEndSettings, folder: Path, **more: object) -> Path:
    """Write settings as a person would; returns the file."""
    told: dict[str, object] = {
        name: str(getattr(settings, name))
        for name in ("database", "certificate", "key", "roots", "crls", "token_file")
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in {**told, **more}.items()]
    path = folder / "headend.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


async def looked(config: Path) -> tuple[int, Findings]:
    """Have the doctor look; returns its exit code and what it found."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        arguments = ["headend", "doctor", "--config", str(config), "--json"]
        code = await asyncio.to_thread(main, arguments)
    return code, json.loads(out.getvalue())["findings"]


def one(found: Findings, check: str, level: str, words: str = "") -> dict[str, str]:
    """Return the one finding of a check and level in which words occur."""
    (only,) = (
        each
        for each in found
        if (each["check"], each["level"]) == (check, level)
        and words in f"{each['where']} {each['what']}"
    )
    return only


async def test_a_head_end_that_runs(
    head_end: HeadEnd, settings: HeadEndSettings, tmp_path: Path
) -> None:
    assert head_end.addresses.operator_url
    _, found = await looked(written(settings, tmp_path))
    assert "runs" in one(found, "head-end", "ok")["what"]
    assert not [each for each in found if each["level"] == "trouble"], found
    assert not [each for each in found if each["check"] == "ports"]
    if isinstance(settings.database, Path):
        assert f"schema {REVISIONS.newest}" in one(found, "database", "ok")["what"]


async def test_one_that_does_not_run_and_whose_port_is_taken(
    settings: HeadEndSettings, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, found = await looked(written(settings, tmp_path, port=port))
    assert code == 2
    assert "has not left its address" in one(found, "head-end", "attention")["what"]
    assert "`ss -ltnp`" in one(found, "ports", "trouble", f":{port}")["do"]
    assert "never" in one(found, "certificates", "ok", "the root of homes")["what"]


async def test_a_certificate_that_is_over_and_a_key_of_another(
    settings: HeadEndSettings, pki: Pki, tmp_path: Path
) -> None:
    over = expired_service(pki, "doctor-over")
    broken = settings.model_copy(update={"certificate": over.certificate, "key": over.key})
    _, found = await looked(written(broken, tmp_path))
    assert "has ended" in one(found, "certificates", "trouble")["what"]
    mixed = settings.model_copy(update={"key": over.key})
    _, found = await looked(written(mixed, tmp_path))
    assert "does not belong" in one(found, "certificates", "trouble")["what"]


async def test_a_database_that_is_damaged_or_of_a_newer_version(
    settings: HeadEndSettings, tmp_path: Path
) -> None:
    database = tmp_path / "other.db"
    config = written(settings.model_copy(update={"database": database}), tmp_path)
    _, found = await looked(config)
    assert "first start" in one(found, "database", "ok")["what"]
    with contextlib.closing(sqlite3.connect(database)) as file:
        file.execute("PRAGMA user_version=3")
    _, found = await looked(config)
    assert f"brings it to {REVISIONS.newest}" in one(found, "database", "ok", "schema 0003")["what"]
    with contextlib.closing(sqlite3.connect(database)) as file:
        file.execute(f"PRAGMA user_version={SINCE + 1}")
    _, found = await looked(config)
    assert "newer version wrote it" in one(found, "database", "trouble", "schema")["what"]
    database.write_bytes(b"this was a database once" * 1000)
    _, found = await looked(config)
    assert one(found, "database", "trouble", "not a database")


async def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "headend.toml").write_text("prot = 1\n", encoding="utf-8")
    code, found = await looked(tmp_path / "headend.toml")
    assert code == 2
    assert "headend.toml" in one(found, "settings", "trouble")["what"]

"""docs/interop-headend.md says what is so: each client, each scenario, against our head-end."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import interop_page, page
from tests.conformance.interop_page import rows
from tests.conformance.pairs import CLIENTS, DIFFERS, NOT_OF

pytestmark = pytest.mark.requirement("PRO-2030.5", "PRO-IP")

ROOT = Path(__file__).resolve().parents[2]
FEW = "test_out_of_band or test_right_pin or test_superseding_one_mode"
"""Scenarios that every run of the tests plays: found, registered, superseded."""


@pytest.mark.parametrize("client", CLIENTS)
def test_the_page_has_every_scenario(client: str) -> None:
    told = rows(interop_page.part(client))
    assert told.keys() == rows(page.PAGE.read_text(encoding="utf-8")).keys()
    assert not [name for name, row in told.items() if "**fails**" in row]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_known_of_a_client_is_told(client: str) -> None:
    told = rows(interop_page.part(client))
    assert {name for name, row in told.items() if "**differs**" in row} == DIFFERS[client].keys()
    assert all(reason in told[name] for name, reason in DIFFERS[client].items())
    assert all(reason.partition(": ")[2] in told[name] for name, reason in NOT_OF[client].items())


def _played(client: str, out: Path, *chosen: str) -> dict[str, str]:
    """Play scenarios and return their rows."""
    written = out / "page.md"
    command = [sys.executable, "-m", "tests.conformance", "--server", "headend"]
    command += ["--client", client, "--out", str(out / "out"), "--page", str(written), *chosen]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
    return rows(written.read_text(encoding="utf-8"))


@pytest.mark.timeout(400)
def test_another_client_plays_them_as_told(tmp_path: Path) -> None:
    played = _played("py20305", tmp_path, "--only", FEW)
    told = rows(interop_page.part("py20305"))
    assert len(played) == 3
    assert played == {name: told[name] for name in played}


@pytest.mark.deep
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("client", CLIENTS)
def test_all_are_played_as_told(client: str, tmp_path: Path) -> None:
    assert _played(client, tmp_path) == rows(interop_page.part(client))

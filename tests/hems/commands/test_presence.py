"""A hub is known to run by a lock that ends with its process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hems.commands.hub import HubError, running
from hems.commands.presence import announced, page_of, unseen
from hems.settings.config import load

PAGE = "http://127.0.0.1:1"
HOLDER = """
import sys
from pathlib import Path
from hems.commands.presence import announced
with announced(Path(sys.argv[1]), sys.argv[2], "t"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_it_is_said_as_long_as_the_hub_runs(tmp_path: Path) -> None:
    devices = tmp_path / "devices.toml"
    assert page_of(devices) is None
    with announced(devices, PAGE, "t"):
        assert page_of(devices) == PAGE
        with announced(devices, "http://other", "other"):  # a second hub runs all the same
            assert page_of(devices) == PAGE
    assert page_of(devices) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="to be another user needs root")
def test_another_user_does_not_take_a_hub_for_none(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for folder in (tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    devices = tmp_path / "devices.toml"
    assert not unseen(devices)
    with announced(devices, PAGE, "t"):
        assert not unseen(devices)
        os.seteuid(65_534)
        try:
            assert page_of(devices) is None
            assert unseen(devices)
        finally:
            os.seteuid(0)


def test_a_killed_hub_does_not_run(tmp_path: Path) -> None:
    devices = tmp_path / "devices.toml"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(devices), PAGE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert page_of(devices) == PAGE
        holder.kill()
        holder.wait()
        assert page_of(devices) is None


def test_where_it_cannot_be_said_the_hub_runs_all_the_same(tmp_path: Path) -> None:
    with announced(tmp_path / "none" / "devices.toml", PAGE, "t"):
        assert page_of(tmp_path / "none" / "devices.toml") is None


@pytest.mark.requirement("LC-TEST")
def test_a_hub_that_runs_and_does_not_answer_is_said(tmp_path: Path) -> None:
    path = tmp_path / "hems.toml"
    path.touch()
    config = load(path)
    assert running(config, None) is None
    with (
        announced(config.home.devices, PAGE, "t"),
        pytest.raises(HubError, match=r"the hub at http://127\.0\.0\.1:1 does not answer: "),
    ):
        running(config, None)

"""`hems update install` from the enterprise's server to a trial, with the helper beside it."""

import asyncio
import shutil
from pathlib import Path

import pytest

from hems.cli import main
from hems.headend.firmware.repository import FirmwareRepository
from hems.software.helper import Helper
from hems.software.install import Workshop, base_python
from hems.software.sides import Sides
from hems.software.switch import PACKAGE, Phase
from tests.hems.feeds.conftest import Operator
from tests.hems.feeds.test_feeds_commands import home  # noqa: F401 - a fixture of theirs
from tests.hems.software import mini


async def _run(*arguments: object) -> int:
    return await asyncio.to_thread(main, [str(each) for each in arguments])


@pytest.mark.requirement("LC-PATCH")
async def test_from_an_offer_to_a_trial(
    home: Path,  # noqa: F811 - the fixture above
    operator: Operator,
    repository: FirmwareRepository,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del operator  # it has entered the home
    sides = Sides(tmp_path / "root", tmp_path / "package")
    (sides.package / "lib/python3.11/site-packages/hems-0.1.0.dist-info").mkdir(parents=True)
    sides.root.mkdir()
    wheels, out = tmp_path / "wheels", tmp_path / "hems-0.2.0.tar"
    wheels.mkdir()
    mini.wheel(wheels, "0.2.0")
    shutil.copy(mini.pip_wheel(), wheels)
    words = ("--version", "0.2.0", "--least", "0.1.0", "--out", out)
    assert await _run("update", "pack", wheels, *words) == 0
    repository.add_vendor("hems", None)
    firmware, there = ("headend", "firmware"), ("--folder", tmp_path / "lists")
    assert await _run(*firmware, "offer", "hems", "0.2.0", "--file", out, *there) == 0
    repository.approve("hems")
    repository.publish()
    assert await _run("update", "trust", repository.root_file, "--sides", sides.root) == 0

    async def serve() -> None:
        """What systemd does: an order's coming starts the helper."""
        helper = Helper(sides, home.parent, "hems", Workshop(base_python()))
        while True:
            await asyncio.to_thread(helper.serve)
            await asyncio.sleep(0.1)

    helping = asyncio.create_task(serve())
    try:
        place = ("--config", home, "--sides", sides.root)
        assert await _run("update", "install", *place) == 0, capsys.readouterr().err
        told = capsys.readouterr().out
        assert "0.2.0 is installed beside 0.1.0" in told
        assert "0.2.0 is tried at the next start" in told
        state = sides.read()
        assert (state.phase, state.current, state.candidate) == (Phase.ARMED, PACKAGE, "a")
        assert await _run("update", "cancel", *place) == 0
        assert sides.read().phase is Phase.SETTLED
        assert await _run("update", "back", *place) == 1
        assert "no former version" in capsys.readouterr().err
    finally:
        helping.cancel()
        await asyncio.gather(helping, return_exceptions=True)

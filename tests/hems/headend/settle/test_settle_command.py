"""`hems event progress`, `settle` and `availability` at a real head-end."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from hems.cli import main
from hems.commands.operator import Operator as Door
from hems.headend.server import HeadEnd
from tests.hems.headend.conftest import Home, Operator
from tests.hems.headend.settle.homes import EVENING, SetClock, measure, point, respond, series

HOUR_S = 3600


@dataclass
class Desk:
    """An operator's desk: the file that names the head-end, and the command."""

    file: Path
    capsys: pytest.CaptureFixture[str]

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        command = ["event", *arguments, "--operator", str(self.file)]
        code = await asyncio.to_thread(main, command)
        said = self.capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def desk(head_end: HeadEnd, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    file = tmp_path / "operator.json"
    door = Door(url=head_end.addresses.operator_url, token=head_end.token)
    file.write_text(door.model_dump_json())
    return Desk(file, capsys)


async def test_an_event_is_followed_and_settled_at_the_terminal(
    home: Home, operator: Operator, clock: SetClock, desk: Desk, tmp_path: Path
) -> None:
    event = (await operator.event(program="Quick", shed_w=1000, minutes=60))["id"]
    code, said, _ = await desk.run("progress", event)
    assert code == 0
    assert f"{event}  active: 1 homes: 1 no answer" in said
    assert f"no answer: {home.lfdi}" in said

    await respond(home, event, 2, clock.at, drlc=True)
    place = await point(home)
    await measure(home, place, series(lambda _: 2000.0, EVENING - HOUR_S, EVENING))
    await measure(home, place, series(lambda _: 1250.0, EVENING, EVENING + HOUR_S))
    after = EVENING + HOUR_S
    await measure(home, place, series(lambda _: 2000.0, after, after + HOUR_S))
    clock.at = EVENING + 4 * HOUR_S
    code, said, _ = await desk.run("settle", event)
    assert code == 0
    assert "final, baseline: between" in said
    assert f"{home.lfdi}  taking part 0.750 kWh delivered (75%)" in said

    for form in ("csv", "parquet"):
        code, said, _ = await desk.run("settle", event, f"--{form}", str(tmp_path / f"out.{form}"))
        assert (code, said) == (0, f"written: {tmp_path / f'out.{form}'}\n")
    assert home.lfdi in (tmp_path / "out.csv").read_text()
    assert pq.read_table(tmp_path / "out.parquet")["delivered_wh"].to_pylist() == [750.0]
    code, _, error = await desk.run("settle", event, "--csv", str(tmp_path / "no" / "out.csv"))
    assert code == 1
    assert "out.csv: cannot be written: No such file or directory" in error


async def test_what_could_be_asked_for_is_told_at_the_terminal(home: Home, desk: Desk) -> None:
    code, said, _ = await desk.run("availability")
    assert code == 0
    assert "all homes, at once: 0 of 1 homes reached\n    1 not heard of\n" in said
    assert home.lfdi
    code, _, error = await desk.run("availability", "--group", "nowhere")
    assert (code, "nowhere" in error) == (1, True)


async def test_what_is_missing_is_named_at_the_terminal(desk: Desk) -> None:
    for action in ("progress", "settle"):
        code, _, error = await desk.run(action)
        assert code == 1
        assert f"say which event: hems event {action} ID" in error
        code, _, error = await desk.run(action, "0123")
        assert (code, "no event '0123'" in error) == (1, True)

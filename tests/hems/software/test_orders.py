"""Who gives an order learns what came of it, also where that is nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from hems.software.orders import INSTALL_WITHIN_S, ORDER, SOON_S, Answer, Order, ask
from hems.software.sides import ANSWER, UPDATES, SidesError, put

_HELPER = """
import sys
from pathlib import Path
from hems.software.orders import Answer, at_work, ordered, removed
from hems.software.sides import ANSWER, put
home, root = map(Path, sys.argv[1:3])
with at_work(root):
    order = ordered(home)
    removed(home)
    print("taken", flush=True)
    sys.stdin.readline()
    put(root / ANSWER, Answer(id=order.id, done=True, text="done").model_dump(), mode=0o644)
"""


class _Helper:
    """A helper in a process of its own, started at the first look; it works until it is told."""

    def __init__(self, folder: Path, *, killed: bool = False) -> None:
        self.home, self.root = folder / "home", folder / "root"
        self.home.mkdir()
        self.root.mkdir()
        self._killed = killed
        self.looks = 0
        self.process: subprocess.Popen[str] | None = None

    def wait(self, _seconds: float) -> None:
        """Start it the first time, leave it at work the second, and let it end the third."""
        self.looks += 1
        assert self.looks < 1000, "nobody gives up"
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _HELPER, self.home, self.root],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert self.process.stdout is not None
            assert self.process.stdout.readline() == "taken\n"
            return
        if self.looks > 2:
            if self._killed:
                self.process.kill()
                self.process.wait()
            else:
                self.process.communicate("end\n")

    def ask(self) -> Answer:
        try:
            return ask(self.home, self.root, "install", within_s=INSTALL_WITHIN_S, wait=self.wait)
        finally:
            if self.process is not None:
                self.process.kill()
                self.process.communicate()


@pytest.mark.requirement("LC-PATCH")
def test_an_answer_is_waited_for_as_long_as_the_helper_works(tmp_path: Path) -> None:
    helper = _Helper(tmp_path)
    assert helper.ask().text == "done"
    assert helper.looks == 3


@pytest.mark.requirement("LC-PATCH")
def test_a_helper_that_was_killed_at_its_work_is_not_waited_for(tmp_path: Path) -> None:
    """A package upgrade ends it, or the machine where memory is short."""
    helper = _Helper(tmp_path, killed=True)
    with pytest.raises(SidesError, match="ended before it had answered: ask again"):
        helper.ask()
    assert helper.looks == 3


@pytest.mark.requirement("LC-PATCH")
def test_an_order_that_nobody_takes_is_not_waited_for_as_long_as_one_is_worked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, root = tmp_path / "home", tmp_path / "root"
    home.mkdir()
    root.mkdir()
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    with pytest.raises(SidesError, match=r"is hems-software\.path enabled\?"):
        ask(home, root, "install", within_s=INSTALL_WITHIN_S, wait=wait)
    assert SOON_S < now[0] < SOON_S + 10
    assert not (home / UPDATES / ORDER).exists()


@pytest.mark.requirement("LC-PATCH")
def test_a_former_helper_does_not_tell_that_it_works_and_is_waited_for(tmp_path: Path) -> None:
    home, root = tmp_path / "home", tmp_path / "root"
    home.mkdir()
    root.mkdir()
    looks: list[float] = []

    def wait(seconds: float) -> None:
        looks.append(seconds)
        order = home / UPDATES / ORDER
        if len(looks) == 1:
            taken.append(Order.model_validate_json(order.read_bytes()))
            order.unlink()
        elif len(looks) == 300:
            answer = Answer(id=taken[0].id, done=True, text="late")
            put(root / ANSWER, answer.model_dump(), mode=0o644)

    taken: list[Order] = []
    assert ask(home, root, "install", within_s=INSTALL_WITHIN_S, wait=wait).text == "late"

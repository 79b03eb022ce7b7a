"""When a worker is called well: rules as rows, a real full door, a database that hangs."""

import asyncio
import socket
from pathlib import Path

import pytest

from hems.headend.errors import BusyError
from hems.headend.vigil import FULL_LOOKS, ROUND_WITHIN_S, Looked, Queue, Vigil, queue
from hems.service.notify import ServiceManager
from tests.waiting import until

pytestmark = pytest.mark.requirement("L3-MONITOR")
FULL, FREE = Queue(9, 8), Queue(3, 8)


@pytest.mark.parametrize(
    ("looked", "trouble"),
    [
        (Looked(), None),
        (Looked(begun_at=100.0 - ROUND_WITHIN_S), None),
        (Looked(begun_at=99.0 - ROUND_WITHIN_S), "the database neither answers nor fails"),
        (Looked(full=(FULL_LOOKS - 1, 0)), None),
        (Looked(full=(0, FULL_LOOKS)), "callers pile up at a door"),
    ],
)
def test_what_a_worker_cannot_mend_by_itself(looked: Looked, trouble: str | None) -> None:
    said = looked.trouble(100.0)
    assert said is None if trouble is None else (said or "").startswith(trouble)


def test_a_door_is_stuck_once_it_is_full_again_and_again() -> None:
    looked = Looked()
    for door in [FULL] * (FULL_LOOKS - 1) + [FREE] + [FULL] * (FULL_LOOKS - 1):
        looked = looked.after([FREE, door])
        assert looked.trouble(0.0) is None
    assert looked.after([FREE, FULL]).trouble(0.0) is not None
    assert looked.after([FULL]).trouble(0.0) is None, "other doors"
    assert not Queue(5, 0).full, "where the system does not say"


async def test_callers_at_a_real_door_are_counted() -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        listener.setblocking(False)
        assert queue(listener) == Queue(0, 1)
        for caller in (first, second):
            caller.setblocking(False)
            await loop.sock_connect(caller, listener.getsockname())

        async def look() -> Queue:
            return queue(listener)

        await until(look, lambda seen: seen.full, 10.0, "nobody else may wait")
        accepted, _ = listener.accept()
        accepted.close()
        accepted, _ = listener.accept()
        accepted.close()
        assert not queue(listener).full
    with socket.socket(socket.AF_UNIX) as other:
        assert queue(other) == Queue(0, 0)


class Line:
    """The service manager's end, a clock, and a database that does as it is told."""

    def __init__(self, folder: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{folder}/n")
        self.socket.setblocking(False)
        self.now = 1000.0
        self.away = False
        self.hangs = asyncio.Event()
        self.hangs.set()

    async def ask(self) -> None:
        await self.hangs.wait()
        if self.away:
            raise BusyError("the database cannot serve now")

    def fed(self) -> int:
        count = 0
        while True:
            try:
                assert self.socket.recv(99) == b"WATCHDOG=1"
            except BlockingIOError:
                return count
            count += 1


async def test_a_database_that_is_away_ends_nobody_and_one_that_hangs_does(tmp_path: Path) -> None:
    line = Line(tmp_path)
    manager = ServiceManager(f"{tmp_path}/n", 30.0)
    vigil = Vigil(manager, line.ask, tuple, lambda: line.now)
    with line.socket:
        for away in (False, True, False):
            line.away = away
            line.now += 7.5
            await vigil.look()
            assert line.fed() == 1
        line.hangs.clear()
        await vigil.look()
        line.now += ROUND_WITHIN_S
        await vigil.look()
        assert line.fed() == 2, "it may take as long as the database's own limits"
        line.now += 7.5
        await vigil.look()
        assert line.fed() == 0
        line.hangs.set()
        await asyncio.sleep(0)  # the round that hung ends
        await vigil.look()
        assert line.fed() == 1


async def test_nobody_who_waits_is_nobody_to_look_for() -> None:
    asked = []

    async def ask() -> None:
        asked.append(1)

    await Vigil(ServiceManager(), ask, tuple).run()
    assert not asked

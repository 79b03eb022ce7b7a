"""What a run is measured by, in memory that does not grow with its length."""

import asyncio
import gc
import itertools
import logging
import math
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from hems.cem.cycle import Cycle
from hems.headend.response_posts import ResponsePost, ResponsePosts
from tests.stored import execute

_PER_DECADE: Final = 40
_NUMBER: Final = re.compile(r"[-_]\d+")
"""By which threads of one kind are told apart."""
_SHORTEST_S: Final = 1e-4
_CLASSES: Final = 7 * _PER_DECADE
_OURS: Final = ("hems", "der", "programs", "certs", "web")
_ELSEWHERE: Final = ("hems.headend", "hems.scenarios")


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process holds at a moment.

    Attributes:
        at: UTC epoch seconds, of the simulated time.
        rss_mb: Its resident memory after a collection.
        planner_mb: That of the processes it has started.
        files: Its open files and sockets.
        tasks: Its tasks.
        threads: Its threads.
        objects: What the garbage collector follows.
        held: How many there are of each kind of file, task and thread.
        whole: Whether hub and utility were both there, who hold most of that.
    """

    at: float
    rss_mb: float
    planner_mb: float
    files: int
    tasks: int
    threads: int
    objects: int
    held: Mapping[str, int] = field(default_factory=dict)
    whole: bool = True


def sample(at: float, tasks: Collection[asyncio.Task[Any]], *, whole: bool) -> Sample:
    """Return what this process holds now."""
    gc.collect()
    # A list of all objects would take megabytes at once, which the heap does not always give back:
    # the samples themselves would be what grows.
    gc.freeze()
    objects = gc.get_freeze_count()
    gc.unfreeze()
    own = psutil.Process()
    children = sum(child.memory_info().rss for child in own.children(recursive=True))
    threads = threading.enumerate()
    files = os.listdir("/proc/self/fd")  # noqa: PTH208 - nothing is to be opened meanwhile
    held: Counter[str] = Counter(f"task {_task(each)}" for each in tasks)
    held.update(f"thread {_NUMBER.sub('', each.name)}" for each in threads)
    held.update(f"file {_file(own, each)}" for each in files)
    held.update(f"socket {each}" for each in _sockets(own))
    return Sample(
        at,
        own.memory_info().rss / 1e6,
        children / 1e6,
        len(files),
        len(tasks),
        len(threads),
        objects,
        dict(held),  # `dataclasses.asdict` makes no good Counter
        whole,
    )


def _task(task: asyncio.Task[Any]) -> str:
    name = task.get_name()
    return str(task.get_coro()).split(" at 0x")[0] if name.startswith("Task-") else name


def _file(own: psutil.Process, number: str) -> str:
    try:
        return str(Path(f"/proc/{own.pid}/fd/{number}").readlink()).split(":[")[0]
    except OSError:
        return "closed meanwhile"


def _sockets(own: psutil.Process) -> Iterator[str]:
    """Tell of each socket of TCP how it stands, and whether this process was called or calls."""
    sockets = own.net_connections("tcp")
    listening = {each.laddr.port for each in sockets if each.status == psutil.CONN_LISTEN}
    for each in sockets:
        called = each.laddr.port in listening
        yield f"{each.status} {'served' if called else 'called'}"


class Durations:
    """How long something took, by classes of 6 %, from a tenth of a millisecond on."""

    def __init__(self) -> None:
        self.counts = [0] * _CLASSES
        self.longest_s = 0.0

    def add(self, took_s: float) -> None:
        """Take one in."""
        place = math.ceil(_PER_DECADE * math.log10(max(took_s, _SHORTEST_S) / _SHORTEST_S))
        self.counts[min(place, _CLASSES - 1)] += 1
        self.longest_s = max(self.longest_s, took_s)


def within_s(counts: Sequence[int], share: float) -> float:
    """Return the time, s, that at least `share` of all counted ones did not exceed.

    Raises:
        ValueError: There are none.
    """
    total = sum(counts)
    if not total:
        raise ValueError("nothing was timed")
    so_far = enumerate(itertools.accumulate(counts))
    place = next(number for number, seen in so_far if seen >= share * total)
    return float(_SHORTEST_S * 10 ** (place / _PER_DECADE))


@contextmanager
def timed_cycles(durations: Durations) -> Iterator[None]:
    """Time every control cycle while the context lasts, in real time.

    From before its devices are read until what it decided is told, with all else that the process
    does meanwhile: the utility, the physics, the writes to the disk.
    """
    name = "_tick"  # nobody else knows when a cycle begins
    plain: Callable[..., Awaitable[None]] = getattr(Cycle, name)

    async def timed(*args: object) -> None:
        begun = time.perf_counter()
        await plain(*args)
        durations.add(time.perf_counter() - begun)

    setattr(Cycle, name, timed)
    try:
        yield
    finally:
        setattr(Cycle, name, plain)


@contextmanager
def counted_responses(came: dict[str, list[int]]) -> Iterator[None]:
    """Note each response that the utility has taken while the context lasts, by its event's id.

    The utility keeps equal ones once, so what it keeps does not tell what came twice.
    """
    plain = ResponsePosts.add

    async def noted(posts: ResponsePosts, post: ResponsePost) -> int:
        number = await plain(posts, post)
        came.setdefault(post.record.subject, []).append(post.record.status)
        return number

    ResponsePosts.add = noted  # type: ignore[method-assign,assignment] # for as long as it is watched
    try:
        yield
    finally:
        ResponsePosts.add = plain  # type: ignore[method-assign] # as it was


class Lines(logging.Handler):
    """Counts the lines that the hub would have logged, by what they say, and keeps none.

    Attributes:
        said: How often what was said.
        faults: How often what came with a traceback, which only a fault in the software brings.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.said: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line."""
        if record.name.startswith(_OURS) and not record.name.startswith(_ELSEWHERE):
            self.said[f"{record.levelname} {record.name}: {record.msg}"] += 1
        if record.exc_info is not None and record.exc_info[1] is not None:
            self.faults[f"{record.name}: {record.msg}: {record.exc_info[1]!r}"] += 1


def stored_bytes(path: Path) -> int:
    """Return how large a store is, with its log."""
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def stored_minutes(path: Path, since: float) -> int:
    """Return of how many minutes since an instant a store tells what the meter said."""
    asked = (
        "SELECT count(*) FROM minutes JOIN devices ON devices.id = minutes.device "
        "WHERE devices.name = 'meter' AND minute >= ?"
    )
    ((count,),) = execute(path, asked, (math.floor(since / 60),))
    return int(count)

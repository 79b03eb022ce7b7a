"""Names are looked up beside everything else, and what was said last holds while nobody answers.

Each case is a process in a network of its own, with a name server that does as it is told.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machines import Machine, machine, needs_namespaces

pytestmark = [pytest.mark.requirement("L3-MONITOR"), needs_namespaces]

_HEAD = """
import asyncio, json, socket, subprocess, sys
from hems import lookups
from tests.netfaults.names import Book
names = subprocess.Popen([sys.executable, "-m", "tests.netfaults.names", "127.0.0.1"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
names.stdout.readline()
def book(**more):
    names.stdin.write(Book(names={"a.test": ("192.0.2.1",)}, **more).model_dump_json() + "\\n")
    return int(names.stdout.readline())
async def where(name="a.test"):
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            name, 80, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except OSError as error:
        return type(error).__name__, error.errno
    return found[0][4][0]
"""
_TAIL = """
with asyncio.Runner(loop_factory=lookups.LookupLoop) as runner:
    runner.run(main())
names.kill()
print("ended")
"""


@pytest.fixture
def lonely(tmp_path: Path) -> Iterator[Machine]:
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    with machine(mounts=True) as made:
        made.ip("link set lo up")
        made.run("mount", "--bind", str(resolv), str(Path("/etc/resolv.conf").resolve()))
        yield made


def _said(lonely: Machine, body: str) -> list[str]:
    done = subprocess.run(
        lonely.command(sys.executable, "-W", "error", "-c", _HEAD + body + _TAIL),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_silent_name_server_holds_up_neither_other_work_nor_the_end(lonely: Machine) -> None:
    """Forty names are asked for; what shares threads with them in asyncio's own loop goes on."""
    said = _said(
        lonely,
        """
book(mood="silent")
async def main():
    asked = [asyncio.create_task(where(f"n{n}.test")) for n in range(40)]
    again = [asyncio.create_task(where("n0.test")) for n in range(40)]
    await asyncio.sleep(0)
    print(await asyncio.to_thread(sum, (1, 2)), sum(t.done() for t in asked + again))
""",
    )
    assert said == ["3 0", "ended"]


def test_the_same_question_is_asked_once_at_a_time(lonely: Machine) -> None:
    said = _said(
        lonely,
        """
book(slow_s=0.5)
async def main():
    print(set(await asyncio.gather(*(where() for _ in range(50)))))
    print(book())
""",
    )
    assert said == ["{'192.0.2.1'}", "1", "ended"]


def test_what_was_said_last_holds_while_nobody_answers(lonely: Machine) -> None:
    """A first question must wait; a name that does not exist is an answer."""
    said = _said(
        lonely,
        """
book(mood="failing")
async def main():
    print(await where())
    book()
    print(await where())
    for mood in ("failing", "silent"):
        book(mood=mood)
        print(mood, await where(), await where())
    book()
    while asyncio.get_running_loop()._asked:
        await asyncio.sleep(0.1)
    print(await where())
    book(mood="none")
    print(await where())
""",
    )
    assert said == [
        "('gaierror', -3)",
        "192.0.2.1",
        "failing 192.0.2.1 192.0.2.1",
        "silent 192.0.2.1 192.0.2.1",
        "192.0.2.1",
        "('gaierror', -2)",
        "ended",
    ]


def test_it_holds_for_some_days_only(lonely: Machine) -> None:
    said = _said(
        lonely,
        """
book()
async def main():
    loop = asyncio.get_running_loop()
    print(await where())
    book(mood="failing")
    real, ahead = loop.time, 0.0
    loop.time = lambda: real() + ahead
    ahead = lookups.STALE_S - 60
    print(await where())
    ahead = lookups.STALE_S + 60
    print(await where())
""",
    )
    assert said == ["192.0.2.1", "192.0.2.1", "('gaierror', -3)", "ended"]

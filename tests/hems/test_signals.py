"""Signals that ask a program to end: the first one is heard, no later one spoils the end."""

import os
import pty
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.requirement("LC-TEST")

PROGRAM = """
import asyncio, sys, time
from hems.signals import end_by, end_quietly

async def serve():
    stop = asyncio.Event()
    end_by(stop.set)
    try:
        print("runs", flush=True)
        await stop.wait()
    finally:
        end_quietly()

asyncio.run(serve())
print("has ended", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_asks_once_more_does_not_turn_the_end_into_a_failure(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "runs\n"
        program.send_signal(number)
        assert program.stdout.readline() == "has ended\n"
        program.send_signal(number)
        _, error = program.communicate("\n", timeout=60.0)
    assert (program.returncode, error) == (0, "")


HEARING = """
import asyncio, sys
from hems.signals import reload_by, reload_later

reload_later()

async def serve():
    stop, asked = asyncio.Event(), asyncio.Event()
    reload_by(asked.set, stop.set)
    print("runs", flush=True)
    done, _ = await asyncio.wait(
        [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(asked.wait())],
        return_when=asyncio.FIRST_COMPLETED,
    )
    print("ends" if stop.is_set() else "reads", flush=True)

asyncio.run(serve())
"""


@pytest.mark.parametrize(("terminal", "does"), [(False, "reads\n"), (True, "ends\n")])
def test_a_hang_up_means_another_thing_where_there_is_a_terminal(terminal: bool, does: str) -> None:
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", HEARING],
            stdin=theirs if terminal else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "runs\n"
            program.send_signal(signal.SIGHUP)
            assert program.stdout.readline() == does
    finally:
        os.close(ours)
        os.close(theirs)
    assert program.returncode == 0

"""Commands that end by themselves, as processes forked from one that has loaded `hems` already.

Loading takes more than a second of a processor, and what these commands do next to nothing. Each
is a process of its own all the same: with its exit code, its output and its errors.
"""

import asyncio
import atexit
import gc
import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import IO, Final

import hems.commands.event
import hems.commands.headend
import hems.commands.run
import hems.commands.status  # noqa: F401 (loaded here, so that the forks need not)
from hems.cli import main

WITHIN_S: Final = 30


async def forked(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Run a `hems` command that is to end by itself; returns exit code, stdout and stderr."""
    return await asyncio.to_thread(_ask, arguments, cwd)


def _ask(arguments: tuple[str, ...], cwd: Path) -> tuple[int, str, str]:
    out, error = cwd / "forked.out", cwd / "forked.err"
    told, answers = _server()
    told.write(json.dumps([arguments, str(cwd), str(out), str(error)]) + "\n")
    told.flush()
    code = int(answers.readline())
    assert code != -signal.SIGALRM, f"hems {' '.join(arguments)} did not end by itself"
    return code, out.read_text(encoding="utf-8"), error.read_text(encoding="utf-8")


@cache
def _server() -> tuple[IO[str], IO[str]]:
    """Start the process that forks; returns what it is told by and what it answers by."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def end(told: IO[str] = process.stdin) -> None:
        told.close()
        process.wait()

    atexit.register(end)
    return process.stdin, process.stdout


def _serve() -> None:
    gc.freeze()  # what is loaded is shared with the forks, not copied into each by its collector
    for line in sys.stdin:
        arguments, cwd, out, error = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(cwd, out, error)
            sys.exit(main(arguments))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(cwd: str, out: str, error: str) -> None:
    """Take the place of a command that was started in a folder."""
    signal.alarm(WITHIN_S)
    os.chdir(cwd)
    for number, path in ((0, os.devnull), (1, out), (2, error)):
        opened = os.open(
            path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        )
        os.dup2(opened, number)


if __name__ == "__main__":
    _serve()

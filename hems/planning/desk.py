"""The controller's end of its planner: a process of its own, asked and answered by a pipe.

Building and solving a plan takes up to a second and a hundred megabytes: neither may ever delay a
set-point. A planner that fails, hangs or answers nonsense is ended and started anew, with growing
pauses; the home goes on by what it has, and then without a plan.
"""

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import Process
from collections.abc import Sequence
from typing import Final

from der.sentence import say
from hems.cem.planner.plan import Plan
from hems.cem.planner.question import Question
from hems.planning.letters import LetterError, check_answer, read_plan, write_question

_log = logging.getLogger(__name__)

COMMAND: Final = (sys.executable, "-m", "hems.commands.planner")
ANSWER_S: Final = 60.0
"""Longest wait for a plan; the first one learns from all of the past."""
_LONGEST_LINE: Final = 1 << 24
_ENDED_S: Final = 2.0


class DeskError(Exception):
    """There is no plan this time; `str()` says why."""


class Desk:
    """One planner process at a time.

    Args:
        command: What starts it.
        answer_s: Longest wait for an answer, s.
    """

    def __init__(self, command: Sequence[str] = COMMAND, answer_s: float = ANSWER_S) -> None:
        self._command = tuple(command)
        self._answer_s = answer_s
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the planner; None while none runs."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    async def ask(self, question: Question) -> Plan:
        """Return the plan that answers a question; starts the planner where none has been.

        One that has ended by itself is not replaced in silence: who asks has to tell the next one
        of the past again (`pid` is None then; `close` clears it away).

        Raises:
            DeskError: There is no plan; the planner that failed has been ended.
        """
        try:
            async with asyncio.timeout(self._answer_s):
                process = await self._started()
                return await _converse(process, question)
        except TimeoutError:
            await self.close()
            raise DeskError(
                say("it did not answer within {answer:g} s", answer=self._answer_s)
            ) from None
        except (OSError, LetterError, ValueError) as error:
            await self.close()
            raise DeskError(str(error)) from error

    async def close(self) -> None:
        """End the planner, if one runs."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_ENDED_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _started(self) -> Process:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LONGEST_LINE,
                start_new_session=True,  # Ctrl-C at the terminal is the hub's, which ends it
            )
            _log.debug("the planner runs as process %d", self._process.pid)
        elif self._process.returncode is not None:
            raise LetterError(
                say(
                    "it has ended by itself, code {returncode}", returncode=self._process.returncode
                )
            )
        return self._process


async def _converse(process: Process, question: Question) -> Plan:
    """Ask, and return the answer.

    Raises:
        LetterError: What comes is no answer.
        OSError: The planner has gone.
        ValueError: Its line is too long.
    """
    if process.stdin is None or process.stdout is None:
        raise LetterError("the planner has no pipe")
    process.stdin.write(write_question(question))
    with contextlib.suppress(ConnectionError):  # gone: then there is nothing to read either
        await process.stdin.drain()
    while line := await process.stdout.readline():
        number, plan = read_plan(line)
        if number == question.number:
            check_answer(plan, question)
            return plan
    raise LetterError("it ended without an answer")

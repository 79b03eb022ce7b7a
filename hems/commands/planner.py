"""The planner process: `python -m hems.commands.planner`, started by the hub, asked by a pipe.

It ends when the hub does: its standard input is then at its end.
"""

import logging
import os
import sys
from typing import Final

from hems.cem.planner.planner import Planner
from hems.logs import log_to_stderr
from hems.planning.letters import LetterError, read_question, write_plan

_log = logging.getLogger("hems.planner")

_NICE: Final = 10
"""A set-point never waits for a plan."""


def main() -> int:
    """Answer until nobody asks any more; returns the exit code."""
    log_to_stderr(logging.INFO)
    os.nice(_NICE)
    planner = Planner()
    for line in sys.stdin.buffer:
        try:
            question = read_question(line)
        except LetterError as error:
            _log.error("%s", error)
            return 1
        answer = write_plan(question.number, planner.answer(question))
        try:
            sys.stdout.buffer.write(answer)
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # the hub has gone meanwhile
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The planner's process: real ones that fail in every way, and how the hub takes it."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from hems.cem.planner.plan import Plan, PlannedDevice
from hems.cem.planner.problem import Limits, Prices
from hems.cem.planner.question import Question, Role, Stretch
from hems.cem.slots import Slots
from hems.planning.desk import COMMAND, Desk, DeskError
from hems.planning.letters import (
    LetterError,
    check_answer,
    read_plan,
    read_question,
    write_plan,
    write_question,
)
from programs.economy import Use
from tests.waiting import until

SLOTS = Slots(0.0, 900.0, 2)
QUESTION = Question(
    7,
    0.0,
    "Europe/Berlin",
    SLOTS,
    Prices((0.3, -0.1), (0.08, 0.08)),
    Limits((float("inf"),) * 2, (5e3,) * 2, ("breaker",) * 2),
    (Stretch("meter", Role.METER, 0.0, (1.0, 2.5)),),
)
PLAN = Plan(0.0, SLOTS, {}, (500.0, 500.0), (0.0, 0.0), (500.0, 500.0), 0.1, 0.1)


SOUND = replace(PLAN, devices={"b": PlannedDevice((1.0, 2.0), (5.0, 6.0), (Use.KEEP,) * 2)})


def program(body: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import sys, time, os, signal\n{body}")


async def pid_of(desk: Desk) -> int | None:
    return desk.pid


def test_what_is_written_is_read() -> None:
    assert read_question(write_question(QUESTION)) == QUESTION
    assert read_plan(write_plan(7, PLAN)) == (7, PLAN)


@pytest.mark.parametrize("line", [b"", b"{}", b"[1]", b'{"number": 1}', b"\xff\n", b"null"])
def test_nonsense_is_one_error(line: bytes) -> None:
    with pytest.raises(LetterError):
        read_plan(line)
    with pytest.raises(LetterError):
        read_question(line)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("time.sleep(60)", "did not answer within"),
        ("sys.exit(3)", "ended without an answer"),
        ("print('hello', flush=True); time.sleep(60)", "not a plan"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "ended without an answer"),
        ("sys.stdin.readline(); signal.signal(15, signal.SIG_IGN); time.sleep(60)", "within"),
    ],
)
async def test_a_planner_that_fails_is_ended_and_said(body: str, words: str) -> None:
    desk = Desk(program(body), answer_s=0.7)
    try:
        with pytest.raises(DeskError, match=words):
            await desk.ask(QUESTION)
        assert desk.pid is None
    finally:
        await desk.close()


async def test_a_program_that_is_not_there_is_said() -> None:
    with pytest.raises(DeskError):
        await Desk(("/nonexistent/planner",)).ask(QUESTION)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1 / 3, 1e300])
def test_any_number_is_written_and_read(value: float) -> None:
    question = replace(QUESTION, past=(Stretch("m", Role.METER, 0.0, (value,)),), load_w=value)
    assert repr(read_question(write_question(question))) == repr(question)


def test_a_sound_plan_is_taken() -> None:
    check_answer(SOUND, QUESTION)


@pytest.mark.parametrize(
    "plan",
    [
        replace(SOUND, slots=Slots(900.0, 900.0, 2)),
        replace(SOUND, load_w=()),
        replace(SOUND, sun_w=(0.0, float("nan"))),
        replace(SOUND, net_w=(0.0,) * 3),
        replace(SOUND, devices={"b": PlannedDevice((1.0,))}),
        replace(SOUND, devices={"b": PlannedDevice((1.0, float("inf")))}),
        replace(SOUND, devices={"b": PlannedDevice((1.0, 2.0), (5.0,))}),
        replace(SOUND, devices={"b": PlannedDevice((1.0, 2.0), (), (Use.KEEP,))}),
    ],
)
async def test_a_plan_for_something_else_is_none(plan: Plan) -> None:
    """Whoever follows a plan looks into its rows by slot, in the control cycle, too."""
    desk = Desk(program(f"sys.stdin.readline(); os.write(1, {write_plan(7, plan)!r})"))
    try:
        with pytest.raises(DeskError, match="not a plan"):
            await desk.ask(QUESTION)
    finally:
        await desk.close()


async def test_one_that_has_ended_by_itself_is_not_replaced_in_silence() -> None:
    """The next one would know nothing of the past."""
    desk = Desk(program(f"sys.stdin.readline(); os.write(1, {write_plan(7, PLAN)!r})"))
    try:
        await desk.ask(QUESTION)
        await until(lambda: pid_of(desk), lambda pid: pid is None, 10.0, "its end")
        with pytest.raises(DeskError, match="ended by itself"):
            await desk.ask(QUESTION)
        assert (await desk.ask(QUESTION)).cost == PLAN.cost
    finally:
        await desk.close()


async def test_what_ends_the_hub_at_a_terminal_does_not_reach_the_planner() -> None:
    """Ctrl-C goes to the whole group of the terminal; the planner would die of it, and say so."""
    answer = write_plan(7, PLAN)
    desk = Desk(program(f"sys.stdin.readline(); os.write(1, {answer!r}); sys.stdin.readline()"))
    try:
        await desk.ask(QUESTION)
        assert desk.pid is not None
        assert os.getpgid(desk.pid) != os.getpgid(0)
    finally:
        await desk.close()


async def test_a_question_that_is_dropped_leaves_no_process() -> None:
    desk = Desk(program("time.sleep(60)"))
    long = replace(QUESTION, zone="x" * 3_000_000)  # more than the pipe holds: it is being written
    asking = asyncio.create_task(desk.ask(long))
    pid = await until(lambda: pid_of(desk), bool, 10.0, "its start")
    assert pid is not None
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await desk.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_late_answer_to_an_earlier_question_is_not_taken() -> None:
    late, right = write_plan(6, PLAN), write_plan(7, replace(PLAN, cost=0.7))
    body = f"sys.stdin.readline(); os.write(1, {late!r} + {right!r}); sys.stdin.readline()"
    desk = Desk(program(body))
    try:
        assert (await desk.ask(QUESTION)).cost == 0.7
    finally:
        await desk.close()


async def test_a_planner_ends_with_its_hub() -> None:
    answer = write_plan(7, PLAN)
    desk = Desk(program(f"sys.stdin.readline(); os.write(1, {answer!r}); sys.stdin.readline()"))
    await desk.ask(QUESTION)
    pid = desk.pid
    assert pid is not None
    await desk.close()
    await asyncio.sleep(0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_hub_that_is_gone_when_the_answer_comes_ends_the_planner_without_a_word() -> None:
    ours, theirs = os.pipe()
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=theirs, stderr=subprocess.PIPE
    ) as planner:
        os.close(theirs)
        os.close(ours)
        _, said = planner.communicate(write_question(QUESTION), timeout=60.0)
    assert (planner.returncode, said) == (0, b"")

"""What runs beside the control cycle fails by itself."""

import asyncio

import pytest

from hems.aside import Aside


async def _fails(error: Exception) -> None:
    raise error


@pytest.mark.requirement("ROLE-CEM")
async def test_a_failure_aside_is_said_and_control_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said: list[str] = []
    both = asyncio.Event()

    def say(text: str) -> None:
        said.append(text)
        if len(said) == 2:
            both.set()

    aside = Aside(say)
    aside.start()
    control = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        cycle = group.create_task(control.wait())
        aside.spawn(_fails(KeyError("gone")))
        aside.spawn(_fails(ValueError("bad")))
        await asyncio.wait_for(both.wait(), 5)
        assert not cycle.done()
        control.set()
    await aside.stop()
    assert said == [
        "Something beside the control of the home failed: KeyError('gone')",
        "Something beside the control of the home failed: ValueError('bad')",
    ]
    assert caplog.records[0].exc_info is not None


async def test_what_still_runs_is_ended_and_what_comes_too_late_dropped() -> None:
    said: list[str] = []
    aside = Aside(said.append, grace_s=0.0)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    aside.spawn(long())  # not open yet
    aside.start()
    aside.spawn(long())
    await begun.wait()
    await aside.stop()
    assert ended.is_set()
    aside.spawn(long())
    assert said == []


async def test_what_is_nearly_done_may_end() -> None:
    aside = Aside(lambda _: None)
    begun, kept = asyncio.Event(), []

    async def save() -> None:
        begun.set()
        await asyncio.sleep(0)
        kept.append("baseline")

    aside.start()
    aside.spawn(save())
    await begun.wait()
    await aside.stop()
    assert kept == ["baseline"]

"""`hems device test` and the test move of `hems device add`."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Final

from der.errors import DeviceError
from der.service import Mode
from hems.bench.commissioning import moved, untestable
from hems.commands.device_bench import Bench, opened
from hems.commands.hub import HubError, running
from hems.commands.output import fail
from hems.commands.progress import bar
from hems.device_surface import MoveOutcome
from hems.settings.config import Config, load
from hems.settings.device_section import DeviceSection, spec
from hems.settings.toml_file import ConfigError
from hems.setup.device_file import find

FAILED: Final = 1


def run(config: Path, device: str, url: str | None, move_s: float) -> int:
    """Do the test move with a configured device; returns 0 if it passed."""
    try:
        home = load(config)
        section = find(home, device)
        refusal = untestable(spec(section, 0.0))
        if refusal is not None:
            return fail(refusal)
        hub = running(home, url)
        if hub is not None:
            print(f"the running hub moves {section.name}", file=sys.stderr)
            outcome = hub.test(device, move_s)
        else:
            outcome = asyncio.run(_alone(home, section, move_s))
    except (ConfigError, DeviceError, HubError) as error:
        return fail(str(error))
    for line in words(section.name, outcome):
        print(line)
    return 0 if outcome.passed else FAILED


async def _alone(config: Config, section: DeviceSection, move_s: float) -> MoveOutcome:
    async with opened(config, section.id, Mode.READ_WRITE, say) as bench:
        return await move(bench, move_s)


async def move(bench: Bench, move_s: float) -> MoveOutcome:
    """Do the test move with an opened device, with a bar."""
    with bar() as shown:
        return await moved(
            bench.handle,
            bench.meter,
            time.time,
            move_s=move_s,
            progress=shown.move,
        )


def words(name: str, outcome: MoveOutcome) -> list[str]:
    """Return an outcome in lines; pure."""
    if not outcome.passed:
        verdict = f"{name} FAILED its test move"
    elif outcome.moved:
        verdict = f"{name} did what it was told"
    else:
        verdict = f"{name} took what it was told; that it moves was not seen"
    lines = [verdict, *(f"  {finding}" for finding in outcome.findings)]
    if outcome.phases:
        lines.append(f"  the meter saw it on phase {', '.join(outcome.phases)}")
    return lines


def say(sentence: str) -> None:
    """Tell the person one sentence, beside the result."""
    print(f"hems: {sentence}", file=sys.stderr)

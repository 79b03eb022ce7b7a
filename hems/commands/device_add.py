"""`hems device add`: a device looked at, tested and kept, with no file edited by hand."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from der.errors import DeviceError
from der.service import Mode
from hems.commands.device_ask import ask
from hems.commands.device_bench import opened
from hems.commands.device_move import move, say
from hems.commands.device_move import words as outcome_words
from hems.commands.device_trust import commission
from hems.commands.device_words import words
from hems.commands.hub import HubError, running
from hems.commands.hub_home import HubHome
from hems.commands.output import fail
from hems.device_surface import MOVE_S, DeviceDetail, MoveOutcome
from hems.settings import devices_file
from hems.settings.config import Config, load
from hems.settings.device_section import DeviceSection
from hems.settings.devices_file import Value
from hems.settings.toml_file import ConfigError
from hems.setup.device_file import checked, find, kept
from hems.setup.draft import LackingError, NotAddedError, Wanted, drafted
from hems.setup.joining import controlled, taken
from hems.setup.kept_scan import ScanError, result
from hems.surface import SurfaceError


@dataclass(frozen=True, slots=True)
class AddOptions:
    """What to add, and how.

    Attributes:
        config: The configuration file.
        name: What the owner calls it; its id is made of it.
        given: Keys of its section that were given.
        found: Number of a result of the last scan that it is; None for none.
        url: Where the running hub's page is; None for where the configuration has it.
        asks: Whether to ask for what was not given.
        tests: Whether it must do its test move.
        force: Whether it joins even if that fails.
        move_s: How long each step of the move lasts, in s.
    """

    config: Path
    name: str
    given: Mapping[str, Value] = field(default_factory=dict)
    found: int | None = None
    url: str | None = None
    asks: bool = False
    tests: bool = True
    force: bool = False
    move_s: float = MOVE_S


def run(options: AddOptions) -> int:
    """Add a device; returns the exit code."""
    try:
        config = load(options.config)
        with devices_file.locked(config.home.devices):
            return _add(options, config)
    except LackingError as error:
        known = f" ({', '.join(error.known)})" if error.known else ""
        said = str(error).removesuffix(".")
        return fail(f"{said}; give it with --{error.key}{known}")
    except (ConfigError, DeviceError, HubError, NotAddedError, ScanError, SurfaceError) as error:
        return fail(str(error))
    except EOFError:
        return fail("nothing was added: an answer is missing")


def _add(options: AddOptions, config: Config) -> int:
    others = kept(config)
    table = _table(options, config)
    after = checked(options.config, others, table, options.name)
    section = find(after, str(table["id"]))
    hub = running(config, options.url)
    if hub is None:
        detail, outcome = asyncio.run(_alone(after, section, options))
    else:
        devices_file.write(config.home.devices, [*others, table])
        try:
            detail, outcome = asyncio.run(_in_hub(HubHome(hub), section, options))
        except BaseException:
            devices_file.write(config.home.devices, others)
            raise
    for line in (*words(detail), *(outcome_words(section.name, outcome) if outcome else ())):
        print(line)
    failed = outcome is not None and not outcome.passed and not options.force
    if failed:
        if hub is not None:
            devices_file.write(config.home.devices, others)
        raise NotAddedError(
            f"{section.name} does not join: its test move failed (--force adds it all the same)"
        )
    told_apart = config.home.phases > 1 and outcome is not None and outcome.phases
    if outcome is not None and told_apart and "connected_to" not in table:
        table = {**table, "connected_to": [str(phase) for phase in outcome.phases]}
    if hub is not None:
        commission(hub, section.id)
    devices_file.write(config.home.devices, [*others, table])
    print(f"{section.id} is added to {config.home.devices}")
    return 0


def _table(options: AddOptions, config: Config) -> dict[str, Value]:
    """Return the device's section: what the scan told, what was given, what it tells, answers."""
    row = None if options.found is None else result(options.found, config.home.devices)
    wanted = Wanted(options.name, options.given, row)
    if not options.asks:
        return asyncio.run(drafted(wanted))
    return asyncio.run(drafted(wanted, lambda table: ask(table, _typed)))


def _typed(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


async def _alone(
    config: Config, section: DeviceSection, options: AddOptions
) -> tuple[DeviceDetail, MoveOutcome | None]:
    """Open, show and test a device here, while no hub runs."""
    moves = controlled(section)
    mode = Mode.READ_WRITE if moves else Mode.READ_ONLY
    async with opened(config, section.id, mode, say) as bench:
        detail = await bench.detail()
        if not (moves and options.tests):
            return detail, None
        return detail, await move(bench, options.move_s)


async def _in_hub(
    hub: HubHome, section: DeviceSection, options: AddOptions
) -> tuple[DeviceDetail, MoveOutcome | None]:
    """Wait until the running hub has taken and reached a device, and have it test it."""
    say("the running hub takes it up")
    detail = await taken(hub, section)
    if not (controlled(section) and options.tests):
        return detail, None
    say(f"the running hub moves {section.name}")
    return detail, await hub.test(section.id, options.move_s)

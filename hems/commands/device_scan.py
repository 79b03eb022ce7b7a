"""`hems device scan`: what is in the home and could be added."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from der.discovery.scan import Report
from hems.commands.hub import HubError, running
from hems.commands.output import fail
from hems.commands.progress import bar
from hems.settings.config import Config, load, there
from hems.settings.toml_file import ConfigError
from hems.setup.kept_scan import Row, ScanError, keep, numbered
from hems.setup.scan import Search, TargetError, look


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """How to scan.

    Attributes:
        config: The configuration file; there need not be one.
        url: Where the running hub's page is; None for where the configuration has it.
        search: Where to look.
        as_json: Whether to print JSON.
    """

    config: Path
    url: str | None = None
    search: Search = field(default_factory=Search)
    as_json: bool = False


def run(options: ScanOptions) -> int:
    """Scan and print what was found; returns the exit code."""
    try:
        # Whoever has no configuration yet may well look around first.
        config = load(options.config) if there(options.config) else Config()
        report = asyncio.run(_scan(config, options))
    except (ConfigError, HubError) as error:
        return fail(str(error))
    except TargetError as error:
        return fail(f"--at {error}")
    rows = numbered(report.found)
    try:
        keep(rows, config.home.devices)
    except ScanError as error:
        print(f"hems: {error}", file=sys.stderr)
    if options.as_json:
        found = [row.model_dump() for row in rows]
        print(json.dumps({"found": found, "troubles": report.troubles}, indent=2))
        return 0
    for trouble in report.troubles:
        print(f"hems: {trouble}", file=sys.stderr)
    for line in listed(rows):
        print(line)
    return 0


def listed(rows: Sequence[Row]) -> Sequence[str]:
    """Return results in lines; pure."""
    if not rows:
        return ["nothing found"]
    lines = []
    for row in rows:
        known = f"  [is {row.configured}]" if row.configured else ""
        how = ", ".join(row.how)
        lines.append(f"{row.number:>3}  {row.kind or '?':<13} {row.who or '-':<34} {row.where}")
        lines[-1] += f"  ({how}){known}"
        if row.note:
            lines.append(f"     {row.note}")
    if any(row.driver and not row.configured for row in rows):
        lines.append("add one with: hems device add NAME --found NUMBER")
    return lines


async def _scan(config: Config, options: ScanOptions) -> Report:
    hub = await asyncio.to_thread(running, config, options.url)
    calls = None if hub is None else await asyncio.to_thread(hub.callers)
    with bar() as progress:
        return await look(
            config,
            options.search,
            running=hub is not None,
            calls=calls,
            progress=progress.scan,
        )

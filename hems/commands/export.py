"""`hems export history`: what each device took and gave, as a file; the hub may run or not."""

import argparse
import asyncio
import sys
from datetime import datetime
from pathlib import Path

from hems.cem.civil import Grain
from hems.commands.output import fail
from hems.reports.child import make
from hems.reports.energy import span
from hems.reports.surface import TooMuchError
from hems.reports.table import ExportError, Named, Order
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from hems.store.errors import StoreError

STDOUT = "-"


def run(options: argparse.Namespace) -> int:
    """Write the file; returns the exit code, 1 with one clear error if it cannot be written."""
    try:
        config = load(options.config)
        order = _order(config, options.start, options.end, Grain(options.step), options.format)
        if options.file == STDOUT:
            asyncio.run(make(order, sys.stdout.buffer))
        else:
            _write(order, Path(options.file))
    except (ConfigError, ExportError, StoreError, TooMuchError) as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"{options.file}: cannot be written: {error.strerror}")
    return 0


def _order(config: Config, start: datetime, end: datetime, step: Grain, form: str) -> Order:
    begun, ended = span(start, end, config.home.zone)
    return Order(
        store=config.store.path,
        zone=config.home.time_zone,
        devices={each.id: Named(name=each.name, kind=each.kind) for each in config.device},
        start=begun,
        end=ended,
        step=step,
        form=form,
    )


def _write(order: Order, path: Path) -> None:
    """Write a file; one that was there stays as it was until the new one is whole."""
    draft = path.with_name(f".{path.name}.new")
    try:
        with draft.open("wb") as out:
            asyncio.run(make(order, out))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)

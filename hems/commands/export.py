"""`hems export history`: what each device took and gave, as a file; the hub may run or not."""

import argparse
import asyncio
import sys
from datetime import datetime
from pathlib import Path

from certs.errors import CertificateError
from certs.keys.opening import key_store
from hems.cem.civil import Grain
from hems.commands.output import fail
from hems.commands.way_in import home_file
from hems.reports.child import make
from hems.reports.energy import span
from hems.reports.surface import TooMuchError
from hems.reports.table import ExportError, Named, Order
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from hems.store.errors import StoreError
from hems.store.key_file import key_path, read_key

STDOUT = "-"


def run(options: argparse.Namespace) -> int:
    """Write the file; returns the exit code, 1 with one clear error if it cannot be written."""
    try:
        config = load(options.config or home_file())
        order = _order(config, options.start, options.end, Grain(options.step), options.format)
        if options.file == STDOUT:
            asyncio.run(make(order, sys.stdout.buffer))
        else:
            _write(order, Path(options.file))
    except (CertificateError, ConfigError, ExportError, StoreError, TooMuchError) as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"{options.file}: cannot be written: {error.strerror}")
    return 0


def _order(config: Config, start: datetime, end: datetime, step: Grain, form: str) -> Order:
    begun, ended = span(start, end, config.home.zone)
    store = config.store.path
    if not store.is_file():
        raise ExportError(f"{store}: there is no store of a hub")
    key = read_key(store, key_store(config.keys.settings)) if key_path(store).exists() else None
    return Order(
        store=store,
        key=None if key is None else key.packed.hex(),
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

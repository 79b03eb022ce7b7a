"""The head-end's worker under load, what a held connection costs, and events told to many homes.

The server is `hems headend run` itself, in processes of its own, with mutual TLS; homes are other
processes, each connection with a certificate of its own. Rates are of 8 connections in a closed
loop, with the cipher that the server prefers (GCM), and `ccm8_...` with the one that IEEE 2030.5
makes mandatory. Each store and number of workers is a row of `rows`; one that cannot be started is
in `absent`, with the reason. `fleet` has what one worker costs with 100 to 100,000 homes, and
`fleet_growth` by what factor that grows.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from certs.pki import Pki, init_pki, open_pki
from hems.headend.errors import StoreError
from tests.benchmarks.common import Figure, parser, report
from tests.benchmarks.headend_crowd import crowd
from tests.benchmarks.headend_fleet import FLEETS, READINGS, enter, growth, measure_fleet
from tests.benchmarks.headend_homes import make_homes
from tests.benchmarks.headend_load import CONTROLS
from tests.benchmarks.headend_rig import (
    PROGRAMS,
    AbsentError,
    Operator,
    Utility,
    postgresql,
    running,
)
from tests.benchmarks.headend_wire import CCM8, GCM

ROWS: Final = (("sqlite", 1), ("sqlite", 2), ("postgresql", 1), ("postgresql", 2))
CONNECTIONS: Final = 8
SECONDS: Final = 8.0
HOMES: Final = 10_000
QUICK_HOMES: Final = 40
QUICK_FLEETS: Final = (10, 100)
QUICK_SECONDS: Final = 0.5
_HEADLINE: Final = (
    *("time_rps", "derc_rps", "mmr_rps", "time_p99_ms", "derc_p99_ms", "mmr_p99_ms"),
    *("homes_held", "rss_per_home_kb", "fanout_10k_s"),
)
_GROWING: Final = ("time_cpu_ms", "derc_cpu_ms", "mmr_cpu_ms", "enter_ms", "event_ms", "rss_mb")
"""What is compared between the smallest fleet and the largest."""


def row_name(store: str, workers: int) -> str:
    """Return the key of a row."""
    return f"{store}-{workers}"


def fill(operator: Operator) -> None:
    """Dispatch as many events as the list has that is asked for, one after the other."""
    for number in range(CONTROLS):
        operator.post(
            "/events",
            {
                "program": PROGRAMS[0],
                "limit_import_w": 1500 + number,
                "start": f"+{60 + 20 * number}m",
                "minutes": 15,
            },
        )


def load(utility: Utility, pki: Pki, homes: Path, cipher: str, seconds: float) -> dict[str, Figure]:
    """Measure the rates from another process."""
    workers = ",".join(str(worker.pid) for worker in utility.workers)
    said = subprocess.run(
        [
            *(sys.executable, "-m", "tests.benchmarks.headend_load"),
            *(
                "--port",
                str(utility.port),
                "--workers",
                workers,
                "--homes",
                str(homes),
                "--roots",
                str(pki.trust.roots),
            ),
            *("--cipher", cipher, "--connections", str(CONNECTIONS), "--seconds", str(seconds)),
        ],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    figures: dict[str, Figure] = json.loads(said)
    return figures


def measure_row(
    utility: Utility, pki: Pki, homes: Path, count: int, options: argparse.Namespace
) -> dict[str, Figure]:
    """Measure one combination of store and workers, whose database has the homes."""
    seconds = QUICK_SECONDS if options.quick else options.seconds
    operator = Operator(utility)
    fill(operator)
    figures = load(utility, pki, homes, GCM, seconds)
    ccm8 = load(utility, pki, homes, CCM8, seconds)
    figures |= {f"ccm8_{k}": v for k, v in ccm8.items() if k.endswith(("_rps", "_p99_ms"))}
    figures["rss_mb"] = round(utility.rss_kb() / 1024.0, 1)
    if not options.no_crowd:
        figures |= crowd(utility, operator, pki, homes, count)
    operator.close()
    return figures


def measure_fleets(
    folder: Path, pki: Pki, lfdis: list[str], options: argparse.Namespace
) -> dict[str, Figure]:
    """Measure fleets of several sizes, with one worker on SQLite."""
    fleets: dict[str, dict[str, Figure]] = {}
    seconds = QUICK_SECONDS if options.quick else options.seconds
    for size in QUICK_FLEETS if options.quick else FLEETS:
        print(f"a fleet of {size} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix=f"fleet-{size}-", dir=folder) as place:
            fleets[str(size)] = measure_fleet(
                Path(place),
                pki,
                size,
                lfdis[:CONNECTIONS],
                lambda utility: load(utility, pki, folder / "homes", GCM, seconds),
            )
    grown = {key: growth(fleets, key) for key in _GROWING}
    return {"fleet": fleets, "fleet_growth": grown, "readings": READINGS}


@contextmanager
def _database(folder: Path, store: str) -> Iterator[str]:
    if store == "sqlite":
        yield str(folder / "headend.sqlite")
        return
    with postgresql() as address:
        yield address


def _place_of(database: str) -> Path | str:
    return database if "://" in database else Path(database)


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Figure]:
    """Measure all rows."""
    pki = open_pki(folder / "pki") if (folder / "pki").is_dir() else init_pki(folder / "pki")
    count = max(CONNECTIONS, QUICK_HOMES if options.quick else options.homes)
    lfdis = make_homes(pki, folder / "homes", count)
    rows: dict[str, Mapping[str, Figure]] = {}
    absent: dict[str, Figure] = {}
    for store, workers in ROWS:
        name = row_name(store, workers)
        if options.rows and name not in options.rows.split(","):
            continue
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=folder) as place:
            try:
                with ExitStack() as stack:
                    database = stack.enter_context(_database(Path(place), store))
                    asyncio.run(enter(_place_of(database), lfdis))
                    utility = stack.enter_context(running(Path(place), pki, database, workers))
                    print(f"{name} ...", file=sys.stderr, flush=True)
                    rows[name] = measure_row(utility, pki, folder / "homes", count, options)
            except (AbsentError, StoreError) as error:
                absent[name] = str(error)
                print(f"{name}: absent: {error}", file=sys.stderr, flush=True)
    figures = summed(rows, absent, count)
    if not options.no_fleet:
        figures |= measure_fleets(folder, pki, lfdis, options)
    return figures


def summed(
    rows: Mapping[str, Mapping[str, Figure]], absent: Mapping[str, Figure], homes: int
) -> dict[str, Figure]:
    """Return all figures: on top those of SQLite with one worker."""
    first = rows.get(row_name(*ROWS[0]), {})
    return {**first, "homes": homes, "rows": rows, "absent": absent}


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--homes", type=int, default=HOMES, help="homes held and told of an event")
    line.add_argument("--seconds", type=float, default=SECONDS, help="of each round")
    line.add_argument("--rows", default="", help="some only, such as sqlite-1,postgresql-2")
    line.add_argument("--no-crowd", action="store_true", help="the rates only")
    line.add_argument("--no-fleet", action="store_true", help="no fleets of growing size")
    line.add_argument("--quick", action="store_true", help="a smoke run with few homes")
    line.add_argument("--folder", type=Path, help="keep certificates and logs here")
    options = line.parse_args()
    with ExitStack() as stack:
        folder: Path = options.folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="headend-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        figures = measure(options, folder.resolve())
    report(
        "headend",
        figures,
        requirements=["PRO-2030.5"],
        headline=_HEADLINE,
        record=options.record,
    )


if __name__ == "__main__":
    main()

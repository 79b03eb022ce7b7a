"""`python -m tests.security`: every attack of the matrix, and a report; 1 if one got through."""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from certs.pki import init_pki
from tests.security import matrix, report
from tests.security.attack import Kind, Outcome


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.security", description=__doc__)
    kinds = [kind.value for kind in Kind]
    parser.add_argument("--only", action="append", choices=kinds, help="these classes only")
    parser.add_argument("--row", action="append", metavar="TEXT", help="rows whose id begins so")
    parser.add_argument(
        "--report",
        type=Path,
        default=Path("build/security.json"),
        metavar="FILE",
        help="where the matrix goes, as JSON and (.md) as Markdown",
    )
    parser.add_argument("--list", action="store_true", help="list the attacks, carry none out")
    options = parser.parse_args()
    wanted = set(options.only or kinds)
    ids = {attack.id for attack in matrix.every() if attack.kind in wanted}
    if options.row:
        ids = {each for each in ids if each.startswith(tuple(options.row))}
    if options.list:
        print(*sorted(ids), sep="\n")
        return 0
    # The attackers' own servers, on which the hub hangs up, have nothing to say.
    for name in ("aiohttp.server", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="hems-security-") as folder:
        outcomes = asyncio.run(_run(Path(folder), ids))
    report.write(outcomes, options.report)
    print(*report.summary(outcomes), sep="\n")
    return 0 if outcomes and all(outcome.withstood for outcome in outcomes) else 1


async def _run(folder: Path, ids: set[str]) -> list[Outcome]:
    pki = await asyncio.to_thread(init_pki, folder / "pki")
    outcomes = []
    async for outcome in matrix.carried_out(folder, pki, ids):
        outcomes.append(outcome)
        print(report.line_of(outcome), flush=True)
        for fault in (*outcome.faults, *((outcome.entry,) if outcome.faults else ())):
            print(f"             {fault}", flush=True)
    return outcomes


sys.exit(main())

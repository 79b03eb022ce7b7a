"""A simulated week of a home: `make endure`, or `python -m tests.endure --days 7`.

The hub with its encrypted store on the disk, its utility over TLS, its planner's process and ten
devices live through events, faults, a change of the clocks and two replacements of the software;
docs/performance.md says what is real. The last line is one JSON object; the exit code is 1 where
something is not within its bounds.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.endure.run import PartError, Run, lived


def main() -> int:
    """Live a run as the command line says; returns the exit code."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--days", type=float, default=7.0, help="simulated (7)")
    asked.add_argument("--seed", type=int, default=1, help="decides what chance decides (1)")
    asked.add_argument(
        "--cycle", type=float, default=5.0, help="period of the control cycle, s (5)"
    )
    asked.add_argument("--trace", action="store_true", help="say where memory grows; slow")
    asked.add_argument("--keep", type=Path, help="keep all files there, in an empty folder")
    options = asked.parse_args()
    run = Run(options.days, options.seed, options.cycle, options.trace)
    with tempfile.TemporaryDirectory(prefix="hems-endure-") as made:
        folder = Path(made) if options.keep is None else options.keep
        folder.mkdir(parents=True, exist_ok=True)
        try:
            outcome = lived(run, folder)
        except PartError as error:
            print(error, file=sys.stderr)
            return 1
    for line in (*outcome.told, *outcome.wrong):
        print(line, file=sys.stderr)
    for finding in outcome.findings:
        if not finding.good:
            bounds = f"{finding.at_least} to {finding.at_most}".replace("None", "any")
            print(f"{finding.key}: {finding.value}, not {bounds}", file=sys.stderr)
    print(json.dumps({finding.key: finding.value for finding in outcome.findings}))
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())

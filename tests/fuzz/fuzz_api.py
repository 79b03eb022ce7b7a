"""The API of a running hub, asked at random by each role: `python -m tests.fuzz api --seconds 600`.

Prints each broken promise once, with the request; ends with status 1 if there were any.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.e2e.rig import Rig
from tests.fuzz.api_target import Found, ask_as_each_role


async def run(seconds: float, examples: int, number: int) -> Found:
    """Start a home with all its processes and ask."""
    with tempfile.TemporaryDirectory(prefix="fuzz-api-") as folder:
        async with Rig(Stage(Path(folder, "stage"), Scene(page_port=0, battery="hold"))) as rig:
            return await ask_as_each_role(rig.stage.page, seconds, examples, number)


def main() -> int:
    """Ask; return the exit status."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--seconds", type=float, default=300.0, help="how long, s")
    line.add_argument("--examples", type=int, default=50, help="requests of each operation")
    line.add_argument("--number", type=int, default=0, help="by which other requests are made")
    options = line.parse_args()
    found = asyncio.run(run(options.seconds, options.examples, options.number))
    print(f"{len(found.reached)} operations; answers: {dict(sorted(found.asked.items()))}")
    for what, how in found.wrong.items():
        print(f"{what}\n{how}\n")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())

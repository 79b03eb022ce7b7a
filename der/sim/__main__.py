"""`python -m der.sim`: run the simulated home until SIGINT or SIGTERM."""

import asyncio
import signal
import sys
from collections.abc import Sequence

from der.sim.errors import SimError
from der.sim.options import Options, parse
from der.sim.runner import SimulatedHome, publish


async def run(options: Options) -> None:
    """Run the home; says where everything is on standard output and in the ready file.

    Raises:
        SimError: A port is taken or the ready file cannot be written.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with SimulatedHome(options) as home:
        description = home.description()
        if options.ready is not None:
            publish(description, options.ready)
        sys.stdout.write(description + "\n")
        sys.stdout.flush()
        stop = asyncio.create_task(stopped.wait())
        failed = asyncio.create_task(home.until_failed())
        await asyncio.wait({stop, failed}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if failed.done():
            failed.result()
        failed.cancel()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status, 2 if it could not do as told."""
    try:
        asyncio.run(run(parse(sys.argv[1:] if arguments is None else arguments)))
    except SimError as error:
        sys.stderr.write(f"simulated home: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Asking a program of the machine, for a short time and without a shell."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

_log = logging.getLogger(__name__)

_WITHIN_S: Final = 5.0
"""chronyc waits a second and tries three times before it gives up."""
_LARGEST: Final = 65_536


async def output_of(*command: str) -> str | None:
    """Return what a program prints; None if it is not there, fails, or does not end in time."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
    except OSError as error:
        _log.debug("%s: %s", command[0], error.strerror)
        return None
    try:
        async with asyncio.timeout(_WITHIN_S):
            printed, _ = await process.communicate()
    except TimeoutError:
        _log.debug("%s: no answer within %g s", command[0], _WITHIN_S)
        return None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return printed[:_LARGEST].decode(errors="replace") if process.returncode == 0 else None

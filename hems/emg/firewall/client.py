"""The hub's end of the firewall helper's socket."""

import asyncio
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from hems.emg.firewall.wire import LONGEST, Order, State

ANSWERS_WITHIN_S: Final = 10.0


class FirewallError(Exception):
    """The helper did not do it; `str()` says why."""


async def ask(path: Path, order: Order, within_s: float = ANSWERS_WITHIN_S) -> State:
    """Ask the helper, and return what holds now.

    Args:
        path: Its socket.
        order: What is asked.
        within_s: Longest wait.

    Raises:
        FirewallError: It is not there, does not answer, or refuses.
    """
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=LONGEST)
            try:
                writer.write(order.model_dump_json().encode() + b"\n")
                await writer.drain()
                line = await reader.readline()
            finally:
                writer.close()
        state = State.model_validate_json(line)
    except TimeoutError as error:
        raise FirewallError(f"{path}: no answer within {within_s:g} s") from error
    except OSError as error:
        raise FirewallError(f"{path}: {error.strerror or error}") from error
    except (ValidationError, ValueError) as error:
        raise FirewallError(f"{path}: what answers is no firewall helper") from error
    if state.error:
        raise FirewallError(state.error)
    return state

"""What the hub's user may ask of the helper that may change its software, and what comes of it.

    HOME/updates/order.json   the order; its coming starts the helper
    HOME/updates/passed/      the repository's files that it is about, as they came
    ROOT/answer.json          what came of it
    ROOT/.busy                held by the helper while it is at work

Nothing in an order is believed: it says only what to look for among what both have signed.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hems.software.sides import ANSWER, UPDATES, SidesError, put, taken

ORDER: Final = "order.json"
PASSED: Final = "passed"
INSTALL_WITHIN_S: Final = 3600.0
SOON_S: Final = 60.0
_BUSY: Final = ".busy"
_LOOK_EVERY_S: Final = 0.5


class Order(BaseModel):
    """What is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    ask: Literal["install", "arm", "cancel", "back"]
    version: Annotated[str, Field(pattern=r"^[0-9.]{0,32}$")] = ""
    """Which one is to be installed; empty for another order."""


class Answer(BaseModel):
    """What came of it."""

    model_config = ConfigDict(frozen=True)

    id: str
    done: bool
    text: str


def ordered(home: Path) -> Order | None:
    """Return what is asked; None for nothing that can be read."""
    try:
        return Order.model_validate_json(taken(home, ORDER) or b"")
    except ValidationError:
        return None


def removed(home: Path) -> None:
    """Take the order away, whatever lies there; whoever does so may be root.

    A folder of its name is renamed: what stayed would have the helper started again for ever.
    """
    with suppress(OSError):
        folder = os.open(home / UPDATES, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.unlink(ORDER, dir_fd=folder)
        except (IsADirectoryError, PermissionError):
            other = f".no-order-{secrets.token_hex(8)}"
            os.rename(ORDER, other, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            os.close(folder)


@contextmanager
def at_work(root: Path) -> Iterator[None]:
    """Have who asks see that the helper works while this block runs, and when it is killed.

    Anybody could hold the file before: the helper works all the same.
    """
    number = -1
    with suppress(OSError):
        number = os.open(root / _BUSY, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        if number >= 0:
            os.close(number)


def _busy(root: Path) -> bool | None:
    """Whether the helper is at work; None where it does not tell: a former one, or none yet."""
    try:
        number = os.open(root / _BUSY, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(number)


def ask(
    home: Path,
    root: Path,
    what: Literal["install", "arm", "cancel", "back"],
    *,
    version: str = "",
    within_s: float = SOON_S,
    wait: Callable[[float], None] = time.sleep,
) -> Answer:
    """Give an order, and wait for what comes of it.

    Raises:
        SidesError: It cannot be given, or nobody answers, or who took it has ended.
    """
    order = Order(id=secrets.token_hex(8), ask=what, version=version)
    folder = home / UPDATES
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SidesError(f"{folder}: {error.strerror}") from error
    put(folder / ORDER, order.model_dump(), mode=0o600)
    asked = time.monotonic()
    while (waited_s := time.monotonic() - asked) < within_s:
        # In this order: it is at work, takes the order, answers, and is at rest.
        waits, busy = (folder / ORDER).exists(), _busy(root)
        with suppress(OSError, ValidationError):
            answer = Answer.model_validate_json((root / ANSWER).read_bytes())
            if answer.id == order.id:
                return answer
        if not waits and busy is False:
            raise SidesError("the helper ended before it had answered: ask again")
        if waits and not busy and waited_s > SOON_S:
            break
        wait(_LOOK_EVERY_S)
    with suppress(OSError):
        (folder / ORDER).unlink()
    raise SidesError("the helper does not answer: is hems-software.path enabled?")

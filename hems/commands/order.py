"""Orders to the head-end: sent until it answers, and carried out once however often that is."""

import argparse
import shlex
import sys
import time
import uuid
from collections.abc import Mapping
from typing import Final, TypeVar

from pydantic import BaseModel

from hems.commands.operator import OperatorError, UnansweredError, ask

_M = TypeVar("_M", bound=BaseModel)

KEY: Final = "Idempotency-Key"
WAITS_S: Final = (1.0, 2.0, 4.0, 8.0)
"""Between one attempt and the next; longer where the head-end says so."""
_LONGEST_KEY: Final = 64
_LONGEST_WAIT_S: Final = 15.0


def order(
    options: argparse.Namespace,
    path: str,
    model: type[_M],
    body: Mapping[str, object] | None = None,
) -> _M:
    """Give the head-end an order, under a name of its own unless `options` has one.

    Where it does not answer, or cannot do it just then, it is asked again a few times.

    Args:
        options: Of the command: where the head-end is, and the order's name.
        path: At the door.
        model: What it answers.
        body: What is ordered.

    Raises:
        OperatorError: It refuses, or does not answer in the end; the name is told then.
    """
    key = options.key or str(uuid.uuid4())
    if len(key) > _LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise OperatorError(f"--key takes up to {_LONGEST_KEY} printable ASCII characters")
    for wait_s in (*WAITS_S, None):
        try:
            return ask(options.operator, "POST", path, model, body, headers={KEY: key})
        except UnansweredError as error:
            if wait_s is None:
                raise OperatorError(
                    f"{error}; whether it was done is not known: give the same order with "
                    f"--key {shlex.quote(key)}, and it is done once"
                ) from error
            print(f"hems: {error}; asking again", file=sys.stderr)
            time.sleep(min(max(wait_s, error.again_s), _LONGEST_WAIT_S))
    raise AssertionError("the last attempt returns or raises")

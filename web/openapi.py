"""The document that describes the API (OpenAPI 3.1), made from its operations alone.

What each takes and gives comes from its handler's signature, what it does from the first sentence
of its docstring, and what it needs from its right (`x-right`); whether who asks must have proved
lately who they are, `x-proof` says.
"""

import inspect
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

from hems import openapi
from hems.openapi import About, Described, Reply
from web.answers import Problem
from web.operation import Operation

_ABOUT: Final = About(
    "Home energy controller",
    "Powers are in W and energies in Wh; consumption, import and charging are positive. Instants "
    "are UTC epoch seconds. A number that is unknown or unbounded is null. Sentences are in the "
    "language of `?lang=` or Accept-Language (en, fr, de, es).",
    Problem,
)


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document, as JSON has it.

    Raises:
        ValueError: Two operations have the same address, or two models the same name.
    """
    return openapi.document(_ABOUT, [_described(operation) for operation in operations])


def _described(operation: Operation) -> Described:
    signature = operation.signature
    return Described(
        operation.method,
        operation.path,
        _id(operation),
        (inspect.getdoc(operation.handle) or "").partition("\n")[0].rstrip("."),
        tuple(_replies(operation)),
        {"x-right": operation.right.value, **({"x-proof": True} if operation.proof else {})},
        in_path=signature.path,
        query=signature.query,
        body=signature.body,
        optional_body=signature.optional_body,
        content=signature.content,
    )


def _replies(operation: Operation) -> Iterator[Reply]:
    signature, status = operation.signature, operation.status
    if signature.answer is not None:
        yield Reply(status.value, status.phrase, signature.answer)
    elif signature.other:
        yield Reply(status.value, status.phrase, media_type=operation.media_type)
    if signature.maybe:
        nothing = HTTPStatus.NO_CONTENT
        yield Reply(nothing.value, nothing.phrase)


def _id(operation: Operation) -> str:
    """Return a name from the part's and the method's: "needs_order_car"."""
    part, _, method = operation.handle.__qualname__.rpartition(".")
    return f"{part.rpartition('.')[2].removesuffix('Api').lower()}_{method}"

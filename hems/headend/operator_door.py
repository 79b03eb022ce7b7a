"""JSON in and out at the operator's door, and its refusals."""

import json
from typing import Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from hems.headend.bodies import broken
from hems.headend.errors import RequestError
from hems.headend.operator_models import ErrorOut

MAX_BODY: Final = 256 * 1024
"""Of the operator's requests, octets: the longest series of prices fits."""

_M = TypeVar("_M", bound=BaseModel)


class InvalidError(RequestError):
    """A JSON body that does not say what it must."""

    status = 422


async def read_model(request: web.Request, model: type[_M]) -> _M:
    """Read a JSON body.

    Raises:
        RequestError: It is nonsense; one sentence names the field.
    """
    return read_body(await body_in(request), model)


async def body_in(request: web.Request) -> bytes:
    """Return the body of a request, however often it is asked for.

    Raises:
        RequestError: It broke off, or cannot be unpacked.
    """
    try:
        return await request.read()
    except (ConnectionError, web.RequestPayloadError) as error:
        raise broken(request, error) from error


def read_body(body: bytes, model: type[_M]) -> _M:
    """Read a JSON body that has come.

    Raises:
        RequestError: It is nonsense; one sentence names the field.
    """
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the body is not JSON: {error}") from error
    if _NUL in body:  # no database keeps it, no home can be told it
        raise InvalidError("the body holds the character NUL")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(_shown(str(part)) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidError(f"{where}: {message}" if where else message) from error


_NUL: Final = rb"\u0000"


def _shown(name: str) -> str:
    """Return a field's name fit to be shown: it is whatever the caller wrote."""
    return (name if name.isprintable() else ascii(name))[:_MOST_NAME]


_MOST_NAME: Final = 60


_MOST_NUMBER: Final = 2**53
"""Whole numbers up to it are exact, and every database takes them."""


def number_in(request: web.Request, key: str, default: float) -> float:
    """Return a number of the query string.

    Raises:
        RequestError: It is none, negative, or more than any time or number here can be.
    """
    try:
        value = float(request.query.get(key, default))
    except ValueError:
        value = -1.0
    if not 0 <= value <= _MOST_NUMBER:
        raise RequestError(f"query parameter {key} is not a number from 0 to {_MOST_NUMBER}")
    return value


def json_answer(
    model: BaseModel, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """Answer with a model."""
    return web.Response(
        body=model.model_dump_json().encode(),
        status=status,
        headers=headers,
        content_type="application/json",
    )


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """Answer why not."""
    return json_answer(ErrorOut(error=message), status, headers)

"""How the server answers: JSON, and for whatever goes wrong one sentence with a status code."""

from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel, ValidationError

from der.sentence import said, say
from hems.device_surface import UnknownDeviceError
from hems.surface import (
    BindingEventError,
    ImpossibleWishError,
    SurfaceError,
    UnknownEventError,
)
from web.handler import Handler
from web.mistakes import field_of, sentence_of
from web.words import Words

_COMPRESSED_ABOVE_BYTES = 1024
TOO_LARGE = say("The request's body is too large.")
_SENTENCES = {
    HTTPStatus.NOT_FOUND: say("There is nothing at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: say("This address does not answer this kind of request."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TOO_LARGE,
}


class Problem(BaseModel):
    """What went wrong.

    Attributes:
        error: It, in one sentence.
        proof: Whether the same is done once who asks has proved who they are
            (`POST /api/me/proof`).
        second: Whether the same is done with a second proof: a code, or a passkey instead.
        field: Which field of the request is wrong ("bands.0.price"); empty where none is.
    """

    error: Words
    proof: bool = False
    second: bool = False
    field: str = ""


def error_answer(
    status: int, sentence: str, *, proof: bool = False, second: bool = False
) -> web.Response:
    """Return an error answer, in the language of the request at hand.

    Args:
        status: Its HTTP status.
        sentence: What went wrong.
        proof: See `Problem`.
        second: Likewise.
    """
    return _problem_answer(status, Problem(error=sentence, proof=proof, second=second))


def _problem_answer(status: int, problem: Problem) -> web.Response:
    text = problem.model_dump_json(exclude_defaults=True)
    return compressed(web.Response(status=status, text=text, content_type="application/json"))


def model_answer(model: BaseModel, status: int = HTTPStatus.OK) -> web.Response:
    """Return a model as JSON."""
    answer = web.Response(
        status=status, text=model.model_dump_json(), content_type="application/json"
    )
    return compressed(answer)


def compressed(answer: web.Response) -> web.Response:
    """Have an answer of some length compressed for who takes that."""
    if (answer.content_length or 0) > _COMPRESSED_ABOVE_BYTES:
        answer.enable_compression()
    return answer


@web.middleware
async def errors_in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what the router, aiohttp or the home refuse with a status code and one sentence."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _of_http(error)
    except (UnknownDeviceError, UnknownEventError) as error:
        return error_answer(HTTPStatus.NOT_FOUND, said(error))
    except BindingEventError as error:
        return error_answer(HTTPStatus.CONFLICT, said(error))
    except ImpossibleWishError as error:
        return error_answer(HTTPStatus.BAD_REQUEST, said(error))
    except SurfaceError as error:
        return error_answer(HTTPStatus.SERVICE_UNAVAILABLE, said(error))
    except ValidationError as error:
        return _of_validation(error)


def _of_http(error: web.HTTPException) -> web.StreamResponse:
    status = HTTPStatus(error.status)
    if status < HTTPStatus.BAD_REQUEST:
        raise error
    sentence = _SENTENCES.get(status) or say(
        "The request cannot be answered: {reason}.", reason=status.phrase.lower()
    )
    answer = error_answer(status, sentence)
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


def _of_validation(error: ValidationError) -> web.Response:
    problem = Problem(error=sentence_of(error), field=field_of(error))
    return _problem_answer(HTTPStatus.BAD_REQUEST, problem)

"""An operation of the API: a typed function, served as its signature says.

The handler's signature is the contract, for the server and for the document that describes it:
parameters named in the path are text; `query` and `body` are pydantic models, read from the query
and from the body as JSON; `content` is the body as it came, in bytes; `who` is who asks; `request`
is for what none of these say (cookies, addresses). What is returned is answered: a model as JSON,
None as 204 (No Content), a `Download` as a file. Whatever is raised is answered in words.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MethodType, NoneType
from typing import Any, Final, Protocol, TypeGuard, TypeVar, get_args, get_type_hints

from aiohttp import web
from pydantic import BaseModel

from der.sentence import said, say
from hems.access.errors import SecondError
from hems.access.rights import HERE, Right, Who
from web.answers import compressed, error_answer, model_answer
from web.asked import Asked, Way, asked_of
from web.words import LANGUAGE_KEY

Handle = Callable[..., Awaitable[Any]]
"""A method of a part; its signature is looked at when the operation is served or described."""
Refusals = Mapping[type[Exception], HTTPStatus]
_Base = TypeVar("_Base")
_NO_REFUSALS: Final[Refusals] = {}
_NOT_IN_PATH: Final = frozenset({"self", "query", "body", "content", "who", "request"})


class Doorkeeper(Protocol):
    """Knows who asks."""

    async def who(self, request: web.Request) -> Who | None:
        """Return who it is; None for somebody who has not proved it."""
        ...

    async def familiar(self, request: web.Request) -> bool:
        """Return whether somebody has proved who they are from there, now or in the past."""
        ...

    async def leave(self, request: web.Request, asked: Asked, status: int) -> None:
        """Take note of what was asked and with which status it ended, before the answer leaves."""
        ...


class OpenDoor:
    """The doorkeeper of a hub without accounts: whoever asks is at home here."""

    async def who(self, request: web.Request) -> Who | None:
        """Return the owner, for whom this machine speaks."""
        del request
        return HERE

    async def familiar(self, request: web.Request) -> bool:
        """Return whether anybody is there."""
        return await self.who(request) is not None

    async def leave(self, request: web.Request, asked: Asked, status: int) -> None:
        """Take no note: there is nobody to tell apart."""


DOOR = web.AppKey("door", Doorkeeper)


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be kept.

    Attributes:
        content: What is in it.
        content_type: Of what kind, with its charset where it is text.
        name: What it is called.
    """

    content: bytes
    content_type: str
    name: str

    def response(self) -> web.Response:
        """Return it as an answer."""
        return web.Response(
            body=self.content,
            headers={
                "Content-Type": self.content_type,
                "Content-Disposition": f'attachment; filename="{self.name}"',
            },
        )


@dataclass(frozen=True, slots=True)
class Signature:
    """What a handler takes and gives.

    Attributes:
        path: Names of what it takes from the path.
        query: What it takes from the query.
        body: What it takes as JSON.
        optional_body: Whether no body at all is the body's defaults.
        content: Whether it takes the body as it came.
        asks_who: Whether it wants to know who asks.
        asks_request: Whether it wants the request itself.
        answer: The model it answers with; None for none.
        other: Whether it answers with a file or makes its response itself.
        streams: Whether it always makes its response itself, so that HEAD is not served.
        maybe: Whether it may answer nothing (204).
    """

    path: tuple[str, ...] = ()
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    optional_body: bool = False
    content: bool = False
    asks_who: bool = False
    asks_request: bool = False
    answer: type[BaseModel] | None = None
    other: bool = False
    streams: bool = False
    maybe: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the API does.

    Attributes:
        method: GET, POST, PUT or DELETE.
        path: Under /api, with names in braces.
        handle: The part's method that does it (`Part.method`, not bound to one part); its first
            docstring sentence says what, to who reads the API's document.
        right: What who asks must be allowed.
        status: Of an answer that is one.
        refusals: Errors that are no mistake of ours, and the status each is answered with.
        max_body_bytes: Largest body; None for what the server takes in general.
        media_type: Of an answer that is no model, such as "text/csv".
        proof: Whether who asks must have proved lately who they are (`POST /api/me/proof`), so
            that a page left open is not enough for what cannot be taken back.
    """

    method: str
    path: str
    handle: Handle
    right: Right
    status: HTTPStatus = HTTPStatus.OK
    refusals: Refusals = field(default_factory=lambda: _NO_REFUSALS)
    max_body_bytes: int | None = None
    media_type: str = "application/octet-stream"
    proof: bool = False

    @property
    def signature(self) -> Signature:
        """What the handler takes and gives.

        Raises:
            TypeError: The handler's signature is not one that can be served.
        """
        return _signature(self)

    def route(self, part: "Part") -> web.RouteDef:
        """Return where the server answers it, by a part that has its handler."""
        signature = self.signature
        handle = MethodType(self.handle, part)

        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve(handle, signature, request)

        return web.RouteDef(
            self.method, self.path, serve, {"allow_head": False} if signature.streams else {}
        )

    async def _serve(
        self, handle: Handle, signature: Signature, request: web.Request
    ) -> web.StreamResponse:
        asked = asked_of(request)
        asked.did, asked.right = f"{self.method} {self.path}", self.right
        who = await request.app[DOOR].who(request)
        if self.right is not Right.ANYBODY:
            if who is None:
                return error_answer(HTTPStatus.UNAUTHORIZED, say("Log in to do this."))
            if not who.may(self.right):
                return error_answer(HTTPStatus.FORBIDDEN, _not_allowed(asked, self.right))
        if self.proof and asked.admitted is not None and not asked.admitted.proved:
            return _unproved(asked.admitted.way)
        arguments = await _arguments(signature, request, who)
        if signature.streams:  # it may last for hours: that it was begun is on record at once
            await request.app[DOOR].leave(request, asked, HTTPStatus.OK)
        try:
            outcome = await handle(**arguments)
        except tuple(self.refusals) as error:
            status = next(s for kind, s in self.refusals.items() if isinstance(error, kind))
            return error_answer(status, said(error), second=isinstance(error, SecondError))
        if isinstance(outcome, BaseModel):
            return model_answer(outcome, self.status)
        if isinstance(outcome, Download):
            return compressed(outcome.response())
        if outcome is None:
            return web.Response(status=HTTPStatus.NO_CONTENT)
        response: web.StreamResponse = outcome
        return response


def _not_allowed(asked: Asked, right: Right) -> str:
    """Return why somebody may not do something."""
    admitted = asked.admitted
    if admitted is not None and admitted.way is Way.TOKEN:
        return say('This token does not hold the right that this takes: "{right}".', right=right)
    if admitted is not None and admitted.lacks:
        return say("Set up a second factor first: your role in this home needs one.")
    return say("Your role in this home does not allow this.")


def _unproved(way: Way) -> web.Response:
    """Return the refusal of what takes a proof of who asks."""
    if way is Way.TOKEN:
        return error_answer(
            HTTPStatus.FORBIDDEN, say("Only somebody who is logged in may do this, no program.")
        )
    return error_answer(
        HTTPStatus.FORBIDDEN, say("Prove once more who you are to do this."), proof=True
    )


async def still(request: web.Request, right: Right) -> Who | None:
    """Return who asked, if they may still do what is being answered at length; else None."""
    who = await request.app[DOOR].who(request)
    return who if who is not None and who.may(right) else None


class Part(Protocol):
    """A part of the API: a class whose methods handle its operations."""

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does; known without the home that it will do it for."""
        ...


def routes(part: Part) -> list[web.RouteDef]:
    """Return where the server answers a part's operations."""
    return [operation.route(part) for operation in part.operations()]


def limits(parts: Iterable[Part]) -> dict[tuple[str, str], int]:
    """Return the largest body of each operation that sets one of its own, by method and path."""
    return {
        (operation.method, operation.path): operation.max_body_bytes
        for part in parts
        for operation in part.operations()
        if operation.max_body_bytes is not None
    }


async def _arguments(
    signature: Signature, request: web.Request, who: Who | None
) -> dict[str, object]:
    """Read from a request what a handler takes.

    Raises:
        ValidationError: Query or body are not as they have to be.
        HTTPException: The body is too large.
    """
    found: dict[str, object] = {name: request.match_info[name] for name in signature.path}
    if signature.query is not None:
        asked = {key: value for key, value in request.query.items() if key != LANGUAGE_KEY}
        found["query"] = signature.query.model_validate(asked)
    if signature.body is not None:
        sent = await request.read()
        if not sent and signature.optional_body:
            sent = b"{}"
        found["body"] = signature.body.model_validate_json(sent)
    if signature.content:
        found["content"] = await request.read()
    if signature.asks_who:
        found["who"] = who
    if signature.asks_request:
        found["request"] = request
    return found


def _signature(operation: Operation) -> Signature:
    hints = get_type_hints(operation.handle)
    parameters = inspect.signature(operation.handle).parameters
    answers = hints.get("return")
    kinds = get_args(answers) or (answers,)
    models = [k for k in kinds if _derives(k, BaseModel)]
    others = [k for k in kinds if _derives(k, Download) or _derives(k, web.StreamResponse)]
    if len(models) > 1 or not (models or others or NoneType in kinds):
        raise TypeError(f"{operation.path}: {operation.handle} answers {answers}")
    path = tuple(name for name in parameters if name not in _NOT_IN_PATH)
    for name in path:
        if f"{{{name}}}" not in operation.path or hints.get(name) is not str:
            raise TypeError(f"{operation.path} has no text {name!r}")
    body = parameters.get("body")
    return Signature(
        path=path,
        query=_model(hints.get("query"), operation) if "query" in parameters else None,
        body=_model(hints.get("body"), operation) if body is not None else None,
        optional_body=body is not None and body.default is not inspect.Parameter.empty,
        content="content" in parameters,
        asks_who="who" in parameters,
        asks_request="request" in parameters,
        answer=models[0] if models else None,
        other=bool(others),
        streams=answers is web.StreamResponse,
        maybe=NoneType in kinds,
    )


def _model(hint: object, operation: Operation) -> type[BaseModel]:
    kinds = [k for k in (get_args(hint) or (hint,)) if k is not NoneType]
    kind = kinds[0]
    if len(kinds) != 1 or not _derives(kind, BaseModel):
        raise TypeError(f"{operation.path}: {hint} is no model")
    return kind


def _derives(kind: object, base: type[_Base]) -> TypeGuard[type[_Base]]:
    """Return whether a kind of answer is a class made of another.

    `issubclass` would ask all subclasses of an abstract class, models and responses among them,
    and each remembers the answer for ever: a megabyte for the whole API.
    """
    return inspect.isclass(kind) and base in kind.__mro__

"""A document that describes an API (OpenAPI 3.1), made of its operations and their models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Schema = Mapping[str, Any]
JSON: Final = "application/json"
_Mode = Literal["serialization", "validation"]
_Key = tuple[type[BaseModel], _Mode]
_REFERENCE: Final = "#/components/schemas/"
_REF: Final = _REFERENCE + "{model}"
_NO_MARKS: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Reply:
    """How an operation may answer.

    Attributes:
        status: Of HTTP.
        phrase: What that means.
        model: What is told, as JSON; None for something else, or nothing.
        media_type: Of something else; empty for nothing.
    """

    status: int
    phrase: str
    model: type[BaseModel] | None = None
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """One operation, as it is described.

    Attributes:
        method: Of HTTP.
        path: With names in braces.
        id: Its name, given once.
        summary: What it does, in a sentence.
        replies: How it may answer, but for what goes wrong.
        marks: What is said of it beyond the standard ("x-...").
        in_path: Names of what it takes from the path.
        query: What it takes from the query, as a model; None for none.
        parameters: What else it takes from the query and headers, each as OpenAPI has it.
        body: What it takes as JSON; None for nothing.
        optional_body: Whether it may be left out.
        content: Whether it takes the body as it comes.
    """

    method: str
    path: str
    id: str
    summary: str
    replies: Sequence[Reply]
    marks: Mapping[str, Any] = field(default_factory=lambda: _NO_MARKS)
    in_path: Sequence[str] = ()
    query: type[BaseModel] | None = None
    parameters: Sequence[Schema] = ()
    body: type[BaseModel] | None = None
    optional_body: bool = False
    content: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """What is described.

    Attributes:
        title: Its name.
        description: What holds for all operations.
        problem: What is told where something goes wrong.
        parts: Whether models of several parts of the program may have the same name: each is told
            with its part's then ("thresholds.Severity").
    """

    title: str
    description: str
    problem: type[BaseModel]
    parts: bool = False


def document(about: About, operations: Sequence[Described]) -> dict[str, Any]:
    """Return the document, as JSON has it.

    Raises:
        ValueError: Two operations have the same address, or two models the same name.
    """
    keys = _keys(about, operations)
    found, definitions = models_json_schema(keys, ref_template=_REF)
    if about.parts:
        found, definitions = _renamed(found), _renamed(definitions)
    by_key: dict[_Key, Schema] = {key: found[key] for key in keys}
    schemas: dict[str, Any] = dict(definitions.get("$defs", {}))
    for name in schemas:
        if "__" in name:  # a module's path, put there to tell it from another of the same name
            raise ValueError(f"{name}: another model has that name, too")
    paths: dict[str, dict[str, Any]] = {}
    names: set[str] = set()
    for operation in operations:
        told = _operation(operation, by_key, schemas, about.problem)
        methods = paths.setdefault(operation.path, {})
        if operation.method.lower() in methods or told["operationId"] in names:
            raise ValueError(f"{operation.method} {operation.path} is there twice")
        names.add(told["operationId"])
        methods[operation.method.lower()] = told
    for operation in operations:
        if operation.query is not None:  # told as parameters, by name
            schemas.pop(_name(by_key[operation.query, "validation"]), None)
    return {
        "openapi": "3.1.0",
        "info": {"title": about.title, "version": "1", "description": about.description},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _renamed(schemas: Any) -> Any:
    """Return schemas with the last module's name where pydantic put a whole path."""
    match schemas:
        case dict():
            return {_short(k) if isinstance(k, str) else k: _renamed(v) for k, v in schemas.items()}
        case list():
            return [_renamed(each) for each in schemas]
        case str():
            return _short(schemas) if schemas.startswith(_REFERENCE) else schemas
        case _:
            return schemas


def _short(name: str) -> str:
    before, _, last = name.rpartition("/")
    if "__" not in last:
        return name
    *_, part, own = last.split("__")
    return f"{before}/{part}.{own}" if before else f"{part}.{own}"


def _keys(about: About, operations: Sequence[Described]) -> list[_Key]:
    keys: dict[_Key, None] = {(about.problem, "serialization"): None}
    for operation in operations:
        for taken in (operation.query, operation.body):
            if taken is not None:
                keys[taken, "validation"] = None
        for reply in operation.replies:
            if reply.model is not None:
                keys[reply.model, "serialization"] = None
    return list(keys)


def _operation(
    operation: Described,
    by_key: Mapping[_Key, Schema],
    schemas: Mapping[str, Any],
    problem: type[BaseModel],
) -> dict[str, Any]:
    parameters: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in operation.in_path
    ]
    if operation.query is not None:
        parameters += _in_query(schemas[_name(by_key[operation.query, "validation"])])
    parameters += operation.parameters
    told: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        **operation.marks,
        "responses": _responses(operation, by_key, problem),
    }
    if parameters:
        told["parameters"] = parameters
    if operation.content:
        told["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    elif operation.body is not None:
        schema = by_key[operation.body, "validation"]
        told["requestBody"] = {
            "required": not operation.optional_body,
            "content": {JSON: {"schema": schema}},
        }
    return told


def _in_query(schema: Schema) -> list[Schema]:
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": of}
        for name, of in schema.get("properties", {}).items()
    ]


def _responses(
    operation: Described, by_key: Mapping[_Key, Schema], problem: type[BaseModel]
) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for reply in operation.replies:
        said: dict[str, Any] = {"description": reply.phrase}
        if reply.model is not None:
            said["content"] = {JSON: {"schema": by_key[reply.model, "serialization"]}}
        elif reply.media_type:
            form = "object" if reply.media_type == JSON else "string"
            said["content"] = {reply.media_type: {"schema": {"type": form}}}
        told[str(reply.status)] = said
    told["default"] = {
        "description": "What went wrong",
        "content": {JSON: {"schema": by_key[problem, "serialization"]}},
    }
    return told


def _name(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]

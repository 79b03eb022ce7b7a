"""The document that describes the API (OpenAPI 3.1), made from its operations alone.

What each takes and gives comes from its handler's signature, what it does from the first sentence
of its docstring, and what it needs from its right (`x-right`); whether who asks must have proved
lately who they are, `x-proof` says.
"""

import inspect
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from web.answers import Problem
from web.operation import Operation

Schema = Mapping[str, Any]
_Mode = Literal["serialization", "validation"]
_Key = tuple[type[BaseModel], _Mode]
_REF: Final = "#/components/schemas/{model}"
_JSON: Final = "application/json"
_ABOUT: Final = (
    "Powers are in W and energies in Wh; consumption, import and charging are positive. Instants "
    "are UTC epoch seconds. A number that is unknown or unbounded is null. Sentences are in the "
    "language of `?lang=` or Accept-Language (en, fr, de, es)."
)


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document, as JSON has it.

    Raises:
        ValueError: Two operations have the same address, or two models the same name.
    """
    keys = _keys(operations)
    found, definitions = models_json_schema(keys, ref_template=_REF)
    by_key: dict[_Key, Schema] = {key: found[key] for key in keys}
    schemas: dict[str, Any] = dict(definitions.get("$defs", {}))
    for name in schemas:
        if "__" in name:  # a module's path, put there to tell it from another of the same name
            raise ValueError(f"{name}: another model has that name, too")
    paths: dict[str, dict[str, Any]] = {}
    names: set[str] = set()
    for operation in operations:
        told = _operation(operation, by_key, schemas)
        methods = paths.setdefault(operation.path, {})
        if operation.method.lower() in methods or told["operationId"] in names:
            raise ValueError(f"{operation.method} {operation.path} is there twice")
        names.add(told["operationId"])
        methods[operation.method.lower()] = told
    for operation in operations:
        query = operation.signature.query
        if query is not None:  # told as parameters, by name
            schemas.pop(_name(by_key[query, "validation"]), None)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Home energy controller", "version": "1", "description": _ABOUT},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _keys(operations: Sequence[Operation]) -> list[_Key]:
    keys: dict[_Key, None] = {(Problem, "serialization"): None}
    for operation in operations:
        signature = operation.signature
        for taken in (signature.query, signature.body):
            if taken is not None:
                keys[taken, "validation"] = None
        if signature.answer is not None:
            keys[signature.answer, "serialization"] = None
    return list(keys)


def _operation(
    operation: Operation, by_key: Mapping[_Key, Schema], schemas: Mapping[str, Any]
) -> dict[str, Any]:
    signature = operation.signature
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in signature.path
    ]
    if signature.query is not None:
        parameters += _in_query(schemas[_name(by_key[signature.query, "validation"])])
    told: dict[str, Any] = {
        "operationId": _id(operation),
        "summary": (inspect.getdoc(operation.handle) or "").partition("\n")[0].rstrip("."),
        "x-right": operation.right.value,
        "responses": _responses(operation, by_key),
    }
    if operation.proof:
        told["x-proof"] = True
    if parameters:
        told["parameters"] = parameters
    body = _body(operation, by_key)
    if body is not None:
        told["requestBody"] = body
    return told


def _id(operation: Operation) -> str:
    """Return a name from the part's and the method's: "needs_order_car"."""
    part, _, method = operation.handle.__qualname__.rpartition(".")
    return f"{part.rpartition('.')[2].removesuffix('Api').lower()}_{method}"


def _in_query(schema: Schema) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": of}
        for name, of in schema.get("properties", {}).items()
    ]


def _body(operation: Operation, by_key: Mapping[_Key, Schema]) -> dict[str, Any] | None:
    signature = operation.signature
    if signature.content:
        return {"required": True, "content": {"application/octet-stream": {}}}
    if signature.body is None:
        return None
    schema = by_key[signature.body, "validation"]
    return {
        "required": not signature.optional_body,
        "content": {_JSON: {"schema": schema}},
    }


def _responses(operation: Operation, by_key: Mapping[_Key, Schema]) -> dict[str, Any]:
    signature = operation.signature
    told: dict[str, Any] = {}
    if signature.answer is not None:
        schema = by_key[signature.answer, "serialization"]
        told[str(operation.status.value)] = {
            "description": operation.status.phrase,
            "content": {_JSON: {"schema": schema}},
        }
    elif signature.other:
        told[str(operation.status.value)] = {
            "description": operation.status.phrase,
            "content": {operation.media_type: {"schema": {"type": _form(operation.media_type)}}},
        }
    if signature.maybe:
        status = HTTPStatus.NO_CONTENT
        told[str(status.value)] = {"description": status.phrase}
    told["default"] = {
        "description": "What went wrong",
        "content": {_JSON: {"schema": by_key[Problem, "serialization"]}},
    }
    return told


def _form(media_type: str) -> str:
    return "object" if media_type == _JSON else "string"


def _name(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]

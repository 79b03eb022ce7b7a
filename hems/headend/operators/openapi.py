"""The document that describes the operator's door (OpenAPI 3.1): of its routes and the table."""

import inspect
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from hems import openapi
from hems.headend.operator_models import ErrorOut
from hems.headend.operators.roles import ANY, OperatorRole
from hems.headend.operators.rules import Rule, Rules
from hems.headend.orders.repeats import AGAIN, KEPT_S, KEY, LONGEST
from hems.openapi import About, Described, Reply

ABOUT: Final = About(
    "Head-end: the operator's door",
    "Powers are in W and energies in Wh; consumption, import and charging are positive where "
    "nothing else is said. Instants are UTC epoch seconds. Show a personal token "
    "(`Authorization: Bearer`), or the session's cookie and with each change its X-CSRF-Token. "
    "`x-roles` names the roles of which one is needed.",
    ErrorOut,
    parts=True,
)
_NAMES: Final = re.compile(r"{(\w+)")
_HOUR_S: Final = 3_600
_NAMED: Final = {
    "name": KEY,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[ -~]+$"},
    "description": "A name of one's own for this order. Where the answer does not come, or is 503, "
    "the same order under the same name is done once however often it is sent: it is answered as "
    f"the first time, with {AGAIN}: true. Something else under the name is refused (422). Names "
    f"are forgotten after {KEPT_S / _HOUR_S:g} hours.",
}


def document(routes: Sequence[web.RouteDef], rules: Rules) -> dict[str, Any]:
    """Return the document, as JSON has it.

    Args:
        routes: What is served.
        rules: Who may ask, and what is taken and given.
    """
    return openapi.document(ABOUT, [_described(route, rules) for route in routes])


def _described(route: web.RouteDef, rules: Rules) -> Described:
    path = canonical(route.path)
    rule = rules.find(route.method, path)
    return Described(
        route.method,
        path,
        _id(route),
        (inspect.getdoc(route.handler) or "").partition("\n")[0].rstrip("."),
        tuple(_replies(rule)),
        {"x-roles": _roles(rule)},
        in_path=_NAMES.findall(path),
        parameters=[*(each.told for each in rule.query), *([_NAMED] if rule.named else ())],
        body=rule.body,
        optional_body=rule.optional,
    )


def canonical(path: str) -> str:
    """Return a path without the patterns of its names."""
    return re.sub(r"{(\w+):(?:[^{}]|{[^{}]*})*}", r"{\1}", path)


def _replies(rule: Rule) -> Iterator[Reply]:
    phrase = HTTPStatus(rule.status).phrase
    yield Reply(rule.status, phrase, rule.answer, "" if rule.answer else rule.media)
    for status, model in rule.others:
        yield Reply(status, HTTPStatus(status).phrase, model)


def _roles(rule: Rule) -> Sequence[str]:
    if rule.who is None:
        return []
    return ["any"] if rule.who == ANY else [role.value for role in OperatorRole if role in rule.who]


def _id(route: web.RouteDef) -> str:
    """Return a name from the door's and the method's: "hub_get_history"."""
    part, _, method = getattr(route.handler, "__qualname__", "").rpartition(".")
    return f"{part.rpartition('.')[2].removesuffix('Door').removesuffix('Api').lower()}_{method}"

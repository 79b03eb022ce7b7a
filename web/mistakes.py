"""What is wrong with what was sent, in words: told by the kind of mistake, with the field's name.

Pydantic tells mistakes in English and for programmers; here each kind has a sentence of its own
that can be told in every language. A mistake of a kind that has none is told as pydantic does.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from der.sentence import Sentence, Template, say

_NO_NUMBER: Final = say("this must be a number")
_NO_TEXT: Final = say("this must be text")
_NO_LIST: Final = say("this must be a list")
_NO_OBJECT: Final = say("this must be an object")
_NO_DAY: Final = say("this must be a day such as 2026-06-17")
_NO_FLAG: Final = say("this must be yes or no")
_KINDS: Final[Mapping[str, Sentence]] = {
    "missing": say("this is missing"),
    "extra_forbidden": say("this cannot be given here"),
    "float_type": _NO_NUMBER,
    "float_parsing": _NO_NUMBER,
    "finite_number": _NO_NUMBER,
    "int_type": _NO_NUMBER,
    "int_parsing": _NO_NUMBER,
    "int_parsing_size": _NO_NUMBER,
    "int_from_float": say("this must be a whole number"),
    "bool_type": _NO_FLAG,
    "bool_parsing": _NO_FLAG,
    "string_type": _NO_TEXT,
    "string_pattern_mismatch": say("this is not written as it has to be"),
    "list_type": _NO_LIST,
    "tuple_type": _NO_LIST,
    "frozen_set_type": _NO_LIST,
    "dict_type": _NO_OBJECT,
    "model_type": _NO_OBJECT,
    "model_attributes_type": _NO_OBJECT,
    "date_type": _NO_DAY,
    "date_parsing": _NO_DAY,
    "date_from_datetime_parsing": _NO_DAY,
    "date_from_datetime_inexact": _NO_DAY,
}
_BOUNDED: Final[Mapping[str, tuple[str, Template]]] = {
    "greater_than_equal": ("ge", Template("this must be at least {bound}")),
    "greater_than": ("gt", Template("this must be more than {bound}")),
    "less_than_equal": ("le", Template("this must be at most {bound}")),
    "less_than": ("lt", Template("this must be less than {bound}")),
    "string_too_long": ("max_length", Template("this must have at most {bound} characters")),
    "too_long": ("max_length", Template("this must have at most {bound} entries")),
    "enum": ("expected", Template("this must be one of {bound}")),
    "literal_error": ("expected", Template("this must be one of {bound}")),
}
"""Kinds with a bound, where pydantic gives it, and what is said."""
_EMPTY: Final = frozenset({"string_too_short", "too_short"})
_CLOCKS: Final = frozenset({"ready", "begins", "ends"})
"""Fields that hold a time of the day."""
_FIELDS: Final[Mapping[str, Sentence]] = {
    "bands": say("Price band"),
    "begins": say("Begins at"),
    "called": say("Name of the device"),
    "code": say("Set-up code"),
    "comfort_high_c": say("Highest comfortable temperature"),
    "comfort_low_c": say("Lowest comfortable temperature"),
    "content": say("What the utility sent"),
    "currency": say("Currency"),
    "ends": say("Ends at"),
    "energy_wh": say("Energy wanted"),
    "essentiality": say("Importance"),
    "feed_in": say("Feed-in price"),
    "host": say("Network address"),
    "max_w": say("Highest power"),
    "min_w": say("Lowest power"),
    "name": say("Name"),
    "new": say("New password"),
    "passphrase": say("Passphrase"),
    "password": say("Password"),
    "peak": say("Price of the peak"),
    "pin": say("PIN"),
    "port": say("Port"),
    "power_w": say("Power wanted"),
    "present": say("Present password"),
    "price": say("Price"),
    "prices": say("Where prices come from"),
    "ready": say("Ready by"),
    "role": say("Role"),
    "seconds": say("Duration"),
    "server": say("Address of the server"),
    "standing": say("Standing charge"),
    "station": say("Name of the charger"),
    "surcharge": say("Surcharge"),
    "tax": say("Tax"),
    "topic": say("Topic"),
    "typed": say("Name of the home"),
    "until": say("Until"),
}
"""What people call the fields that they fill in; others are told by their key."""


def sentence_of(error: ValidationError) -> str:
    """Return the first of the mistakes, in one sentence."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return say("The request is invalid JSON.")
    own = first.get("ctx", {}).get("error")
    if first["type"] == "value_error" and isinstance(own, ValueError):
        what = own.args[0] if own.args and isinstance(own.args[0], str) else str(own)
        if not first["loc"]:
            return say("{what}.", what=what)
    else:
        what = _what(first)
    return say("{where}: {what}.", where=_where(first["loc"]), what=what)


def field_of(error: ValidationError) -> str:
    """Return where the first of the mistakes is, as programs name it; empty for the whole."""
    return ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"])


def _where(place: tuple[int | str, ...]) -> str:
    """Return a place as people name it: "Price band 2, Price"."""
    named = ""
    for part in place:
        if isinstance(part, int):
            named = say("{field} {number}", field=named, number=part + 1)
        else:
            field = _FIELDS.get(part, part)
            named = say("{several}, {next}", several=named, next=field) if named else field
    return named or say("The request")


def _what(mistake: ErrorDetails) -> str:
    kind, given = mistake["type"], mistake.get("ctx", {})
    if kind in _KINDS:
        clock = kind == "string_pattern_mismatch" and mistake["loc"][-1:] in {(c,) for c in _CLOCKS}
        return say("this must be a time such as 07:00") if clock else _KINDS[kind]
    if kind in _EMPTY and given.get("min_length") == 1:
        return say("this must not be empty")
    if kind in _BOUNDED:
        key, template = _BOUNDED[kind]
        bound = given[key]
        if key == "expected":
            return template(bound=str(bound).replace(" or ", ", "))
        return template(bound=f"{bound:g}" if isinstance(bound, float) else bound)
    return f"{mistake['msg'][:1].lower()}{mistake['msg'][1:]}"

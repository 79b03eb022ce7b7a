"""What is kept of a posted record: what its class knows, and no octet more."""

from dataclasses import fields, replace
from typing import TypeVar

from hems.sep2.resources import Resource
from hems.sep2.resources.wire import Record
from hems.sep2.xml import serialize

_R = TypeVar("_R", bound=Record)


def kept_form(record: Resource) -> bytes:
    """Return a record as XML without the elements that its class does not know.

    Homes may send any extension; one that we do not understand would only fill the database and
    be read again with each list. The record's href is left out too: we give it ours.
    """
    return serialize(_bare(replace(record, href=None)))


def _bare(record: _R) -> _R:
    parts: dict[str, object] = {"extensions": ()}
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, Record):
            parts[field.name] = _bare(value)
        elif isinstance(value, tuple) and field.name != "extensions":
            parts[field.name] = tuple(_bare(v) if isinstance(v, Record) else v for v in value)
    return replace(record, **parts)  # type: ignore[arg-type] # each part is of its own type again

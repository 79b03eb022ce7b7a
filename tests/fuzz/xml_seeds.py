"""Inputs to begin with and the words of the protocol, both made from the records themselves."""

import random
from collections.abc import Iterator
from typing import Any, Final

from hems.sep2.codec.foreign import XSI_NS
from hems.sep2.resources.layout import layout
from hems.sep2.resources.wire import (
    CSIPAUS_NS,
    SEP_NS,
    STORAGE_NS,
    Bits,
    HexId,
    Integer,
    Record,
    Scalar,
    Text,
    subclasses,
)
from hems.sep2.xml import serialize
from tests.benchmarks.codec_documents import controls, end_devices, readings
from tests.faults.bodies import HOSTILE

_LONGEST: Final = 4096
_DEEPEST: Final = 2
"""How many records are filled in below the root; below those, only what is mandatory."""


def seeds() -> Iterator[bytes]:
    """Yield bodies of every class, full and sparse, and hostile ones."""
    for cls in sorted(subclasses(Record), key=lambda c: c.__name__):
        for depth in range(_DEEPEST + 1):
            body = serialize(_filled(cls, depth))
            if len(body) <= _LONGEST:
                yield body
    rng = random.Random(2030)  # noqa: S311 - the same bodies in each run
    for document in (controls(rng, 2), end_devices(rng, 2), readings(rng, 2)):
        yield document.body
        yield document.body.replace(CSIPAUS_NS.encode(), STORAGE_NS.encode())
        yield document.body.replace(b'xmlns="', b'xmlns:s="').replace(b"<", b"<s:")
        yield document.body.replace(b"><", b' v="1" xmlns:n="urn:n" n:w="2"><n:x/><y>1</y><', 3)
    yield from (body for body in HOSTILE.values() if len(body) <= _LONGEST)


def _filled(cls: type[Record], depth: int) -> Record:
    """Return a record with everything set that is not deeper, or else what must be."""
    values: dict[str, Any] = {}
    form = layout(cls)
    for slot in form.attributes + form.elements:
        if depth > 0 or slot.required:
            one = (
                _filled(slot.holds, depth - 1) if isinstance(slot.holds, type) else _of(slot.holds)
            )
            values[slot.attr] = (one,) if slot.repeated else one
    return cls(**values)


def _of(kind: Scalar) -> int | str | bool:
    match kind:
        case Integer(least, most):
            return most if most < 1000 else least
        case Bits(octets):
            return 1 << (8 * octets - 1)
        case HexId(octets):
            return "0A" * octets
        case Text(length, _):
            return "a & b"[:length]
        case _:
            return True


def words() -> list[str]:
    """Return the names of all elements, attributes and types, and what else has a meaning."""
    found = {"xsi:type", "schemaVer", "disabled", SEP_NS, CSIPAUS_NS, STORAGE_NS, XSI_NS}
    found |= {"xmlns", "xmlns:xsi", "<![CDATA[", "]]>", "<!--", "-->", "<?", "?>", "&#x0;", "&#10;"}
    found |= {"true", "false", "0", "-1", "255", "256", "65536", "4294967296", "NaN", "0A", "1_0"}
    for cls in subclasses(Record):
        form = layout(cls)
        found |= {cls.__name__} | {slot.name for slot in form.attributes + form.elements}
    return sorted(found)

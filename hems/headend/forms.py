"""Records as they go over the wire in each edition; what many homes get alike is written once."""

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Self

from hems.headend.modes import Edition
from hems.sep2.resources import Resource
from hems.sep2.resources.wire import STORAGE_NS
from hems.sep2.xml import serialize

SCHEMA_VER_2023: Final = "2.2"


def encode(record: Resource, edition: Edition) -> bytes:
    """Write a record in the form of an edition.

    CSIP-AUS has a schema with storage targets and one without, each with a namespace for all of
    its elements: where a target is told, everything beside it is in the namespace of the former.
    """
    schema_ver = SCHEMA_VER_2023 if edition is Edition.Y2023 else None
    body = serialize(record, schema_ver=schema_ver)
    if b"<storage:" in body:
        return serialize(record, schema_ver=schema_ver, csipaus_ns=STORAGE_NS)
    return body


@dataclass(frozen=True, slots=True)
class Form:
    """A record as it goes over the wire.

    Attributes:
        body: The XML.
        etag: Its entity tag, quoted.
    """

    body: bytes
    etag: str

    @classmethod
    def of(cls, record: Resource, edition: Edition) -> Self:
        """Write a record in the form of an edition."""
        body = encode(record, edition)
        return cls(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')


class Alike:
    """Forms that many homes get alike, written once as long as what they are made of is the same.

    Args:
        most: Forms kept; the one that was written first gives way.
    """

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._forms: dict[Hashable, tuple[object, Form]] = {}

    def form(
        self, key: Hashable, made_of: object, edition: Edition, write: Callable[[], Resource]
    ) -> Form:
        """Return a form.

        Args:
            key: What it is of; the edition is counted in.
            made_of: All that it depends on beside, compared with `==`.
            edition: In whose form.
            write: Returns the record, where it must be written.
        """
        place = key, edition
        known = self._forms.get(place)
        if known is not None and known[0] == made_of:
            return known[1]
        form = Form.of(write(), edition)
        if known is None and len(self._forms) >= self._most:
            del self._forms[next(iter(self._forms))]
        self._forms[place] = made_of, form
        return form

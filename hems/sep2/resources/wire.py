"""How a record's fields appear on the wire, said in their annotations.

A field is declared `name: Annotated[Type | None, "wireName"] = None`: the metadata gives the
child element (a string), the attribute (`Attribute`) or the CSIP-AUS element (`Extension`); the
type gives range and form. `hems.sep2.xml` reads these once for each class. Fields stand in the
schema's order, those of the base class first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeVar, dataclass_transform

SEP_NS = "urn:ieee:std:2030.5:ns"
CSIPAUS_NS = "https://csipaus.org/ns"


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number from `least` to `most`."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Bits:
    """A bitmap of `octets` octets, hexadecimal on the wire, an int here."""

    octets: int


@dataclass(frozen=True, slots=True)
class HexId:
    """An identifier of at most `octets` octets: upper-case hexadecimal text."""

    octets: int


@dataclass(frozen=True, slots=True)
class Text:
    """Text of at most `length` characters; `collapse` drops outer white space (URIs)."""

    length: int | None = None
    collapse: bool = False


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""


Scalar = Integer | Bits | HexId | Text | Boolean


@dataclass(frozen=True, slots=True)
class Attribute:
    """The field is an XML attribute of this name, in no namespace."""

    name: str


@dataclass(frozen=True, slots=True)
class Extension:
    """The field is a child element of this name in the CSIP-AUS namespace."""

    name: str


@dataclass(frozen=True, slots=True)
class Flagged:
    """The field holds the names of those fields whose element carries this attribute as true."""

    attribute: str


UInt8 = Annotated[int, Integer(0, 2**8 - 1)]
UInt16 = Annotated[int, Integer(0, 2**16 - 1)]
UInt32 = Annotated[int, Integer(0, 2**32 - 1)]
UInt48 = Annotated[int, Integer(0, 2**48 - 1)]  # UInt40 has the same bound in the schema
Int8 = Annotated[int, Integer(-(2**7), 2**7 - 1)]
Int16 = Annotated[int, Integer(-(2**15), 2**15 - 1)]
Int32 = Annotated[int, Integer(-(2**31), 2**31 - 1)]
Int48 = Annotated[int, Integer(-(2**47), 2**47)]
Int64 = Annotated[int, Integer(-(2**63), 2**63 - 1)]
Bits8 = Annotated[int, Bits(1)]
Bits16 = Annotated[int, Bits(2)]
Bits32 = Annotated[int, Bits(4)]
Bits64 = Annotated[int, Bits(8)]
Hex128 = Annotated[str, HexId(16)]
Hex160 = Annotated[str, HexId(20)]
String6 = Annotated[str, Text(6)]
String16 = Annotated[str, Text(16)]
String20 = Annotated[str, Text(20)]
String32 = Annotated[str, Text(32)]
String192 = Annotated[str, Text(192)]
Uri = Annotated[str, Text(collapse=True)]

_T = TypeVar("_T")
_by_name: dict[str, type["Record"]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(cls: type[_T]) -> type[_T]:
    """Make a frozen, slotted, keyword-only dataclass and register it under its schema name."""
    make: Callable[[type[_T]], type[_T]] = dataclass(frozen=True, slots=True, kw_only=True)
    made = make(cls)
    if issubclass(made, Record):
        _by_name[made.__name__] = made
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Base of every complex type.

    Attributes:
        extensions: Child elements this class does not know, each as XML text, kept as read and
            written back after the known ones.
    """

    NAMESPACE: ClassVar[str] = SEP_NS

    extensions: tuple[str, ...] = ()


def by_name(name: str) -> "type[Record] | None":
    """Return the class of a schema type name, such as "DERControl"; None if there is none."""
    return _by_name.get(name)


def subclasses(cls: type[Record]) -> tuple[type[Record], ...]:
    """Return the registered classes that derive from `cls`, itself excluded."""
    return tuple(c for c in _by_name.values() if c is not cls and issubclass(c, cls))

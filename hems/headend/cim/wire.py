"""Whole messages to octets and back: bounded, without entities, nothing that is not understood."""

from collections.abc import Sequence
from typing import Final, TypeVar

from lxml import etree

from hems.headend.cim import binding
from hems.headend.cim.envelope import DONE, REVISION, Header, Kind, Message, Reply, Request, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.nouns import FORMS
from hems.sep2.codec.foreign import Element
from hems.sep2.codec.reading import path
from hems.sep2.codec.scalar import shown
from hems.sep2.errors import MalformedError, OversizedError
from hems.sep2.xml import root_of

NAMESPACE: Final = "http://iec.ch/TC57/2011/schema/message"
"""Of the envelope."""
MEDIA_TYPES: Final = frozenset({"application/xml", "text/xml"})
MEDIA_TYPE: Final = "application/xml"

_PARTS: Final = {
    Kind.REQUEST: ("Header", "Request", "Payload"),
    Kind.RESPONSE: ("Header", "Reply", "Payload"),
    Kind.EVENT: ("Header", "Payload"),
    Kind.FAULT: ("Reply",),
}
_NEEDED: Final = {
    Kind.REQUEST: ("Header",),
    Kind.RESPONSE: ("Header", "Reply"),
    Kind.EVENT: ("Header", "Payload"),
    Kind.FAULT: ("Reply",),
}
_T = TypeVar("_T")


def parse(data: bytes) -> Message:
    """Read a message.

    Raises:
        CimError: It is none, or has what is not understood; names what and where.
    """
    try:
        root = root_of(data)
    except OversizedError as error:
        raise CimError(Fault.TOO_MANY, str(error)) from error
    except MalformedError as error:
        raise CimError(Fault.FORM, error.reason, error.element or "document") from error
    name = etree.QName(root)
    kind = next((each for each in Kind if each.value == name.localname), None)
    if kind is None or name.namespace != NAMESPACE:
        known = ", ".join(each.value for each in Kind)
        raise CimError(Fault.FORM, f"the root is none of {known} of {NAMESPACE}", path(root))
    if root.attrib and any("schemaLocation" not in str(each) for each in root.attrib):
        raise CimError(Fault.FORM, "it has attributes", path(root))
    parts = _parts(root, kind)
    header = _part(Header, parts.get("Header"), Fault.HEADER)
    request, query = _request(parts.get("Request"))
    reply = _part(Reply, parts.get("Reply"), Fault.FORM)
    found = Message(kind, header, request, reply, _payload(parts.get("Payload")), query)
    _check(found, root)
    return found


def serialize(message: Message) -> bytes:
    """Write a message.

    Raises:
        CimError: A value cannot stand in XML.
    """
    root = etree.Element(f"{{{NAMESPACE}}}{message.kind.value}", nsmap={"msg": NAMESPACE})
    if message.header is not None:
        binding.write(message.header, _child(root, "Header"), NAMESPACE)
    if message.request is not None or message.query is not None:
        part = _child(root, "Request")
        if message.request is not None:
            binding.write(message.request, part, NAMESPACE)
        _write_form(message.query, part)
    if message.reply is not None:
        binding.write(message.reply, _child(root, "Reply"), NAMESPACE)
    if message.payload is not None:
        _write_form(message.payload, _child(root, "Payload"))
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written


def _parts(root: Element, kind: Kind) -> dict[str, Element]:
    allowed, found = list(_PARTS[kind]), dict[str, Element]()
    for child in root:
        name = etree.QName(child)
        if name.namespace != NAMESPACE or name.localname not in allowed:
            reason = f"it has no place in a {kind.value}, is there twice or out of order"
            raise CimError(Fault.FORM, reason, path(child))
        del allowed[: allowed.index(name.localname) + 1]
        found[name.localname] = child
    for needed in _NEEDED[kind]:
        if needed not in found:
            raise CimError(Fault.FORM, f"{needed} is missing", path(root))
    return found


def _part(cls: type[_T], element: Element | None, fault: Fault) -> _T | None:
    if element is None:
        return None
    try:
        return binding.read(cls, element, NAMESPACE)
    except CimError as error:
        raise CimError(fault, error.reason, error.where) from error


def _request(element: Element | None) -> tuple[Request | None, object | None]:
    """Return the request part, and the record in it that narrows it further."""
    if element is None:
        return None, None
    others = [child for child in element if etree.QName(child).namespace != NAMESPACE]
    if len(others) > 1:
        raise CimError(Fault.REQUEST, "there is more than one query", path(others[1]))
    query = _form(others[0], Fault.REQUEST) if others else None
    for child in others:
        if (child.tail or "").strip():
            raise CimError(Fault.REQUEST, "text stands behind it", path(child))
        element.remove(child)
    return _part(Request, element, Fault.REQUEST), query


def _payload(element: Element | None) -> object | None:
    if element is None:
        return None
    children: Sequence[Element] = list(element)
    if len(children) != 1:
        reason = f"it must hold one element, and holds {len(children)}"
        raise CimError(Fault.PAYLOAD, reason, path(element))
    return _form(children[0], Fault.PAYLOAD)


def _form(element: Element, fault: Fault) -> object:
    name = etree.QName(element)
    form = FORMS.get(name.localname)
    if form is None or not form.takes(name.namespace):
        namespace = shown(name.namespace or "")
        raise CimError(fault, f"nothing of namespace {namespace} is known here", path(element))
    try:
        return binding.read(form.record, element, name.namespace or "")
    except CimError as error:
        kind = fault if error.fault is Fault.FORM else error.fault
        raise CimError(kind, error.reason, error.where) from error


def _check(message: Message, root: Element) -> None:
    """Refuse what each part may say, and all together may not."""
    header = message.header
    if header is None:
        return
    where = f"{path(root)}/Header"
    if header.revision not in {None, REVISION}:
        reason = f"{shown(header.revision or '')} is not revision {REVISION}"
        raise CimError(Fault.REVISION, reason, f"{where}/Revision")
    fits = {
        Kind.REQUEST: header.verb not in DONE and header.verb is not Verb.REPLY,
        Kind.EVENT: header.verb in DONE,
        Kind.RESPONSE: header.verb is Verb.REPLY,
    }
    if not fits[message.kind]:
        reason = f"{header.verb.value} is no verb of a {message.kind.value}"
        raise CimError(Fault.VERB, reason, f"{where}/Verb")


def _child(parent: Element, name: str) -> Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")


def _write_form(record: object | None, parent: Element) -> None:
    if record is None:
        return
    form = FORMS[type(record).__name__]
    root = etree.SubElement(
        parent, f"{{{form.namespace}}}{form.name}", nsmap={"cim": form.namespace}
    )
    binding.write(record, root, form.namespace)

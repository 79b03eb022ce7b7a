"""Bodies that are wrong or mean harm, and one good one of each kind."""

from hems.sep2.resources.wire import SEP_NS
from hems.sep2.xml import MAX_BODY

GOOD = (
    f'<Notification xmlns="{SEP_NS}"><subscribedResource>/nowhere</subscribedResource>'
    "<status>0</status><subscriptionURI>/none</subscriptionURI></Notification>"
)
"""Well-formed, of a subscription that nobody has."""

_LAUGHS = "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 10))
_PADDED = GOOD.replace("/nowhere", "/" + "x" * MAX_BODY)

HOSTILE = {
    "cut short": GOOD[:-20].encode(),
    "not XML": b'{"status": 0}',
    "empty": b"",
    "binary": bytes(range(256)),
    "deep": b"<a>" * 1_000,
    "another resource": f'<Time xmlns="{SEP_NS}"/>'.encode(),
    "another namespace": GOOD.replace(SEP_NS, "urn:other").encode(),
    "no number": GOOD.replace("<status>0<", "<status>NaN<").encode(),
    "billion laughs": (
        f'<!DOCTYPE r [<!ENTITY a0 "ha">{_LAUGHS}]>' + GOOD.replace("/nowhere", "&a9;")
    ).encode(),
    "external entity": (
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + GOOD.replace("/nowhere", "&x;")
    ).encode(),
    "parameter entity": (
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p.dtd"> %p;]>' + GOOD
    ).encode(),
    "oversized": _PADDED.encode(),
}
"""What is wrong with a body -> the body; all of them meant for the hub's listener."""


def statuses(kind: str) -> set[int]:
    """Return the HTTP statuses with which a hostile body may be answered."""
    return {413} if kind == "oversized" else {400}

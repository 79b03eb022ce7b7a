"""Messages of the utility's other systems: the envelope, its payloads, what they ask of homes."""

import random
from functools import partial
from typing import Final

from lxml import etree

from hems.headend.cim.der import DERGroupDispatches
from hems.headend.cim.envelope import Message
from hems.headend.cim.errors import CimError
from hems.headend.cim.letters import meaning
from hems.headend.cim.metering import EndDeviceControls
from hems.headend.cim.nouns import FORMS, Right
from hems.headend.cim.ordering import wish_of_control, wish_of_dispatch
from hems.headend.cim.patterns import manner_of
from hems.headend.cim.peers import Peer
from hems.headend.cim.wire import NAMESPACE, parse, serialize
from tests.fuzz.parsers.nasty import WORDS as NASTY
from tests.fuzz.parsers.parser import Parser, attempt, changed, same

_NOW: Final = 1_772_366_400.0
_PEER: Final = Peer("dms", "dms", frozenset(Right), ("https://dms.example/in/", "nats:box"))


def examine(data: bytes) -> str:
    """Read a message, write it and read it again; see how it is answered, and what it asks."""
    found, words = attempt(lambda: parse(data), CimError)
    if found is None:
        return words
    same(parse(serialize(found)), found, "a message written anew")
    same(meaning(found), meaning(parse(serialize(found))), "its meaning")
    return f"{words} {_answered(found)} {_asked(found)}"


def _answered(message: Message) -> str:
    header = message.header
    if header is None:
        return ""
    address = header.reply_address
    if address is not None:
        attempt(lambda: _PEER.check_address(address), CimError)
    return attempt(lambda: manner_of(message.kind, header), CimError)[1]


def _asked(message: Message) -> str:
    payload = message.payload
    words: list[str] = []
    if isinstance(payload, DERGroupDispatches):
        words += [attempt(partial(wish_of_dispatch, i), CimError)[1] for i in payload.dispatches]
    elif isinstance(payload, EndDeviceControls):
        words += [attempt(partial(wish_of_control, i, _NOW), CimError)[1] for i in payload.controls]
    return " ".join(words)


def _message(verb: str, noun: str, rest: str = "", *, root: str = "RequestMessage") -> bytes:
    head = (
        f"<Verb>{verb}</Verb><Noun>{noun}</Noun><Revision>2.0</Revision>"
        "<Timestamp>2026-03-01T12:00:00Z</Timestamp><Source>dms</Source>"
        "<AsyncReplyFlag>true</AsyncReplyFlag><ReplyAddress>https://dms.example/in/x</ReplyAddress>"
        "<User><UserID>u</UserID><Organization>o</Organization></User>"
        "<MessageID>m</MessageID><CorrelationID>c</CorrelationID>"
    )
    return f'<{root} xmlns="{NAMESPACE}"><Header>{head}</Header>{rest}</{root}>'.encode()


def _part(part: str, name: str, inner: str) -> str:
    return f'<{part}><{name} xmlns="{FORMS[name].namespace}">{inner}</{name}></{part}>'


def seeds() -> list[bytes]:
    """Return a message of each kind and payload."""
    names = "<Names><name>North</name><NameType><name>t</name></NameType></Names>"
    device = "<EndDevices><mRID>00</mRID></EndDevices>"
    schedule = (
        "<DispatchSchedule><curveStyleKind>constantYValue</curveStyleKind>"
        "<numberOfIntervals>1</numberOfIntervals><startTime>2026-03-01T12:00:00+01:00</startTime>"
        "<timeIntervalDuration>15</timeIntervalDuration><timeIntervalUnit>m</timeIntervalUnit>"
        "<DERCurveData><intervalNumber>1</intervalNumber><maxYValue>5.5</maxYValue>"
        "<nominalYValue>-1e3</nominalYValue></DERCurveData></DispatchSchedule>"
    )
    parameter = (
        "<DERMonitorableParameter><DERParameter>activePower</DERParameter>"
        "<flowDirection>forward</flowDirection><yMultiplier>k</yMultiplier><yUnit>W</yUnit>"
        f"{schedule}</DERMonitorableParameter>"
    )
    order = f"<EndDeviceGroup><mRID>g</mRID>{parameter}</EndDeviceGroup>"
    control = (
        "<EndDeviceControl><mRID>c</mRID><PanDemandResponse><duration>30</duration>"
        "<startDateTime>2026-03-01T12:00:00Z</startDateTime>"
        "<avgLoadAdjustment>-20</avgLoadAdjustment><dutyCycle>50</dutyCycle></PanDemandResponse>"
        f"<EndDeviceGroups><mRID>g</mRID></EndDeviceGroups>{device}</EndDeviceControl>"
    )
    switch = (
        '<EndDeviceControl><EndDeviceControlType ref="3.31.0.23"/>'
        "<EndDeviceGroups><mRID>g</mRID></EndDeviceGroups><scheduledInterval>"
        "<end>2026-03-01T13:00:00Z</end></scheduledInterval></EndDeviceControl>"
    )
    query = '<ReadingType ref="0.0.0.0"/><TimeSchedule><scheduleInterval/></TimeSchedule>'
    reply = (
        "<Reply><Result>FAILED</Result><Error><code>1.5</code><level>FATAL</level></Error></Reply>"
    )
    group = f"<EndDeviceGroup><mRID>g</mRID>{device}{names}</EndDeviceGroup>"
    created = _part("Payload", "DERGroups", group)
    orders = _part("Payload", "DERGroupDispatches", f"<DERGroupDispatch>{order}</DERGroupDispatch>")
    return [
        _message("create", "DERGroups", created),
        _message("changed", "DERGroups", created, root="EventMessage"),
        _message("create", "DERGroupDispatches", orders),
        _message("create", "EndDeviceControls", _part("Payload", "EndDeviceControls", control)),
        _message("create", "EndDeviceControls", _part("Payload", "EndDeviceControls", switch)),
        _message("get", "MeterReadings", _part("Request", "GetMeterReadings", query)),
        _message("get", "DERGroups", '<Request><ID kind="name">North</ID></Request>'),
        _message("reply", "DERGroups", reply, root="ResponseMessage"),
        f'<FaultMessage xmlns="{NAMESPACE}">{reply}</FaultMessage>'.encode(),
    ]


_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return a message with an element dropped, doubled, moved or of another value."""
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError:
        return changed(data, rng, WORDS)
    for _ in range(rng.randrange(1, 4)):
        elements = list(root.iter(etree.Element))
        element = rng.choice(elements)
        parent = element.getparent()
        match rng.randrange(4):
            case 0 if parent is not None:
                parent.remove(element)
            case 1 if parent is not None:
                parent.append(etree.fromstring(etree.tostring(element, with_tail=False)))
            case 2 if not len(element):
                element.text = rng.choice(_VALUES)
            case _:
                return changed(etree.tostring(root), rng, WORDS)
    return etree.tostring(root)


_VALUES: Final = (
    "", " ", "0", "-1", "1e308", "NaN", "INF", "-0", "²", "true", "get", "created", "9" * 30, "M",
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "1" * 5000,
    "stateOfCharge", "VAr", "D", "straightLineYValues", "nats:box.>", "https://dms.example/in/../x",
)  # fmt: skip
WORDS: Final = (
    *NASTY,
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"&#0;", b"<![CDATA[x]]>", b"<?p?>", b"<!-- -->",
    *(f"<{name}/>".encode() for name in FORMS),
    b"<Header>", b"</Header>", b"<Payload>", b"<Request>", b"<ID>", b' ref="x"', b' xmlns="urn:x"',
)  # fmt: skip
PARSER: Final = Parser(examine, seeds, WORDS, mutated)

"""Bodies as utilities and homes send them, written out without any codec."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.resources.wire import CSIPAUS_NS, SEP_NS, Record

NOW: Final = 1_790_000_000
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPACES: Final = f'xmlns="{SEP_NS}" xmlns:csipaus="{CSIPAUS_NS}"'


@dataclass(frozen=True, slots=True)
class Document:
    """A body with `elements` things of one kind in it.

    Attributes:
        name: What it is called in the figures.
        expected: The class of its root.
        elements: How many controls, devices or readings it has; times are per one of them.
        body: The octets.
    """

    name: str
    expected: type[Record]
    elements: int
    body: bytes


def documents(seed: int) -> Sequence[Document]:
    """Return all bodies that are measured."""
    rng = random.Random(seed)  # noqa: S311 - the same bodies in each run
    return (
        *(controls(rng, count) for count in (10, 100, 1000)),
        end_devices(rng, 100),
        readings(rng, 60),
    )


def controls(rng: random.Random, count: int) -> Document:
    """Return a DERControlList: CSIP-AUS limits for the most part, CSIP modes for the rest."""
    inner = "".join(_control(rng, number) for number in range(count))
    body = (
        f'{_HEAD}<DERControlList {_SPACES} href="/derp/1/derc" subscribable="1" '
        f'all="{count}" results="{count}">{inner}</DERControlList>'
    )
    return Document(f"DERControlList of {count:,}", res.DERControlList, count, body.encode())


def _control(rng: random.Random, number: int) -> str:
    start = NOW + 300 * number
    status = rng.choice((0, 0, 0, 1, 2))
    return (
        f'<DERControl href="/derp/1/derc/{number + 1}" replyTo="/rsps/1/rsp" '
        f'responseRequired="03" subscribable="0"><mRID>{_mrid(rng)}</mRID>'
        f"<description>{rng.choice(_DESCRIPTIONS)}</description><version>{rng.randrange(3)}</version>"
        f"<creationTime>{start - rng.randrange(60, 86_400)}</creationTime>"
        f"<EventStatus><currentStatus>{status}</currentStatus><dateTime>{start - 30}</dateTime>"
        f"<potentiallySuperseded>{rng.choice(('true', 'false'))}</potentiallySuperseded>"
        f"</EventStatus><interval><duration>{rng.choice((300, 900, 1800, 3600))}</duration>"
        f"<start>{start}</start></interval>"
        f"<randomizeDuration>{rng.choice((0, 60))}</randomizeDuration>"
        f"<randomizeStart>{rng.choice((0, 120, -60))}</randomizeStart>"
        f"<DERControlBase>{_modes(rng)}</DERControlBase>"
        f"<deviceCategory>{rng.choice(('00800000', '01000000'))}</deviceCategory></DERControl>"
    )


_DESCRIPTIONS: Final = (
    "Evening peak",
    "Minimum demand",
    "Feeder 7 limit",
    "Test &amp; check of capacity",
)


def _modes(rng: random.Random) -> str:
    if rng.random() < 0.6:
        limits = rng.sample(_LIMITS, rng.randint(1, 3))
        return "".join(
            f"<csipaus:{name}>{_power(rng)}</csipaus:{name}>" for name in _LIMITS if name in limits
        )
    chosen = {
        "opModConnect": "true",
        "opModFixedPFInjectW": (
            "<displacement>95</displacement><excitation>true</excitation><multiplier>-2</multiplier>"
        ),
        "opModFixedW": f"{rng.randrange(-10_000, 10_000)}",
        "opModMaxLimW": f"{rng.randrange(0, 10_000)}",
        "opModTargetW": _power(rng),
    }
    names = sorted(rng.sample(sorted(chosen), rng.randint(2, 3)))
    curve = rng.choice(("", f'<opModVoltVar href="/dc/{rng.randrange(1, 9)}"/>'))
    ramp = rng.choice(("", f"<rampTms>{rng.randrange(100, 6000)}</rampTms>"))
    return "".join(f"<{name}>{chosen[name]}</{name}>" for name in names) + curve + ramp


_LIMITS: Final = ("opModImpLimW", "opModExpLimW", "opModGenLimW", "opModLoadLimW")


def _power(rng: random.Random) -> str:
    return f"<multiplier>{rng.randrange(2)}</multiplier><value>{rng.randrange(0, 15_000)}</value>"


def _mrid(rng: random.Random) -> str:
    return rng.randbytes(16).hex().upper()


def end_devices(rng: random.Random, count: int) -> Document:
    """Return an EndDeviceList as an aggregator sees it."""
    inner = "".join(_end_device(rng, number + 1) for number in range(count))
    body = (
        f'{_HEAD}<EndDeviceList {_SPACES} href="/edev" subscribable="1" pollRate="300" '
        f'all="{count}" results="{count}">{inner}</EndDeviceList>'
    )
    return Document(f"EndDeviceList of {count:,}", res.EndDeviceList, count, body.encode())


def _end_device(rng: random.Random, number: int) -> str:
    here = f"/edev/{number}"
    return (
        f'<EndDevice href="{here}" subscribable="0"><DERListLink href="{here}/der" all="1"/>'
        f'<deviceCategory>01000000</deviceCategory><DeviceInformationLink href="{here}/di"/>'
        f'<DeviceStatusLink href="{here}/dstat"/><lFDI>{rng.randbytes(20).hex().upper()}</lFDI>'
        f'<LogEventListLink href="{here}/lel" all="0"/>'
        f"<sFDI>{rng.randrange(10**10, 10**11)}</sFDI>"
        f"<changedTime>{NOW - rng.randrange(10**7)}</changedTime><enabled>true</enabled>"
        f'<FunctionSetAssignmentsListLink href="{here}/fsa" all="2"/><postRate>300</postRate>'
        f'<RegistrationLink href="{here}/rg"/><SubscriptionListLink href="{here}/sub" all="1"/>'
        f'<csipaus:ConnectionPointLink href="{here}/cp"/></EndDevice>'
    )


def readings(rng: random.Random, count: int) -> Document:
    """Return a MirrorMeterReading as a home posts it: one set, a reading a minute."""
    inner = "".join(
        f'<Reading subscribable="0"><qualityFlags>0001</qualityFlags>'
        f"<timePeriod><duration>60</duration><start>{NOW + 60 * number}</start></timePeriod>"
        f"<value>{rng.randrange(-6000, 9000)}</value><localID>{number:04X}</localID></Reading>"
        for number in range(count)
    )
    body = (
        f'{_HEAD}<MirrorMeterReading xmlns="{SEP_NS}"><mRID>{_mrid(rng)}</mRID>'
        f"<description>Real power, site</description><lastUpdateTime>{NOW}</lastUpdateTime>"
        f"<MirrorReadingSet><mRID>{_mrid(rng)}</mRID><timePeriod>"
        f"<duration>{60 * count}</duration><start>{NOW}</start></timePeriod>{inner}"
        f"</MirrorReadingSet></MirrorMeterReading>"
    )
    return Document(
        f"MirrorMeterReading of {count:,}", res.MirrorMeterReading, count, body.encode()
    )

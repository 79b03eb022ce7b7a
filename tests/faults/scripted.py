"""A scripted utility that lies where it is told to, and is honest everywhere else."""

import time
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from certs.identity import sfdi
from hems.sep2 import resources as res
from hems.sep2.resources.wire import CSIPAUS_NS, SEP_NS
from hems.sep2.xml import MEDIA_TYPE
from tests.hems.sep2.controls_made import shed
from tests.hems.sep2.utility import Utility

LIMIT = "<csipaus:opModImpLimW><multiplier>0</multiplier><value>2000</value></csipaus:opModImpLimW>"
"""An import limit of 2 kW."""

Lie = tuple[int, bytes, str]
"""Status, body and media type."""


class LyingUtility(Utility):
    """See the module.

    Attributes:
        lies: What is answered to GET instead of the resource, by path.
    """

    def __init__(self, lfdi: str) -> None:
        super().__init__(lfdi, sfdi(lfdi))
        self.lies: dict[str, Lie] = {}

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        lie = self.lies.get(request.path) if request.method == "GET" else None
        if lie is None:
            return await super()._answer(request)
        status, body, media = lie
        return web.Response(status=status, body=body, content_type=media)

    def shed(self, mrid: str | None, watts: int = 500) -> None:
        """Have one emergency event, of five minutes from now on; None for none."""
        events: tuple[res.EndDeviceControl, ...] = ()
        if mrid is not None:
            events = (replace(shed(mrid, int(time.time()), 300, watts), mrid=mrid),)
        self.change("/dr/1/edc", end_device_control=events, all=len(events))

    def offer_programs(self, count: int) -> None:
        """Offer so many DER programmes, each with an empty list of controls."""
        for number in range(2, count + 1):
            href = f"/derp/{number}"
            program = res.DERProgram(
                href=href,
                mrid=f"A{number}",
                description=f"Programme {number}",
                primacy=number,
                der_control_list_link=res.Link(href=f"{href}/derc", all=0),
            )
            self.append("/derp", program)
            self.resources[f"{href}/derc"] = res.DERControlList(
                href=f"{href}/derc", all=0, results=0
            )

    def list_controls(self, *controls: str, program: int = 1) -> None:
        """Have a list of DERControls, given as XML."""
        self.lies[f"/derp/{program}/derc"] = (200, control_list(controls), MEDIA_TYPE)


def control_list(controls: Sequence[str]) -> bytes:
    """Return a DERControlList of items given as XML."""
    count = len(controls)
    return (
        f'<DERControlList xmlns="{SEP_NS}" xmlns:csipaus="{CSIPAUS_NS}" href="/derp/1/derc" '
        f'subscribable="1" all="{count}" results="{count}">{"".join(controls)}</DERControlList>'
    ).encode()


def control(
    mrid: str,
    *,
    start: str | int | None = None,
    duration: str | int = 7200,
    base: str = LIMIT,
    required: str = "03",
    more: str = "",
) -> str:
    """Return a DERControl as XML, with whatever is given in the place of its figures.

    It lasts longer than any test run, for some are made when the tests are collected.
    """
    begin = int(time.time()) if start is None else start
    return (
        f'<DERControl href="/derp/1/derc/{mrid}" replyTo="/rsp" responseRequired="{required}">'
        f"<mRID>{mrid}</mRID><description>{mrid}</description><creationTime>1</creationTime>"
        "<EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime>"
        "<potentiallySuperseded>false</potentiallySuperseded></EventStatus>"
        f"<interval><duration>{duration}</duration><start>{begin}</start></interval>{more}"
        f"<DERControlBase>{base}</DERControlBase></DERControl>"
    )

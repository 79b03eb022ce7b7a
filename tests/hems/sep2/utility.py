"""A scripted 2030.5 server on a real TLS socket: resources by path, everything it got in order."""

import asyncio
import hashlib
import io
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any

import aiohttp
from aiohttp import web

from hems.sep2 import resources as res
from hems.sep2.resources.wire import Record
from hems.sep2.xml import MEDIA_TYPE, parse_any, serialize
from tests.hems.sep2.controls_made import control

PIN = 111115
MARKER = "FF"


@dataclass(slots=True)
class Hold:
    """An answer that is made, `caught`, and sent only when it may `go`."""

    caught: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)


class Utility:
    """One home's view of a utility.

    Attributes:
        resources: What is at each path; a list is paged as asked for.
        faults: Status codes to answer with instead, by "METHOD path"; used up from the left.
        got: What was posted or put, in order: (method, path, resource).
        bodies: The same as it came in: (method, path, octets).
        files: Plain files by path, given by ranges.
        whole_files: Whether files are given as a whole, whatever range is asked for.
        more_octets: So many more than were asked for are given, without the file's length.
        cut_files: After so many octets of a file's answer the connection is cut; used up from the
            left, None for no cut.
        ranges: What of the files was asked for: (path, Range header or "").
        asked: Every request, "METHOD path".
        cut: Paths where the next POST is taken in, but the connection cut before the answer.
        ahead_s: How far its clock is ahead.
        holds: Answers to keep back, by "METHOD path"; each one time.
        redirects: Where it sends who asks, by "METHOD path".
        locations: What it says of where a resource posted to a path is, if not the truth.
        tags: Whether it offers ETags; who asks with the one that still holds gets a 304.
        unchanged: The paths of each 304.
        largest: No page of a list has more items, whatever is asked for.
    """

    def __init__(self, lfdi: str, sfdi: int, *, default_poll_s: int = 1) -> None:
        self.lfdi = lfdi
        self.sfdi = sfdi
        self.base = ""
        self.resources: dict[str, Record] = {}
        self.faults: dict[str, list[int]] = {}
        self.got: list[tuple[str, str, res.Resource]] = []
        self.bodies: list[tuple[str, str, bytes]] = []
        self.tags = False
        self.unchanged: list[str] = []
        self.largest = 255
        self.files: dict[str, bytes] = {}
        self.whole_files = False
        self.more_octets = 0
        self.cut_files: list[int | None] = []
        self.ranges: list[tuple[str, str]] = []
        self.asked: list[str] = []
        self.cut: set[str] = set()
        self.ahead_s = 0.0
        self.holds: dict[str, Hold] = {}
        self.redirects: dict[str, str] = {}
        self.locations: dict[str, str] = {}
        self._news = asyncio.Event()
        self.poll_s = default_poll_s
        self._build()

    def _build(self) -> None:
        poll_s = self.poll_s
        self.resources = {
            "/dcap": res.DeviceCapability(
                href="/dcap",
                poll_rate=poll_s,
                time_link=res.Link(href="/tm"),
                end_device_list_link=res.Link(href="/edev", all=1),
                mirror_usage_point_list_link=res.Link(href="/mup", all=0),
            ),
            "/tm": res.Time(
                href="/tm",
                current_time=int(time.time()),
                dst_end_time=0,
                dst_offset=0,
                dst_start_time=0,
                quality=4,
                tz_offset=0,
                poll_rate=poll_s,
            ),
            "/edev": res.EndDeviceList(href="/edev", all=0, results=0, poll_rate=poll_s),
            "/edev/1/rg": res.Registration(href="/edev/1/rg", date_time_registered=0, pin=PIN),
            "/edev/1/fsa": res.FunctionSetAssignmentsList(
                href="/edev/1/fsa",
                all=1,
                results=1,
                poll_rate=poll_s,
                function_set_assignments=(
                    res.FunctionSetAssignments(
                        href="/edev/1/fsa/1",
                        mrid="FA",
                        time_link=res.Link(href="/tm"),
                        der_program_list_link=res.Link(href="/derp", all=1),
                        demand_response_program_list_link=res.Link(href="/dr", all=1),
                    ),
                ),
            ),
            "/derp": res.DERProgramList(
                href="/derp",
                all=1,
                results=1,
                poll_rate=poll_s,
                der_program=(
                    res.DERProgram(
                        href="/derp/1",
                        mrid="A1",
                        description="Peak",
                        primacy=1,
                        der_control_list_link=res.Link(href="/derp/1/derc", all=0),
                        default_der_control_link=res.Link(href="/derp/1/dderc"),
                    ),
                ),
            ),
            "/derp/1/derc": res.DERControlList(
                href="/derp/1/derc", all=0, results=0, subscribable=1
            ),
            "/dr": res.DemandResponseProgramList(
                href="/dr",
                all=1,
                results=1,
                poll_rate=poll_s,
                demand_response_program=(
                    res.DemandResponseProgram(
                        href="/dr/1",
                        mrid="B1",
                        description="Shedding",
                        primacy=1,
                        end_device_control_list_link=res.Link(href="/dr/1/edc", all=0),
                    ),
                ),
            ),
            "/dr/1/edc": res.EndDeviceControlList(href="/dr/1/edc", all=0, results=0),
            "/edev/1/sub": res.SubscriptionList(href="/edev/1/sub", all=0, results=0),
            "/edev/1/der": res.DERList(
                href="/edev/1/der",
                all=1,
                results=1,
                der=(
                    res.DER(
                        href="/edev/1/der/1",
                        der_status_link=res.Link(href="/edev/1/der/1/ders"),
                        der_capability_link=res.Link(href="/edev/1/der/1/dercap"),
                    ),
                ),
            ),
            "/mup": res.MirrorUsagePointList(href="/mup", all=0, results=0),
            "/rsp": res.ResponseList(href="/rsp", all=0, results=0),
        }
        self.add_device(self.lfdi)

    def add_device(self, lfdi: str) -> None:
        """Register a device as EndDevice 1."""
        device = res.EndDevice(
            href="/edev/1",
            lfdi=lfdi,
            sfdi=self.sfdi,
            changed_time=0,
            registration_link=res.Link(href="/edev/1/rg"),
            function_set_assignments_list_link=res.Link(href="/edev/1/fsa", all=1),
            subscription_list_link=res.Link(href="/edev/1/sub", all=0),
            der_list_link=res.Link(href="/edev/1/der", all=1),
            log_event_list_link=res.Link(href="/edev/1/lel", all=0),
        )
        self.append("/edev", device)

    def change(self, path: str, **changes: Any) -> None:
        """Change fields of a resource."""
        self.resources[path] = replace(self.resources[path], **changes)

    def append(self, path: str, item: Record) -> None:
        """Add an item to a list."""
        name = items_of(self.resources[path])
        items = (*getattr(self.resources[path], name), item)
        self.change(path, **{name: items, "all": len(items)})

    def posted(self, path: str, kind: type[res.Resource] = res.Resource) -> list[Any]:
        """Return what was posted to a path."""
        return [r for m, p, r in self.got if m == "POST" and p == path and isinstance(r, kind)]

    async def settled(self) -> None:
        """Wait until the home has read the controls once more after it subscribed to them."""
        await self.until(lambda: self.posted("/edev/1/sub"))
        self.append("/derp/1/derc", marker())
        await self.until(lambda: (MARKER, 1) in self.codes)

    @property
    def codes(self) -> list[tuple[str, int | None]]:
        """The responses in order: (subject, status)."""
        return [(r.subject, r.status) for r in self.posted("/rsp")]

    async def until(self, true: Callable[[], Any], within_s: float = 8.0) -> None:
        """Wait until something holds; looked at after each request."""
        try:
            async with asyncio.timeout(within_s):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"never came; asked: {self.asked[-20:]}") from None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        asked = f"{request.method} {request.path}"
        self.asked.append(asked)
        try:
            faults = self.faults.get(asked)
            if faults:
                return web.Response(status=faults.pop(0), headers={"Retry-After": "0"})
            if asked in self.redirects:
                return web.Response(status=301, headers={"Location": self.redirects[asked]})
            answer = await self._answer(request)
            hold = self.holds.pop(asked, None)
            if hold is not None:
                hold.caught.set()
                await hold.go.wait()
            return answer
        finally:
            self._news.set()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if request.method == "GET":
            if path == "/tm":
                self.change("/tm", current_time=int(time.time() + self.ahead_s))
            if path in self.files:
                return await self._file(request, self.files[path])
            resource = self.resources.get(path)
            if resource is None:
                return web.Response(status=404)
            return self._tagged(request, serialize(_page(resource, request, self.largest)))
        if request.method == "DELETE":
            self._remove(path)
            return web.Response(status=204)
        body = await request.read()
        resource = parse_any(body)
        self.bodies.append((request.method, path, body))
        self.got.append((request.method, path, resource))
        if request.method == "PUT":
            self.resources[path] = replace(resource, href=path)
        location = self._keep(path, resource) if request.method == "POST" else None
        location = self.locations.get(path, location)
        if path in self.cut and request.transport is not None:
            self.cut.discard(path)
            request.transport.abort()
        return web.Response(
            status=201 if location else 204, headers={"Location": location} if location else {}
        )

    def _tagged(self, request: web.Request, body: bytes) -> web.Response:
        if not self.tags:
            return web.Response(body=body, content_type=MEDIA_TYPE)
        headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()}"'}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            self.unchanged.append(request.path)
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=MEDIA_TYPE, headers=headers)

    async def _file(self, request: web.Request, whole: bytes) -> web.StreamResponse:
        wanted = request.headers.get("Range", "")
        self.ranges.append((request.path, wanted))
        tag = f'"{hash(whole)}"'
        data, status, headers = whole, 200, {"ETag": tag}
        given = not self.whole_files and request.headers.get("If-Range", tag) == tag
        if wanted and given:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            if int(first) >= len(whole):
                return web.Response(status=416)
            data, status = whole[int(first) : int(last) + 1 + self.more_octets], 206
            span = f"{first}-{int(first) + len(data) - 1}"
            total = "*" if self.more_octets else len(whole)
            headers["Content-Range"] = f"bytes {span}/{total}"
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = len(data)
        await response.prepare(request)
        cut = self.cut_files.pop(0) if self.cut_files else None
        await response.write(data[:cut])
        if cut is not None and request.transport is not None:
            request.transport.abort()
        return response

    def _keep(self, path: str, resource: res.Resource) -> str:
        if isinstance(resource, res.EndDevice):
            self.add_device(resource.lfdi or "")
            return "/edev/1"
        location = f"{path}/{len(self.got)}"
        kept = res.Subscription | res.Response | res.MirrorUsagePoint | res.FlowReservationRequest
        if isinstance(resource, kept):
            placed = replace(resource, href=location)
            self.append(path, placed)
            self.resources[location] = placed
        return location

    def _remove(self, path: str) -> None:
        self.resources.pop(path, None)
        parent = path.rsplit("/", 1)[0]
        name = items_of(self.resources[parent])
        items = tuple(i for i in getattr(self.resources[parent], name) if i.href != path)
        self.change(parent, **{name: items, "all": len(items)})

    async def notify(
        self, resource: res.Resource | None, context: ssl.SSLContext, *, of: str = "/derp/1/derc"
    ) -> int:
        """Notify the subscriber of a resource; returns the status it answers."""
        held = next(
            s for s in self.posted("/edev/1/sub", res.Subscription) if s.subscribed_resource == of
        )
        listed = self.resources["/edev/1/sub"]
        where = next(
            s.href
            for s in getattr(listed, items_of(listed))
            if s.notification_uri == held.notification_uri and s.subscribed_resource == of
        )
        notification = res.Notification(
            subscribed_resource=of, resource=resource, status=0, subscription_uri=self.base + where
        )
        return await post(held.notification_uri, serialize(notification), context)


def marker() -> res.DERControl:
    """Return an event of the far future, which shows by its response that a list was read."""
    return control(MARKER, int(time.time()) + 86400, 60)


async def post(uri: str, body: bytes, context: ssl.SSLContext) -> int:
    """Post a body; returns the status of the answer."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            uri, data=io.BytesIO(body), headers={"Content-Type": MEDIA_TYPE}, ssl=context
        ) as response,
    ):
        return response.status


def items_of(listed: Record) -> str:
    """Return the name of a list's field that holds its items."""
    return next(
        f.name
        for f in fields(listed)
        if isinstance(getattr(listed, f.name), tuple) and f.name != "extensions"
    )


def _page(resource: Record, request: web.Request, largest: int) -> Record:
    if not isinstance(resource, res.List | res.SubscribableList):
        return resource
    name = items_of(resource)
    start = int(request.query.get("s", "0"))
    limit = min(int(request.query.get("l", "1")), largest)
    items = getattr(resource, name)[start : start + limit]
    changes: dict[str, Any] = {name: items, "results": len(items)}
    return replace(resource, **changes)


@asynccontextmanager
async def serving(
    utility: Utility, context: ssl.SSLContext, port: int = 0
) -> AsyncIterator[Utility]:
    """Serve a utility on a loopback socket."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", utility.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
        utility.base = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield utility
    finally:
        await runner.cleanup()

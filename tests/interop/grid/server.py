"""A utility's server as a third party might have made it, on a real socket with mutual TLS.

Its paths are unlike our head-end's: nested under the device, with queries, some of them absolute.
A script changes what it keeps while it runs; everything that goes over the wire is recorded.
"""

import itertools
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from lxml import etree

from certs.identity import IdentityFiles
from hems.sep2.transport.http import peer_lfdi
from tests.interop.grid import tree
from tests.interop.grid.markup import Dress, Element, copied, dressed, el, typed
from tests.interop.grid.record import Exchange, Wire
from tests.interop.grid.tree import (
    CAPABILITY,
    CLOCK,
    DEVICES,
    MIRROR,
    Device,
    Group,
    Listing,
    Programme,
)
from tests.interop.grid.words import link, new_mrid

MEDIA = "application/sep+xml"
_NO_CONTENT, _CREATED, _MOVED = 204, 201, 301


@dataclass
class Fault:
    """What to answer instead, so many times."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1


class Grid(Wire):
    """The utility as one client sees it.

    Args:
        lfdi: The client's.
        sfdi: The client's.
        pin: Its registration PIN as the utility has it.
        poll_s: pollRate of everything.
        dress: How documents are written.
        absolute: Whether links are absolute.
        page_most: Greatest number of items in an answer, whatever was asked for.

    Attributes:
        base: Its origin, once it serves.
        ahead_s: How far its clock is ahead of this machine's.
        faults: What to answer instead, by "METHOD path".
        moved: Redirects from path to path.
        cut: Paths whose next POST is taken in, but never answered.
        silent: While it is set every request gets 500.
        media: Content-Type of answers.
        shows_mirror: Whether there is a MirrorUsagePointList.
        mirror_post_s: postRate that it gives each mirror usage point; None to leave the client's.
        extra: More documents and lists, by path.
        shown: What it was seen to have recorded, for the report.
        certificate: What it shows, where it makes its own TLS context; the PKI's where None.
        entrance: Path of its DeviceCapability.
        patience: How many times longer than usual it is to be waited for.
    """

    entrance = CAPABILITY
    patience = 1.0

    def __init__(
        self,
        lfdi: str,
        sfdi: int,
        pin: int,
        *,
        poll_s: int = 1,
        dress: Dress = Dress.PLAIN,
        absolute: bool = False,
        page_most: int = 255,
    ) -> None:
        super().__init__()
        self.base = ""
        self.ahead_s = 0.0
        self.poll_s = poll_s
        self.dress = dress
        self.absolute = absolute
        self.page_most = page_most
        self.faults: dict[str, Fault] = {}
        self.moved: dict[str, str] = {}
        self.cut: set[str] = set()
        self.silent = False
        self.media = MEDIA
        self.shows_mirror = True
        self.mirror_post_s: int | None = None
        self.extra: dict[str, Element | Listing] = {}
        self.shown: list[str] = []
        self.certificate: IdentityFiles | None = None
        self.devices = Listing("EndDeviceList", poll_s=poll_s)
        self.points = Listing("MirrorUsagePointList", poll_s=poll_s)
        self.members: list[Device] = []
        self._numbers = itertools.count(3)
        self._rooms = itertools.count(77)
        self._inbox = Listing("ResponseList")
        self.pin = pin
        self.home = self.add_device(lfdi, sfdi, pin)

    def now(self) -> float:
        """Return its clock, epoch s."""
        return time.time() + self.ahead_s

    # What it keeps

    def add_device(self, lfdi: str, sfdi: int, pin: int, *, groups: int = 1) -> Device:
        """Enter a device with so many empty groups."""
        href = f"{DEVICES}/{next(self._rooms)}"
        device = Device(
            href,
            lfdi,
            sfdi,
            pin,
            int(self.now()) - 86400,
            Listing("FunctionSetAssignmentsList", poll_s=self.poll_s),
            Listing("SubscriptionList", poll_s=self.poll_s),
        )
        self.members.append(device)
        for _ in range(groups):
            self.add_group(device)
        return device

    def add_group(self, device: Device | None = None) -> Group:
        """Assign another group to a device."""
        owner = device or self.home
        href = f"{owner.href}/groups/{len(owner.members) + 1}"
        listed = Listing("DERProgramList", poll_s=self.poll_s)
        group = Group(href, new_mrid(), listed)
        owner.members.append(group)
        return group

    def add_programme(
        self,
        primacy: int = 10,
        *,
        group: Group | None = None,
        mrid: str | None = None,
        description: str = "Peak Saver",
        subscribable: int | None = None,
    ) -> Programme:
        """Add a programme to a group, the home's first if none is named."""
        into = group or self.home.members[0]
        programme = Programme(
            f"{into.programmes_href}/{next(self._numbers)}",
            mrid or new_mrid(),
            description,
            primacy,
            self.now,
            Listing("DERControlList", subscribable=subscribable),
        )
        into.members.append(programme)
        return programme

    # What it got

    def put(self, document: str, device: Device | None = None) -> list[Element]:
        """Return what a device put as one of its documents, in order."""
        owner = device or self.home
        where = f"{owner.href}/{document}", f"{owner.href}/units/1/{document}"
        found = [e for e in self.log if e.method == "PUT" and e.path in where and e.good]
        return [e.element() for e in found]

    def series(self, roles: int) -> dict[str, int]:
        """Return the unit of each series of the usage points of some roles, by its mRID.

        A series' type may come with the point, or with its first reading.
        """
        found: dict[str, int] = {}
        for point in self.points.items:
            if int(point.findtext("{*}roleFlags") or "0", 16) == roles:
                posted = self.readings(str(point.get("href")))
                for meter in (*point.findall("{*}MirrorMeterReading"), *posted):
                    unit = meter.findtext("{*}ReadingType/{*}uom")
                    if unit is not None:
                        found[meter.findtext("{*}mRID") or ""] = int(unit)
        return found

    @property
    def subscribed_to(self) -> bool:
        """Whether a client is to subscribe where it can; one that merely polls does not listen."""
        return True

    def check(self) -> None:
        """End the scenario if this utility cannot go on with it."""

    def real(self, mrid: str) -> str:
        """Return the mRID that an event has on the wire."""
        return mrid

    def scripted(self, mrid: str) -> str:
        """Return the mRID that a scenario knows an event by."""
        return mrid

    async def tells(self, path: str, *, plainly: bool) -> bool:
        """Return whether it tells its subscribers of a resource by itself, and has done so.

        Args:
            path: Of the resource.
            plainly: Whether the resource has changed, and nothing else is to be told.
        """
        del path, plainly
        return False

    # What it answers

    @asynccontextmanager
    async def served(self, context: ssl.SSLContext, port: int) -> AsyncIterator[None]:
        """Serve it on a loopback socket while the context lasts."""
        app = web.Application(client_max_size=1 << 22)
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
            self.base = f"https://127.0.0.1:{runner.addresses[0][1]}"
            yield
        finally:
            await runner.cleanup()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request and record it."""
        at, body = time.time(), await request.read()
        response = self._answer(request, body)
        lost = request.method == "POST" and request.path in self.cut
        self.note(
            Exchange(
                at=at,
                method=request.method,
                target=request.path_qs,
                body=body,
                status=response.status,
                answer=response.body if isinstance(response.body, bytes) else b"",
                headers=dict(response.headers),
                sender=_sender(request),
                lost=lost,
            )
        )
        if lost and request.transport is not None:
            self.cut.discard(request.path)
            request.transport.abort()
        return response

    def _answer(self, request: web.Request, body: bytes) -> web.Response:
        method, path = request.method, request.path
        fault = self.faults.get(f"{method} {path}")
        if self.silent:
            return web.Response(status=500)
        if fault is not None and fault.times > 0:
            fault.times -= 1
            return web.Response(status=fault.status, headers=fault.headers)
        if path in self.moved:
            query = f"?{request.query_string}" if request.query_string else ""
            return web.Response(
                status=_MOVED, headers={"Location": self._placed(self.moved[path]) + query}
            )
        if method == "GET":
            return self._read(request)
        if method == "DELETE":
            return self._delete(path)
        if method in {"POST", "PUT"}:
            return self._write(method, path, etree.fromstring(body), _sender(request))
        return web.Response(status=405, headers={"Allow": "GET, PUT, POST, DELETE"})

    def _read(self, request: web.Request) -> web.Response:
        found = self.resource(request.path)
        if isinstance(found, Listing):
            start, limit = int(request.query.get("s", "0")), int(request.query.get("l", "1"))
            found = found.page(request.path, start, min(limit, self.page_most))
        if found is None:
            return web.Response(status=404)
        return web.Response(body=dressed(self._linked(found), self.dress), content_type=self.media)

    def _linked(self, element: Element) -> Element:
        """Make links absolute where that is this utility's way."""
        if not self.absolute:
            return element
        made = copied(element)
        for each in made.iter():
            if isinstance(each.tag, str) and each.tag.endswith("Link"):
                each.set("href", self.base + str(each.get("href")))
            if each.get("replyTo") is not None:
                each.set("replyTo", self.base + str(each.get("replyTo")))
        return made

    def _placed(self, path: str) -> str:
        return self.base + path if self.absolute else path

    def resource(self, path: str) -> Element | Listing | None:
        """Return what stands at a path; None if there is nothing."""
        if path == CAPABILITY:
            return self._capability()
        if path == CLOCK:
            return self._clock()
        if path == DEVICES:
            self.devices.items = [device.element() for device in self.members]
            return self.devices
        if path == MIRROR:
            return self.points
        if path == tree.ANSWERS:
            return self._inbox
        if path in self.extra:
            return self.extra[path]
        for device in self.members:
            if path.startswith(f"{device.href}/") or path == device.href:
                return self._of_device(device, path.removeprefix(device.href))
        return next((copied(p) for p in self.points.items if p.get("href") == path), None)

    def _of_device(self, device: Device, rest: str) -> Element | Listing | None:
        href = device.href
        fixed: dict[str, Callable[[], Element | Listing]] = {
            "": device.element,
            "/pin": device.registration,
            "/units": lambda: Listing("DERList", [device.unit()]),
            "/units/1": device.unit,
            "/watchers": lambda: device.watchers,
            "/journal": lambda: Listing("LogEventList"),
        }
        if rest in fixed:
            return fixed[rest]()
        if rest == "/groups":
            device.groups.items = [group.element() for group in device.members]
            return device.groups
        if href + rest in device.kept:
            return device.kept[href + rest]
        for group in device.members:
            if href + rest == group.programmes_href:
                group.programmes.items = [each.element() for each in group.members]
                return group.programmes
            for programme in group.members:
                if href + rest == programme.events_href:
                    return programme.events
                if href + rest == programme.default_href:
                    return programme.default
        return None

    def _capability(self) -> Element:
        mirror = link("MirrorUsagePointListLink", MIRROR, len(self.points.items))
        return el(
            "DeviceCapability",
            link("TimeLink", CLOCK),
            link("EndDeviceListLink", DEVICES, len(self.members)),
            mirror if self.shows_mirror else None,
            href=CAPABILITY,
            pollRate=self.poll_s,
        )

    def _clock(self) -> Element:
        now = int(self.now())
        zeroes = [el(name, 0) for name in ("dstEndTime", "dstOffset", "dstStartTime")]
        return el(
            "Time",
            el("currentTime", now),
            *zeroes,
            el("quality", 4),
            el("tzOffset", 36000),
            href=CLOCK,
            pollRate=self.poll_s,
        )

    def _delete(self, path: str) -> web.Response:
        for device in self.members:
            device.watchers.items = [w for w in device.watchers.items if w.get("href") != path]
        return web.Response(status=_NO_CONTENT)

    def _write(self, method: str, path: str, root: Element, sender: str) -> web.Response:
        if method == "PUT":
            for device in self.members:
                if path.startswith(device.href):
                    device.kept[path] = root
                    return web.Response(status=_NO_CONTENT)
            return web.Response(status=404)
        location = f"{path}/{len(self.log) + 1}"
        root.set("href", location)
        if path == DEVICES:
            location = self._enter(root, sender)
        elif path == MIRROR:
            self._mirror(root)
        elif path == tree.ANSWERS:
            self._inbox.items.append(typed(root, "Response"))
        for device in self.members:
            if path == f"{device.href}/watchers":
                device.watchers.items.append(root)
        return web.Response(status=_CREATED, headers={"Location": self._placed(location)})

    def _enter(self, root: Element, sender: str) -> str:
        lfdi = (root.findtext("{*}lFDI") or sender).upper()
        sfdi = int(root.findtext("{*}sFDI") or "0")
        return self.add_device(lfdi, sfdi, self.pin).href

    def _mirror(self, root: Element) -> None:
        point = copied(root)
        if self.mirror_post_s is not None:
            old = point.find("{*}postRate")
            if old is not None:
                point.remove(old)
            meters = point.findall("{*}MirrorMeterReading")
            index = point.index(meters[0]) if meters else len(point)
            point.insert(index + len(meters), el("postRate", self.mirror_post_s))
        self.points.items.append(point)


def _sender(request: web.Request) -> str:
    connection = request.get_extra_info("ssl_object")
    return "" if connection is None else peer_lfdi(connection) or ""


@asynccontextmanager
async def serving(grid: Grid, context: ssl.SSLContext, port: int = 0) -> AsyncIterator[Grid]:
    """Serve a utility on a loopback socket."""
    async with grid.served(context, port):
        yield grid

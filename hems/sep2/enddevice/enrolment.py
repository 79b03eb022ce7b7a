"""One EndDevice that the home answers for at a server.

A `Member` is what outlives every session: who it is, its events, what it last reported. An
`Enrolment` is what one session has of it: where the server keeps it, and what is kept up there.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hems.sep2 import resources as res
from hems.sep2.book.engine import Engine
from hems.sep2.enddevice.mirror import Mirror
from hems.sep2.enddevice.offers import Programs
from hems.sep2.enddevice.readings import MirrorSpec, Samples
from hems.sep2.enddevice.registration import Identity, full
from hems.sep2.enddevice.reporter import Cadence, Reporter
from hems.sep2.enddevice.reports import Report
from hems.sep2.enddevice.services import Clocked, Services, Upkeep
from hems.sep2.rules.events import Event
from hems.sep2.rules.lifecycle import Profile
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles


class Standing(StrEnum):
    """How a device stands with the server."""

    UNKNOWN = "unknown"
    """It has not been looked for, or not been found, in this session."""
    ENROLLED = "enrolled"
    """The server keeps it, and it is the right one."""
    DISABLED = "disabled"
    """The server keeps it, but has it take part in nothing (`EndDevice.enabled`)."""
    GONE = "gone"
    """The server kept it, and does not any more."""
    REFUSED = "refused"
    """The server has another PIN for it."""


@dataclass(frozen=True, slots=True)
class MemberSettings:
    """One EndDevice that the home answers for.

    Attributes:
        identity: Who it is.
        profile: What it can do and how it answers.
        binding: Tells whether the owner may not leave an event; None for what 2030.5 flags.
        mirrors: Usage points to keep up for it.
        registers: Whether it is made at the server where it is missing (in-band registration).
        name: For messages; empty for its LFDI.
    """

    identity: Identity
    profile: Profile = field(default_factory=Profile)
    binding: Callable[[Event], bool] | None = None
    mirrors: Sequence[MirrorSpec] = ()
    registers: bool = True
    name: str = ""


@dataclass(slots=True)
class Member:
    """An EndDevice, over all sessions.

    Attributes:
        settings: See `MemberSettings`.
        engine: Its events.
        standing: How it stands with the server now.
        report: What it last said of itself.
        services: What it has of its server besides events.
    """

    settings: MemberSettings
    engine: Engine
    standing: Standing = Standing.UNKNOWN
    report: Report = field(default_factory=Report)
    services: Services = field(default_factory=Services)

    @property
    def lfdi(self) -> str:
        """Its LFDI in full length."""
        return full(self.settings.identity.lfdi)

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.settings.name or self.settings.identity.lfdi


@dataclass(frozen=True, slots=True)
class Means:
    """What all enrolments of one session share.

    Attributes:
        transport: Way to the server.
        rng: For jitter.
        troubles: What goes wrong now.
        samples: Readings that wait to be posted.
        least_post_s: No more frequent posts of readings, whatever the server says.
        on_contact: Told after each answer of the server.
    """

    transport: Transport
    rng: random.Random
    troubles: Troubles
    samples: Samples
    least_post_s: float
    on_contact: Callable[[], None]


class Enrolment:
    """What one session has of a member.

    Nothing is sent on its behalf before `admit`, and nothing more after `dismiss`.

    Args:
        member: Whose it is.
        means: See `Means`.
    """

    def __init__(self, member: Member, means: Means) -> None:
        self.member = member
        self.device: res.EndDevice | None = None
        """As the server showed it last; None if it shows none."""
        self.assignments = ""
        """Where its FunctionSetAssignmentsList is; empty if it has none."""
        self.clock: str | None = None
        """The clock that its events run on; None until an assignment names one."""
        self.other_clocks: frozenset[str] = frozenset()
        """Clocks that further assignments name."""
        self.programs = Programs()
        self.reporter = Reporter(
            means.transport,
            means.rng,
            means.troubles,
            name=member.settings.name,
            cadence=Cadence(least_s=means.least_post_s),
            on_contact=means.on_contact,
        )
        self.reporter.publish(member.report)
        engine = member.engine
        self.upkeep = Upkeep(
            member.services,
            means.transport,
            Clocked(lambda: engine.offset_s, engine.server_time),
            rng=means.rng,
            troubles=means.troubles,
            on_contact=means.on_contact,
        )
        self._mirrors = [
            Mirror(
                spec,
                member.settings.identity.lfdi,
                means.transport,
                lambda: engine.offset_s,
                means.rng,
                troubles=means.troubles,
                samples=means.samples,
                least_post_s=means.least_post_s,
                on_contact=means.on_contact,
            )
            for spec in member.settings.mirrors
        ]
        self._mirror_list: str | None = None
        self._admitted = asyncio.Event()
        member.standing = Standing.UNKNOWN

    @property
    def engine(self) -> Engine:
        """The member's events."""
        return self.member.engine

    @property
    def enrolled(self) -> bool:
        """Whether the server keeps the device, enabled, and is known to be the right one."""
        return self.member.standing is Standing.ENROLLED

    def admit(self, device: res.EndDevice | None) -> None:
        """Take up traffic: the PIN was right. None where a server keeps no end devices."""
        self.member.standing = Standing.ENROLLED
        self.engine.suspend(suspended=False)
        self.reporter.use(device)
        self.upkeep.use(device)
        self._place_mirrors()
        self._admitted.set()

    def dismiss(self, standing: Standing) -> None:
        """Stop traffic. Where the server does not know the device any more, its events rest."""
        self.member.standing = standing
        if standing in {Standing.DISABLED, Standing.GONE}:
            self.engine.suspend(suspended=True)
        self.programs, self.assignments = Programs(), ""
        self.clock, self.other_clocks = None, frozenset()
        self.reporter.use(None)
        self.upkeep.use(None)
        self._place_mirrors()

    def mirror_at(self, href: str | None) -> None:
        """Set the server's MirrorUsagePointList; None if it offers none."""
        self._mirror_list = href
        self._place_mirrors()

    def _place_mirrors(self) -> None:
        for mirror in self._mirrors:
            mirror.use(self._mirror_list if self.enrolled else None)

    def publish(self, report: Report) -> None:
        """Tell the server what the device says of itself."""
        self.reporter.publish(report)

    async def run(self) -> None:
        """Keep up reports and readings once admitted; never returns."""
        await self._admitted.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.reporter.run())
            group.create_task(self.upkeep.run())
            for mirror in self._mirrors:
                group.create_task(mirror.run())

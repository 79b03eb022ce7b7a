"""The stops of the walk that bring events: programme lists, their controls, default controls.

A list that several devices take part in is read once and given to the engine of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hems.sep2 import resources as res
from hems.sep2.book.controls import AnyProgram, Control, program_of
from hems.sep2.book.kinds import Kind, kind_of
from hems.sep2.codec.reading import BadItem
from hems.sep2.enddevice.enrolment import Enrolment
from hems.sep2.errors import NotFoundError
from hems.sep2.rules.events import Program
from hems.sep2.walk.curve_stops import CurvesStop, read_curves, without
from hems.sep2.walk.trip import READINGS, BaseStop, Marks, marks, overtaken, seen, skip
from hems.sep2.walk.walker import Stop, Visit


@dataclass(frozen=True, slots=True)
class DerProgramsStop(BaseStop):
    """DERProgramList."""

    async def visit(self) -> Visit:
        """Find the controls of each programme."""
        bad: list[BadItem] = []
        since = marks(self.trip.audience(self.href))
        got = await self.trip.transport.get_list(self.href, res.DERProgramList, on_bad=bad.append)
        audience = self.trip.audience(self.href)
        children: list[Stop] = []
        for resource in got.der_program:
            program = program_of(resource)
            controls, default = resource.der_control_list_link, resource.default_der_control_link
            if controls is not None:
                children.append(
                    ControlsStop(self.trip, controls.href, program, kind_of(res.DERControl))
                )
            else:
                await no_events(audience, program, res.DERControl, since)
            curves = resource.der_curve_list_link
            if curves is not None:
                children.append(CurvesStop(self.trip, curves.href, program))
            if default is not None:
                children.append(DefaultStop(self.trip, default.href, program))
            else:
                for each in audience:
                    await each.engine.set_default(program, None, since.get(each.member.lfdi))
        await note_programs(self, audience, got.der_program, bad, res.DERControl)
        self.trip.lead(self.href, [child.href for child in children])
        return seen(got, children, got.poll_rate)


@dataclass(frozen=True, slots=True)
class DrProgramsStop(BaseStop):
    """DemandResponseProgramList."""

    async def visit(self) -> Visit:
        """Find the controls of each programme."""
        bad: list[BadItem] = []
        since = marks(self.trip.audience(self.href))
        got = await self.trip.transport.get_list(
            self.href, res.DemandResponseProgramList, on_bad=bad.append
        )
        audience = self.trip.audience(self.href)
        children: list[Stop] = []
        for resource in got.demand_response_program:
            program, link = program_of(resource), resource.end_device_control_list_link
            if link is not None:
                children.append(
                    ControlsStop(self.trip, link.href, program, kind_of(res.EndDeviceControl))
                )
            else:
                await no_events(audience, program, res.EndDeviceControl, since)
        found = tuple(p.href for p in got.demand_response_program if p.href is not None)
        for each in audience:
            each.member.services.dr_programs[self.href] = found
        await note_programs(self, audience, got.demand_response_program, bad, res.EndDeviceControl)
        self.trip.lead(self.href, [child.href for child in children])
        return seen(got, children, got.poll_rate)


async def no_events(
    audience: Sequence[Enrolment], program: Program, kind: type[Control], since: Marks
) -> None:
    """Have a programme without a list of controls count as one whose list is empty."""
    for each in audience:
        await each.engine.update(
            program, (), kind=kind, complete=True, since=since.get(each.member.lfdi)
        )


async def note_programs(
    stop: BaseStop,
    audience: Sequence[Enrolment],
    programs: Sequence[AnyProgram | res.RateComponent],
    bad: Sequence[BadItem],
    kind: type[Control],
) -> None:
    """Note what a programme list names, and drop the programmes that no list names any more."""
    skip(*bad)
    named = frozenset({p.mrid.upper() for p in programs} | {b.mrid for b in bad if b.mrid})
    for each in audience:
        each.programs.listed(kind, stop.href, named, whole=all(b.mrid for b in bad))
        await retain(each, kind)
        for program in programs:
            if not isinstance(program, res.RateComponent):
                # Its events follow a changed primacy now, and not only when they are read again.
                await each.engine.update(program_of(program), (), kind=kind, complete=False)
    stop.trip.told(stop.href, audience)


async def retain(enrolment: Enrolment, kind: type[Control]) -> None:
    """Drop the events of programmes that a device takes part in no more, once that is known."""
    assigned = enrolment.programs.settled(kind)
    if assigned is not None:
        await enrolment.engine.retain(assigned, kind)


@dataclass(frozen=True, slots=True)
class ControlsStop(BaseStop):
    """The list of events of one kind of one programme."""

    program: Program
    kind: Kind

    async def visit(self) -> Visit:
        """Take the whole list in; again, where a notification overtook it."""
        for _ in range(READINGS):
            since = marks(self.trip.audience(self.href))
            bad: list[BadItem] = []
            got = await self.trip.transport.get_list(self.href, self.kind.listed, on_bad=bad.append)
            # A server may persist in counting more items than it shows; then one of `bad`, without
            # a body, stands for them.
            whole = got.results + sum(1 for item in bad if item.xml) >= got.all
            items = self.kind.items(got)
            failed = await read_curves(self.trip, self.href, self.program, items)
            items, whole = without(items, failed), whole and not failed
            current = await self._update(items, complete=whole, bad=bad, since=since)
            for error in failed.values():
                raise error
            if current:
                return seen(got, (), self.kind.poll_s(got))
        raise overtaken(self)

    async def take(self, resource: res.Resource) -> bool:
        """Take in a list or a single control that a notification brought."""
        if isinstance(resource, self.kind.single):
            failed = await read_curves(self.trip, self.href, self.program, [resource])
            await self._update(without([resource], failed), complete=False)
            return not failed
        if isinstance(resource, self.kind.listed):
            # Never as complete: notifications may come late and out of order, and an older one
            # lacks what is newer. The walker has a list read that lacks what was known.
            items = self.kind.items(resource)
            failed = await read_curves(self.trip, self.href, self.program, items)
            await self._update(without(items, failed), complete=False)
            return not failed and len(items) >= resource.all
        return False

    async def _update(
        self,
        controls: Sequence[Control],
        *,
        complete: bool,
        bad: Sequence[BadItem] = (),
        since: Marks | None = None,
    ) -> bool:
        audience = self.trip.audience(self.href)
        current = [
            await each.engine.update(
                self.program,
                controls,
                kind=self.kind.single,
                complete=complete,
                bad=bad,
                since=None if since is None else since.get(each.member.lfdi),
            )
            for each in audience
        ]
        if complete:
            self.trip.told(self.href, audience)
        return all(current)


@dataclass(frozen=True, slots=True)
class DefaultStop(BaseStop):
    """DefaultDERControl of one programme."""

    program: Program

    async def visit(self) -> Visit:
        """Take it in; a server that has none any more answers 404."""
        for _ in range(READINGS):
            since = marks(self.trip.audience(self.href))
            got: res.DefaultDERControl | None
            try:
                got = await self.trip.transport.get(self.href, res.DefaultDERControl)
            except NotFoundError:
                got = None
            if got is not None:
                failed = await read_curves(self.trip, self.href, self.program, [got])
                for error in failed.values():
                    raise error
            if await self._set(got, since):
                return Visit() if got is None else seen(got)
        raise overtaken(self)

    async def take(self, resource: res.Resource) -> bool:
        """Take in what a notification brought."""
        if not isinstance(resource, res.DefaultDERControl):
            return False
        if await read_curves(self.trip, self.href, self.program, [resource]):
            return False
        await self._set(resource, {})
        return True

    async def _set(self, control: res.DefaultDERControl | None, since: Marks) -> bool:
        audience = self.trip.audience(self.href)
        current = [
            await each.engine.set_default(self.program, control, since.get(each.member.lfdi))
            for each in audience
        ]
        self.trip.told(self.href, audience)
        return all(current)

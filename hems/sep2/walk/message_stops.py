"""The stops of the walk that bring messages for the owner."""

from dataclasses import dataclass

from hems.sep2 import resources as res
from hems.sep2.book.controls import program_of
from hems.sep2.book.kinds import kind_of
from hems.sep2.codec.reading import BadItem
from hems.sep2.walk.control_stops import ControlsStop, no_events, note_programs
from hems.sep2.walk.trip import BaseStop, marks, seen
from hems.sep2.walk.walker import Stop, Visit


@dataclass(frozen=True, slots=True)
class MessagingProgramsStop(BaseStop):
    """MessagingProgramList."""

    async def visit(self) -> Visit:
        """Find the messages of each programme."""
        bad: list[BadItem] = []
        since = marks(self.trip.audience(self.href))
        got = await self.trip.transport.get_list(
            self.href, res.MessagingProgramList, on_bad=bad.append
        )
        audience = self.trip.audience(self.href)
        children: list[Stop] = []
        for resource in got.messaging_program:
            program, link = program_of(resource), resource.text_message_list_link
            if link is not None:
                stop = ControlsStop(self.trip, link.href, program, kind_of(res.TextMessage))
                children.append(stop)
            else:
                await no_events(audience, program, res.TextMessage, since)
        await note_programs(self, audience, got.messaging_program, bad, res.TextMessage)
        self.trip.lead(self.href, [child.href for child in children])
        return seen(got, children, got.poll_rate)

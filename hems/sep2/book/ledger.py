"""The durable memory that the protocol needs: a port, implemented by `hems.store`.

What is saved here survives SIGKILL and power cuts before anything is acted on or answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class LedgerError(Exception):
    """The ledger cannot be read or written now (full disk, broken file); `str()` says why.

    Whoever meets it goes on with what it holds in memory and tries again later.
    """


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as last received, and what the home made of it.

    What stands until the server says otherwise is kept in the same way, for the time when the
    server is lost: a programme's DefaultDERControl, a DERCurve that a control may name, a
    FlowReservationRequest of the home's own. Their `phase` is "default", their draws are 0, and
    they never grow too old to keep.

    The key is (`server`, `lfdi`, `mrid`).

    Attributes:
        mrid: The event's mRID, 32 upper-case hex digits; of a DERCurve its href.
        server: LFDI or host of the server it came from.
        kind: Name of its resource type, see `hems.sep2.book.kinds`.
        program: mRID of its programme.
        program_name: The programme's description, for the owner.
        primacy: The programme's primacy.
        mandatory: Whether the programme itself forbids opting out (drProgramMandatory).
        body: The event as 2030.5 XML.
        draw_start_s: Randomised shift of its start; drawn once.
        draw_duration_s: Randomised change of its duration; drawn once.
        draw_cancel_s: Randomised delay of a cancellation; drawn once.
        phase: "received", "started", "completed", "cancelled", "superseded", "rejected";
            "default" for what stands, "owed" while the server is yet to be told of it, "cancelled"
            for what no longer counts.
        opted_out: Whether the owner left it.
        baseline_w: Net power at its start, None before.
        lfdi: LFDI of the EndDevice that it is for; empty in rows from before there were several,
            which are the home's own.
        rejoined: Whether the owner came back after leaving it.
        override_since: Since when the owner overrides it, server's clock; None while nobody does.
        overridden_s: How long it was overridden before that.
        applied: What the home applied of it, as a DrResponse; empty while it has not said.
        acknowledged: Whether the owner has read it, which is a message.
        modes: Those of its modes that the home carries out, with commas between; None where that
            was not kept.
        reason: Why it or some of its modes were refused, for the owner.
    """

    mrid: str
    server: str
    kind: str
    program: str
    program_name: str
    primacy: int
    mandatory: bool
    body: bytes
    draw_start_s: int
    draw_duration_s: int
    draw_cancel_s: int
    phase: str
    opted_out: bool = False
    baseline_w: float | None = None
    lfdi: str = ""
    rejoined: bool = False
    override_since: float | None = None
    overridden_s: float = 0.0
    applied: bytes = b""
    acknowledged: bool = False
    modes: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """A response owed to the server; unique by (server, subject, lfdi, status, modes).

    Attributes:
        subject: mRID of the event.
        lfdi: LFDI of the answering device.
        status: Response code.
        modes: Control modes it speaks of, empty for the whole event (2018).
        created: Server's time at which the status came about, epoch seconds.
        reply_to: Where it goes.
        kind: Resource type to post, such as "DERControlResponse".
        location: Where the server put it; None until posted.
        server: LFDI or host of the server that it is owed to.
        detail: What it says beyond its code, as XML of its type; empty for nothing. Kept so that
            it is posted byte for byte the same again.
    """

    subject: str
    lfdi: str
    status: int
    modes: str
    created: int
    reply_to: str
    kind: str
    location: str | None = None
    server: str = ""
    detail: bytes = b""


class Ledger(Protocol):
    """Durable memory of events, draws and responses."""

    async def events(self) -> Sequence[EventRow]:
        """Return the kept events that may still matter.

        These are all that are not over, those that were refused, cancelled or superseded and are
        not older than the retention, and those that came to their end in the last days.
        """
        ...

    async def save(self, events: Sequence[EventRow], responses: Sequence[ResponseRow]) -> None:
        """Insert or replace events and add responses, in one durable transaction.

        A response that is there already (same key) stays as it is: it is never owed twice.

        Raises:
            LedgerError: Nothing was written.
        """
        ...

    async def unposted(self, server: str) -> Sequence[ResponseRow]:
        """Return the responses still owed to a server, oldest first."""
        ...

    async def posted(self, response: ResponseRow, location: str) -> None:
        """Note that the server has a response, or ("refused: reason") will never take it."""
        ...

    async def server_offset(self, server: str) -> float | None:
        """Return the last known server time less local time, in s; None if never known."""
        ...

    async def save_server_offset(self, server: str, offset_s: float) -> None:
        """Keep the server's offset for the next start."""
        ...

    async def readdress(self, server: str, former: str, lfdi: str) -> int:
        """Give a device's events to the LFDI that its renewed certificate has.

        What it has answered, or owes, stays as it was: it was said under the former one.

        Returns:
            How many events there were.

        Raises:
            LedgerError: Nothing was written.
        """
        ...

"""One message, from octets to octets: read, judged, claimed, done, answered, written down."""

import asyncio
import logging
from contextlib import nullcontext
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from hems.clock import Clock
from hems.correlation import correlate, correlated, current, fresh, sound
from hems.headend.cim import group_actions, order_actions, query_actions
from hems.headend.cim.actions import Actions, Done, Letter, Means
from hems.headend.cim.admission import admit, entry_of
from hems.headend.cim.entries import Answered, Entry, Taken, Waiting, digest_of
from hems.headend.cim.envelope import Header, Kind, Message, Reply, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.journal import Journal
from hems.headend.cim.letters import (
    ACKNOWLEDGED,
    Letters,
    ended,
    meaning,
    refusal,
    success,
)
from hems.headend.cim.nouns import Noun, asks
from hems.headend.cim.patterns import Answer, Manner, Pattern, manner_of
from hems.headend.cim.peers import Peer
from hems.headend.cim.ports import Transactions
from hems.headend.cim.wire import parse
from hems.headend.errors import BusyError, ConflictError, RequestError, UnknownItemError

_AGAIN_S: Final = 2.0
"""When what could not be done is tried again, where it waits here."""
_AT_ONCE: Final = 4
"""Messages that are dealt with at a time; others wait, so that homes find the database free."""
_ACTIONS: Final[Actions] = {
    **group_actions.ACTIONS,
    **order_actions.ACTIONS,
    **query_actions.ACTIONS,
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it came.

    Attributes:
        body: Its octets.
        peer: Who stands behind the connection.
        carrier: How it came.
        answers: Whether an answer can go back at once.
    """

    body: bytes
    peer: Peer
    carrier: str
    answers: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What goes back.

    Attributes:
        status: As an HTTP status.
        body: A message; empty for none.
        final: Whether the same message would be answered so again.
    """

    status: int
    body: bytes
    final: bool = True


@dataclass(slots=True)
class _Seen:
    """What is known so far of a message that is being read, for the trail and a refusal."""

    entry: Entry
    header: Header | None = None


@dataclass(frozen=True, slots=True)
class _Task:
    """A message that is to be acted on."""

    taken: Taken
    entry: Entry
    message: Message
    header: Header
    manner: Manner


class Service:
    """Takes messages.

    Args:
        transactions: The head-end's database.
        journal: Trail and answers.
        means: What actions work on.
        letters: Writes what goes out.
        clock: The head-end's time.
        age_s: How far a message's time may be from now.

    Attributes:
        work: Set when something waits to be acted on.
        post: Set when something is to go out.
    """

    def __init__(
        self,
        transactions: Transactions,
        journal: Journal,
        means: Means,
        letters: Letters,
        *,
        clock: Clock,
        age_s: float,
    ) -> None:
        self._transactions = transactions
        self._journal = journal
        self._means = means
        self._letters = letters
        self._clock = clock
        self._age_s = age_s
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self.work = asyncio.Event()
        self.post = asyncio.Event()

    async def take(self, sent: Sent) -> Outcome:
        """Take a message and return what goes back.

        Raises:
            BusyError: Not even that it came could be written down; it may be sent again.
        """
        digest = digest_of(sent.body)
        entry = Entry("in", sent.carrier, sent.peer.name, digest=digest, octets=len(sent.body))
        seen = _Seen(entry)
        async with self._turns:
            # By its correlation id as soon as that is read; and not what comes after it.
            with correlated(current() or fresh()):
                return await self._taken(sent, seen)

    async def _taken(self, sent: Sent, seen: _Seen) -> Outcome:
        """Take a message, or refuse it."""
        try:
            return await self._take(sent, seen)
        except CimError as error:
            _log.warning("%s: refused: %s", sent.peer.name, error)
            await self._journal.note(ended(seen.entry, error))
            body = self._letters.reply(seen.header, refusal(error))
            return Outcome(error.fault.status, body, error.fault.final)

    async def _take(self, sent: Sent, seen: _Seen) -> Outcome:
        message = parse(sent.body)
        header = seen.header = message.header
        if header is None:
            raise CimError(Fault.FORM, "a fault is not for us")
        seen.entry = entry_of(seen.entry, header)
        correlate(_mark(header))
        admit(message, header, sent.peer)
        manner = manner_of(message.kind, header, answers=sent.answers)
        seen.entry = replace(seen.entry, pattern=manner.pattern.value)
        if manner.answer is Answer.LATER:
            sent.peer.check_address(header.reply_address or "")
        taken = Taken(
            sent.peer.name, header.message_id or "", meaning(message), carrier=sent.carrier
        )
        before = await self._journal.answered(taken)
        if before is not None:
            await self._journal.note(replace(seen.entry, result="REPEATED"))
            return Outcome(before.status, before.body)
        self._check_time(header)
        if manner.answer is Answer.LATER:
            ack = self._letters.acknowledgement(header)
            entry = replace(seen.entry, result="ACCEPTED", code=ACKNOWLEDGED)
            found = await self._journal.settle(taken, ack, entry, waits=sent.body)
            self.work.set()
            return Outcome(found.status, found.body)
        return await self._answer(_Task(taken, seen.entry, message, header, manner))

    async def _answer(self, task: _Task) -> Outcome:
        """Act on a message and answer it at once."""
        try:
            # A question changes nothing, so it need not wait until nobody else changes something.
            async with nullcontext() if _asks(task) else self._transactions.changing():
                found = await self._journal.answered(task.taken)
                if found is None:
                    done = await self._act(task)
                    found = await self._settle(task, success(done), done)
        except (CimError, RequestError, BusyError) as caught:
            error = _error_of(caught)
            if not error.fault.final:
                raise error from caught
            found = await self._settle(task, refusal(error), Done(), error)
        return Outcome(found.status, found.body)

    async def work_once(self) -> bool:
        """Act on one message that waits; return whether there was one.

        Raises:
            BusyError: The database cannot do it now.
        """
        if not await self._journal.waits():
            return False
        with correlated(""):
            return await self._work()

    async def _work(self) -> bool:
        task = None
        try:
            async with self._transactions.changing():
                waiting = await self._journal.waiting()
                if waiting is None:
                    return False
                task = _task_of(waiting)
                correlate(_mark(task.header))
                done = await self._act(task)
                await self._settle_later(task, success(done), done)
        except (CimError, RequestError, BusyError) as caught:
            error = _error_of(caught)
            if task is None:
                raise BusyError(str(error)) from caught
            if error.fault.final:
                await self._settle_later(task, refusal(error), Done())
            else:
                next_at = self._clock.now() + _AGAIN_S
                await self._journal.put_off(task.taken, ended(task.entry, error), next_at)
        return True

    async def _act(self, task: _Task) -> Done:
        action = _ACTIONS[Noun(task.header.noun), asks(task.header.verb)]
        return await action(self._means, Letter(task.taken, task.message, self._clock.now()))

    async def _settle(
        self, task: _Task, reply: Reply, done: Done, error: CimError | None = None
    ) -> Answered:
        body = self._letters.reply(task.header, reply, done.payload)
        answer = Answered(HTTPStatus.OK if error is None else error.fault.status, body)
        if task.manner.answer is Answer.NEVER and error is None:
            answer = Answered(HTTPStatus.ACCEPTED, b"")
        posts = await self._letters.posts(done.told)
        settled = await self._journal.settle(task.taken, answer, _told(task, reply), posts)
        if posts:
            self.post.set()
        return settled

    async def _settle_later(self, task: _Task, reply: Reply, done: Done) -> None:
        body = self._letters.reply(task.header, reply, done.payload)
        answer = self._letters.later(task.taken, task.header, body)
        posts = [*await self._letters.posts(done.told), answer]
        await self._journal.acted(task.taken, _told(task, reply), posts)
        self.post.set()

    def _check_time(self, header: Header) -> None:
        ahead = (header.timestamp or 0.0) - self._clock.now()
        if abs(ahead) > self._age_s:
            where = "ahead" if ahead > 0 else "back"
            reason = f"it lies {abs(ahead):.0f} s {where}; {self._age_s:.0f} s are let pass"
            raise CimError(Fault.POLICY, reason, "Header/Timestamp")


def _asks(task: _Task) -> bool:
    return task.header.verb is Verb.GET


def _mark(header: Header) -> str:
    """Return what the log knows a message by."""
    return sound(header.correlation_id or header.message_id)


def _task_of(waiting: Waiting) -> _Task:
    """Return what is to be done about a message that was taken before, and could be read then."""
    message = parse(waiting.body)
    header = message.header or Header(verb=Verb.REPLY, noun="")
    pattern = Pattern.EVENT if message.kind is Kind.EVENT else Pattern.SEND
    taken, digest = waiting.taken, digest_of(waiting.body)
    entry = Entry("in", taken.carrier, taken.peer, digest=digest, octets=len(waiting.body))
    entry = replace(entry_of(entry, header), pattern=pattern.value)
    return _Task(taken, entry, message, header, Manner(pattern, Answer.LATER))


def _told(task: _Task, reply: Reply) -> Entry:
    first = reply.problems[0]
    return replace(
        task.entry, result=reply.result.value, code=first.code, reason=first.reason or ""
    )


def _error_of(error: CimError | RequestError | BusyError) -> CimError:
    match error:
        case CimError():
            return error
        case BusyError():
            return CimError(Fault.BUSY, str(error))
        case UnknownItemError():
            return CimError(Fault.UNKNOWN, str(error))
        case ConflictError():
            return CimError(Fault.RELATION, str(error))
        case _:
            return CimError(Fault.NOT_TRIED, str(error))

"""One message, from octets to octets: read, judged, claimed, done, answered, written down."""

import asyncio
import logging
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from hems.headend.cim import group_actions, order_actions, query_actions
from hems.headend.cim.actions import Actions, Done, Letter, Means
from hems.headend.cim.entries import Answered, Claim, Entry, digest_of
from hems.headend.cim.envelope import Header, Kind, Message, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.journal import Journal
from hems.headend.cim.letters import (
    ACKNOWLEDGED,
    LONGEST_ID,
    Letters,
    ended,
    meaning,
    refusal,
    success,
)
from hems.headend.cim.nouns import USES, Noun, asks
from hems.headend.cim.patterns import Answer, Manner, Pattern, manner_of
from hems.headend.cim.peers import Peer
from hems.headend.cim.wire import parse
from hems.headend.errors import BusyError, ConflictError, RequestError, UnknownItemError

_AGAIN_S: Final = 2.0
"""When what could not be done is tried again, where it waits here."""
_ACTIONS: Final[Actions] = {
    **group_actions.ACTIONS,
    **order_actions.ACTIONS,
    **query_actions.ACTIONS,
}
_QUESTIONS: Final = frozenset({Noun.GROUP_QUERIES, Noun.STATUS_QUERIES})
"""Nouns that are questions themselves, which stand in the payload."""

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

    claim: Claim
    entry: Entry
    message: Message
    header: Header
    manner: Manner


class Service:
    """Takes messages.

    Args:
        journal: Trail and answers.
        means: What actions work on.
        letters: Writes what goes out.
        age_s: How far a message's time may be from now.

    Attributes:
        work: Set when something waits to be worked on.
        post: Set when something is to go out.
    """

    def __init__(self, journal: Journal, means: Means, letters: Letters, age_s: float) -> None:
        self._journal = journal
        self._means = means
        self._letters = letters
        self._age_s = age_s
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
        seen.entry = _entry(seen.entry, header)
        _admit(message, header, sent.peer)
        manner = manner_of(message.kind, header, answers=sent.answers)
        seen.entry = replace(seen.entry, pattern=manner.pattern.value)
        ack = None
        if manner.answer is Answer.LATER:
            sent.peer.check_address(header.reply_address or "")
            ack = self._letters.acknowledgement(header)
        claim = Claim(sent.peer.name, header.message_id or "", body=sent.body, carrier=sent.carrier)
        claimed = await self._journal.claim(claim, meaning(message), self._stale(header), ack)
        if isinstance(claimed, Answered):
            await self._journal.note(replace(seen.entry, result="REPEATED"))
            return Outcome(claimed.status, claimed.body)
        if ack is not None:
            await self._journal.note(replace(seen.entry, result="ACCEPTED", code=ACKNOWLEDGED))
            self.work.set()
            return Outcome(ack.status, ack.body)
        return await self._act(_Task(claimed, seen.entry, message, header, manner))

    async def work_once(self) -> bool:
        """Work on one message that waits; return whether there was one.

        Raises:
            BusyError: The database cannot do it now.
        """
        claim = await self._journal.waiting()
        if claim is None:
            return False
        digest = digest_of(claim.body)
        entry = Entry("in", claim.carrier, claim.peer, digest=digest, octets=len(claim.body))
        try:
            message = parse(claim.body)
            if message.header is None:
                raise CimError(Fault.FORM, "it has no header")
        except CimError as error:
            _log.error("an acknowledged message cannot be read any more: %s", error)
            await self._journal.settle(claim, None, ended(entry, error))
            return True
        pattern = Pattern.EVENT if message.kind is Kind.EVENT else Pattern.SEND
        entry = replace(_entry(entry, message.header), pattern=pattern.value)
        manner = Manner(pattern, Answer.LATER)
        await self._act(_Task(claim, entry, message, message.header, manner))
        return True

    async def _act(self, task: _Task) -> Outcome:
        done, error = Done(), None
        action = _ACTIONS[Noun(task.header.noun), asks(task.header.verb)]
        try:
            done = await action(self._means, Letter(task.claim, task.message))
        except CimError as caught:
            error = caught
        except BusyError as caught:
            error = CimError(Fault.BUSY, str(caught))
        except RequestError as caught:
            error = CimError(_fault_of(caught), str(caught))
        if error is None or error.fault.final:
            return await self._settle(task, done, error)
        later = task.manner.answer is Answer.LATER
        again_at = self._means.clock.now() + (_AGAIN_S if later else 0.0)
        await self._journal.release(task.claim, ended(task.entry, error), again_at)
        body = self._letters.reply(task.header, refusal(error))
        return Outcome(error.fault.status, body, final=False)

    async def _settle(self, task: _Task, done: Done, error: CimError | None) -> Outcome:
        reply = success(done) if error is None else refusal(error)
        body = self._letters.reply(task.header, reply, done.payload)
        outcome = Outcome(HTTPStatus.OK if error is None else error.fault.status, body)
        if task.manner.answer is Answer.NEVER and error is None:
            outcome = Outcome(HTTPStatus.ACCEPTED, b"")
        posts = list(await self._letters.posts(done.told))
        answer: Answered | None = Answered(outcome.status, outcome.body)
        if task.manner.answer is Answer.LATER:
            posts.append(self._letters.later(task.claim, task.header, body))
            answer = None
        first = reply.problems[0]
        entry = replace(
            task.entry, result=reply.result.value, code=first.code, reason=first.reason or ""
        )
        await self._journal.settle(task.claim, answer, entry, posts)
        if posts:
            self.post.set()
        return outcome

    def _stale(self, header: Header) -> CimError | None:
        ahead = (header.timestamp or 0.0) - self._means.clock.now()
        if abs(ahead) <= self._age_s:
            return None
        where = "ahead" if ahead > 0 else "back"
        reason = f"it lies {abs(ahead):.0f} s {where}; {self._age_s:.0f} s are let pass"
        return CimError(Fault.POLICY, reason, "Header/Timestamp")


def _entry(entry: Entry, header: Header) -> Entry:
    return replace(
        entry,
        source=header.source or "",
        message_id=(header.message_id or "")[:LONGEST_ID],
        correlation_id=(header.correlation_id or "")[:LONGEST_ID],
        verb=header.verb.value,
        noun=header.noun[:LONGEST_ID],
    )


def _admit(message: Message, header: Header, peer: Peer) -> None:
    """Refuse what this sender may not say, or not so."""
    noun = next((each for each in Noun if each.value == header.noun), None)
    if noun is None:
        reason = f"{header.noun[:60]!r} is none of {', '.join(Noun)}"
        raise CimError(Fault.NOUN, reason, "Header/Noun")
    right = USES[noun].verbs.get(header.verb)
    if right is None:
        reason = f"{header.verb.value} is not for {noun}; there are {', '.join(USES[noun].verbs)}"
        raise CimError(Fault.VERB, reason, "Header/Verb")
    if right not in peer.may:
        reason = f"{peer.name} may not {header.verb.value} {noun}: it has no right {right}"
        raise CimError(Fault.FORBIDDEN, reason, "Header/Verb")
    if header.source != peer.source:
        reason = f"{header.source or 'nobody'!r} is not {peer.source!r}, who sends it"
        raise CimError(Fault.SOURCE, reason, "Header/Source")
    if not header.message_id or len(header.message_id) > LONGEST_ID:
        reason = f"a message needs an id of its own, at most {LONGEST_ID} characters long"
        raise CimError(Fault.HEADER, reason, "Header/MessageID")
    if header.timestamp is None:
        raise CimError(Fault.HEADER, "a message needs its time", "Header/Timestamp")
    _check_parts(message, noun, header.verb)


def _check_parts(message: Message, noun: Noun, verb: Verb) -> None:
    """Refuse a payload or a question of another noun's, or where there is none."""
    use = USES[noun]
    payload, query = message.payload, message.query
    if payload is not None and (
        not isinstance(payload, use.form.record) or (verb is Verb.GET and noun not in _QUESTIONS)
    ):
        reason = f"{type(payload).__name__} is not for {verb.value} {noun}"
        raise CimError(Fault.RELATION, reason, "Payload")
    if query is not None and (
        verb is not Verb.GET or use.query is None or not isinstance(query, use.query.record)
    ):
        reason = f"{type(query).__name__} is not for {verb.value} {noun}"
        raise CimError(Fault.RELATION, reason, "Request")


def _fault_of(error: RequestError) -> Fault:
    if isinstance(error, UnknownItemError):
        return Fault.UNKNOWN
    if isinstance(error, ConflictError):
        return Fault.RELATION
    return Fault.NOT_TRIED

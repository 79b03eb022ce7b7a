"""What goes out: replies, acknowledgements, events for those who want to know."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from hems.clock import Clock
from hems.headend.cim.actions import Done, Told
from hems.headend.cim.entries import Answered, Entry, Post, Taken, digest_of
from hems.headend.cim.envelope import (
    REVISION,
    Header,
    Kind,
    Level,
    Message,
    Problem,
    Reply,
    Result,
    Verb,
)
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.patterns import Pattern
from hems.headend.cim.subscriptions import Subscriptions
from hems.headend.cim.wire import serialize
from hems.sep2.xml import MAX_BODY

LONGEST_ID: Final = 128
OK: Final = "0.0"
ACKNOWLEDGED: Final = "0.3"


class Letters:
    """Writes what goes out.

    Args:
        source: Source in the headers.
        clock: The head-end's time.
        subscriptions: Who is told of what.
    """

    def __init__(self, source: str, clock: Clock, subscriptions: Subscriptions) -> None:
        self._source = source
        self._clock = clock
        self._subscriptions = subscriptions

    def reply(self, asked: Header | None, reply: Reply, payload: object | None = None) -> bytes:
        """Return a reply; a fault where not even the header could be read.

        Raises:
            CimError: It would be longer than anybody takes.
        """
        if asked is None:
            return serialize(Message(Kind.FAULT, reply=reply))
        header = self._header(Verb.REPLY, asked.noun, asked.correlation_id or asked.message_id)
        body = serialize(Message(Kind.RESPONSE, header, reply=reply, payload=payload))
        if len(body) > MAX_BODY:
            reason = f"the answer would be {len(body)} octets long; ask for less"
            raise CimError(Fault.TOO_MANY, reason)
        return body

    def acknowledgement(self, asked: Header) -> Answered:
        """Return what is answered at once where the answer follows."""
        problem = Problem(code=ACKNOWLEDGED, level=Level.INFORM, reason="taken; the answer follows")
        reply = Reply(result=Result.OK, problems=(problem,))
        return Answered(HTTPStatus.ACCEPTED, self.reply(asked, reply))

    def later(self, taken: Taken, asked: Header, body: bytes) -> Post:
        """Return an answer that goes to a reply address."""
        entry = self._entry(taken.peer, body)
        entry = replace(
            entry,
            # An answer has the id of what was asked: brought twice, it is one answer.
            message_id=f"reply-{taken.message_id}"[:LONGEST_ID],
            correlation_id=asked.correlation_id or taken.message_id,
            verb=Verb.REPLY.value,
            noun=asked.noun,
            pattern=Pattern.SEND.value,
        )
        return Post(asked.reply_address or "", entry.message_id, body, entry)

    async def posts(self, told: Sequence[Told]) -> Sequence[Post]:
        """Return what goes out to those who want to know of something.

        Raises:
            BusyError: The database cannot say who wants to.
        """
        found: list[Post] = []
        for each in told:
            wanted = await self._subscriptions.of(each.noun)
            if not wanted:
                continue
            header = self._header(each.verb, each.noun, None)
            body = serialize(Message(Kind.EVENT, header, payload=each.payload))
            for subscription in wanted:
                entry = replace(
                    self._entry(subscription.peer, body),
                    message_id=header.message_id or "",
                    verb=each.verb.value,
                    noun=each.noun.value,
                    pattern=Pattern.PUBLISH.value,
                )
                found.append(Post(subscription.address, entry.message_id, body, entry))
        return found

    def _header(self, verb: Verb, noun: str, correlation_id: str | None) -> Header:
        return Header(
            verb=verb,
            noun=noun,
            revision=REVISION,
            timestamp=float(int(self._clock.now())),
            source=self._source,
            message_id=str(uuid.uuid4()),
            correlation_id=correlation_id,
        )

    def _entry(self, peer: str, body: bytes) -> Entry:
        digest = digest_of(body)
        return Entry(
            "out", "", peer, self._source, digest=digest, octets=len(body), result="QUEUED"
        )


def meaning(message: Message) -> str:
    """Return a digest of what a message says, however it is written and whenever it was sent."""
    header = message.header
    if header is not None:
        header = replace(header, timestamp=None, replay_detection=None)
    return digest_of(serialize(replace(message, header=header)))


def success(done: Done) -> Reply:
    """Return the reply to what was done."""
    problems = done.problems or (Problem(code=OK),)
    return Reply(result=done.result, problems=problems, ids=done.ids)


def refusal(error: CimError) -> Reply:
    """Return the reply to what was not done."""
    problem = Problem(
        code=error.fault.code,
        level=Level.FATAL if error.fault.final else Level.WARNING,
        reason=error.reason,
        xpath=error.where or None,
    )
    return Reply(result=Result.FAILED, problems=(problem,))


def ended(entry: Entry, error: CimError) -> Entry:
    """Return the row of a message that was refused."""
    return replace(entry, result=Result.FAILED.value, code=error.fault.code, reason=str(error))

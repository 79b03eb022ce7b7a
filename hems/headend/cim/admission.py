"""Who may say what: refusals that need nothing but the message and who sends it (pure)."""

from dataclasses import replace
from typing import Final

from hems.headend.cim.entries import Entry
from hems.headend.cim.envelope import Header, Message, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.letters import LONGEST_ID
from hems.headend.cim.nouns import USES, Noun
from hems.headend.cim.peers import Peer

_QUESTIONS: Final = frozenset({Noun.GROUP_QUERIES, Noun.STATUS_QUERIES})
"""Nouns that are questions themselves, which stand in the payload."""


def entry_of(entry: Entry, header: Header) -> Entry:
    """Return a message's row of the trail with what its header says."""
    return replace(
        entry,
        source=header.source or "",
        message_id=(header.message_id or "")[:LONGEST_ID],
        correlation_id=(header.correlation_id or "")[:LONGEST_ID],
        verb=header.verb.value,
        noun=header.noun[:LONGEST_ID],
    )


def admit(message: Message, header: Header, peer: Peer) -> None:
    """Refuse what this sender may not say, or not so.

    Raises:
        CimError: The first thing that it may not.
    """
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

"""`hems event proposals|confirm|withdraw`: orders that need a second person."""

import argparse
from urllib.parse import urlencode

from pydantic import JsonValue

from hems.commands.operator import OperatorError, Told, ask, part, plain, when
from hems.commands.order import order
from hems.commands.output import fail


class Proposal(Told):
    """An order that waits for a second person, as the head-end tells it; times in epoch s."""

    id: str
    state: str
    order: dict[str, JsonValue]
    proposed_by: str
    lapses_at: float
    why: str
    homes: int
    reached: int
    decided_by: str | None
    event: str | None


class _Proposals(Told):
    proposals: list[Proposal]


class _Event(Told):
    id: str
    state: str


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    number = options.id
    try:
        if options.action == "proposals":
            return _list(options)
        if number is None:
            return fail(f"say which: hems event {options.action} ID (hems event proposals)")
        place = f"/proposals/{part(number)}/{options.action}"
        if options.action == "confirm":
            event = order(options, place, _Event)
            print(f"{event.id}  {event.state}")
        else:
            done = order(options, place, Proposal, {"reason": options.reason})
            print(line(done))
    except OperatorError as error:
        return fail(str(error))
    return 0


def line(proposal: Proposal) -> str:
    """Return a proposal in one line."""
    asked = ", ".join(f"{key} {plain(str(value))}" for key, value in proposal.order.items())
    reach = f"{proposal.reached} of {proposal.homes} homes"
    match proposal.state:
        case "proposed":
            how = f"waits until {when(proposal.lapses_at)} for a second person: {proposal.why}"
        case "lapsed":
            how = f"since {when(proposal.lapses_at)}"
        case _:
            by = plain(proposal.decided_by or "")
            how = f"by {by}" + (f", event {proposal.event}" if proposal.event else "")
    who = plain(proposal.proposed_by)
    return f"{proposal.id}  {proposal.state}  {asked} for {reach}, by {who}; {how}"


def _list(options: argparse.Namespace) -> int:
    query = "" if options.id is None else "?" + urlencode({"state": options.id})
    found = ask(options.operator, "GET", f"/proposals{query}", _Proposals).proposals
    for proposal in found:
        print(line(proposal))
    if not found:
        print("no proposals")
    return 0

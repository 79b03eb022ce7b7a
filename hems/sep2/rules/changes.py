"""What others change of a live event: its server edits it, or another server takes modes from it.

Pure, as `hems.sep2.rules.lifecycle`, which tells what the passing of time does to it.
"""

from dataclasses import replace

from hems.sep2.rules.events import Event, Status
from hems.sep2.rules.lifecycle import (
    Code,
    Owed,
    Phase,
    Profile,
    Progress,
    Step,
    asked_for,
    fitting,
    named,
    refusal,
)
from hems.sep2.rules.sanity import nonsense


def amend(progress: Progress, event: Event, profile: Profile, now: float) -> tuple[Step, str]:
    """Take in what a server now says of a live event.

    A server may only change an event's status; what else it changes is obeyed all the same, being
    its latest wish, unless it is nonsense or beyond this home. Then the event stays as it was,
    the refusal is answered, and no more than its status, programme and answering are taken over,
    so that it can still be cancelled. Draws, choices and what was refused on receipt stay.

    Returns:
        The event's life from now on, and why the change was refused, empty if it was not.
    """
    held = progress.held
    if event.device_category and not event.device_category & profile.device_category:
        # No longer meant for this home, which has no more to say of it.
        over = replace(event, status=Status.CANCELLED, status_time=int(now), reply_to=None)
        return Step(replace(progress, held=replace(held, event=over))), ""
    stays = replace(
        held.event,
        program=event.program,
        status=event.status,
        status_time=event.status_time,
        response_required=event.response_required,
        reply_to=event.reply_to,
    )
    if event.status.revoked:  # what it was no longer matters
        return Step(replace(progress, held=replace(held, event=stays))), ""
    same = event.modes == held.event.modes
    able = fitting(event, profile)
    refused = frozenset[str]() if same else frozenset(event.modes) - able
    code, reason = refusal(event, refused, profile)
    wrong = nonsense(event, profile.longest_s)
    if wrong:
        code, reason, refused = Code.INVALID, wrong, frozenset(event.modes)
    if wrong or (refused and not (able and profile.answers_by_mode)):
        changed = replace(held, event=stays)
    else:
        changed = replace(held, event=event, modes=held.modes if same else able)
    if not (wrong or refused):
        return Step(replace(progress, held=changed)), ""
    due = [Owed(code, now, named(refused, profile))]
    return Step(replace(progress, held=changed), asked_for(stays, due, profile)), reason


def concede(
    progress: Progress,
    modes: frozenset[str],
    profile: Profile,
    now: float,
    *,
    by_server: bool = True,
    by_program: bool = False,
    refused: bool = False,
) -> Step:
    """Give modes up: to another event (see `hems.sep2.rules.merge`), or as no device takes them.

    Args:
        progress: The event's life so far.
        modes: What was lost.
        profile: How the utility wants to be answered; without codes 13 and 14 it is told 7.
        now: Server's clock.
        by_server: Whether that event is another server's.
        by_program: Whether it is another programme's.
        refused: Whether there is no such event: what was accepted proved not to be applicable.
    """
    held = progress.held
    mine = frozenset(m for m in held.event.modes if held.sets(m))
    lost = mine & modes
    if not lost or progress.phase.over:
        return Step(progress)
    left = mine - lost
    code, ended = Code.SUPERSEDED, Phase.SUPERSEDED
    if refused:
        code, ended = Code.NOT_APPLICABLE, Phase.REJECTED
    elif by_server and Code.SUPERSEDED_BY_SERVER in profile.codes:
        code = Code.SUPERSEDED_BY_SERVER
    elif not by_server and by_program and Code.SUPERSEDED_BY_PROGRAM in profile.codes:
        code = Code.SUPERSEDED_BY_PROGRAM
    due = [Owed(code, now, named(lost, profile))]
    if left and not profile.answers_by_mode:
        due = []  # one answer for the event, which still stands
    phase = progress.phase if left else ended
    conceded = replace(progress, held=replace(held, modes=left), phase=phase)
    return Step(conceded, asked_for(held.event, due, profile))

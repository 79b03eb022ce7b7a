"""From proposals to one decision: what each target must keep to, and whose word that is.

Pure: the same proposals in any order give the same decision. A weaker rank narrows what stronger
ones left open and never widens it; where it asks for something outside, it gives way to the
nearest edge, and the decision says so in words.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from programs.proposal import Bounds, Proposal, Rank

OPEN: Final = Bounds()
"""No bound at all."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bounds, with who set each edge.

    Attributes:
        bounds: The power in W that may be had, passive sign.
        lower_by: Whose word the lower edge is; None where nobody asked.
        upper_by: Whose word the upper edge is; None where nobody asked.
    """

    bounds: Bounds = OPEN
    lower_by: Proposal | None = None
    upper_by: Proposal | None = None

    def meets(self, bounds: Bounds) -> bool:
        """Return whether some power lies in both."""
        return bounds.lower_w <= self.bounds.upper_w and bounds.upper_w >= self.bounds.lower_w

    def cut(self, bounds: Bounds, by: Proposal | None) -> "Span":
        """Return the span narrowed by a weaker wish; where they do not meet, the nearest edge."""
        cut = bounds.within(self.bounds)
        return Span(
            cut,
            by if cut.lower_w > self.bounds.lower_w else self.lower_by,
            by if cut.upper_w < self.bounds.upper_w else self.upper_by,
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What holds for the home or one device.

    Attributes:
        span: What it must keep to, all ranks together.
        firm: What ranks down to `Rank.ACCEPTED` alone demand: all that comes from outside.
        urgent: What ranks down to `Rank.EMERGENCY` alone demand; for these, minimum times and
            comfort give way.
        safe: What `Rank.SAFETY` alone demands: for it, loads that nothing else may shed give way.
        preferred_w: The power it should have, inside the span; None for no preference.
        preferred_by: Whose preference it is.
        disconnect_by: Whose word it is that it opens its switch; None where nobody asks that.
        capped_by: Who set the strongest upper limit that is not safety's, even where safety's is
            the stricter; None where nobody did.
    """

    span: Span = field(default_factory=Span)
    firm: Span = field(default_factory=Span)
    urgent: Span = field(default_factory=Span)
    safe: Span = field(default_factory=Span)
    preferred_w: float | None = None
    preferred_by: Proposal | None = None
    disconnect_by: Proposal | None = None
    capped_by: Proposal | None = None

    @property
    def urgently(self) -> "Target":
        """The target with the words of safety and emergencies alone."""
        cause, wish = self.disconnect_by, self.preferred_by
        urgent = Target(self.urgent, self.urgent, self.urgent, self.safe)
        if wish is not None and wish.rank <= Rank.EMERGENCY:
            urgent = replace(urgent, preferred_w=self.preferred_w, preferred_by=wish)
        if cause is not None and cause.rank <= Rank.EMERGENCY:
            urgent = replace(urgent, disconnect_by=cause)
        return urgent


@dataclass(frozen=True, slots=True)
class Refusal:
    """A proposal that was not met, or not in full, and why in one sentence."""

    proposal: Proposal
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the arbiter made of all proposals.

    Attributes:
        at: UTC epoch seconds for which it was made.
        targets: By target, only those that somebody asked something of.
        refusals: What gave way, and why.
    """

    at: float
    targets: Mapping[str, Target] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()

    def of(self, target: str) -> Target:
        """Return what holds for a target; no bounds where nobody asked."""
        return self.targets.get(target, _FREE)

    @property
    def urgently(self) -> "Decision":
        """The decision as it would be if safety and emergencies alone had a word."""
        return replace(
            self, targets={name: target.urgently for name, target in self.targets.items()}
        )


_FREE: Final = Target()


def arbitrate(proposals: Iterable[Proposal], now: float) -> Decision:
    """Return the decision on all proposals that are still valid.

    Args:
        proposals: From every programme, in any order.
        now: UTC epoch seconds; a proposal that expires at or before it is void.
    """
    targets: dict[str, Target] = {}
    refusals: list[Refusal] = []
    for proposal in sorted(proposals, key=_order):
        fault = _fault(proposal, now)
        if fault is not None:
            refusals.append(Refusal(proposal, fault))
            continue
        before = targets.get(proposal.target, _FREE)
        if not before.span.meets(proposal.bounds):
            refusals.append(Refusal(proposal, _gave_way(proposal, before.span)))
        targets[proposal.target] = _apply(before, proposal)
    return Decision(now, {name: _settle(target) for name, target in targets.items()}, (*refusals,))


def _order(proposal: Proposal) -> tuple[object, ...]:
    """Return a total order: the rank decides, the rest only makes it independent of the input."""
    return (
        proposal.rank,
        proposal.source,
        proposal.cause,
        proposal.target,
        proposal.bounds.lower_w,
        proposal.bounds.upper_w,
        math.inf if proposal.preferred_w is None else proposal.preferred_w,
        proposal.expires_at,
    )


def _fault(proposal: Proposal, now: float) -> str | None:
    """Return why a proposal is void; None if it is not."""
    bounds = proposal.bounds
    if now >= proposal.expires_at:
        return "expired"
    # Written so that a bound that is not a number fails the comparison.
    if not bounds.lower_w <= bounds.upper_w:
        return f"its bounds make no sense: {bounds.lower_w:g} to {bounds.upper_w:g} W"
    if bounds.lower_w == math.inf or bounds.upper_w == -math.inf:
        return "its bounds leave no finite power"
    if proposal.preferred_w is not None and not math.isfinite(proposal.preferred_w):
        return f"its preferred power makes no sense: {proposal.preferred_w:g} W"
    return None


def _apply(before: Target, proposal: Proposal) -> Target:
    """Return a target with one more proposal, weaker than or equal to those before it."""
    span = before.span.cut(proposal.bounds, proposal)
    after = replace(before, span=span)
    if proposal.rank <= Rank.ACCEPTED:
        after = replace(after, firm=span)
    if proposal.rank <= Rank.EMERGENCY:
        after = replace(after, urgent=span)
    if proposal.rank is Rank.SAFETY:
        after = replace(after, safe=span)
    caps = proposal.rank > Rank.SAFETY and math.isfinite(proposal.bounds.upper_w)
    if caps and before.capped_by is None:
        after = replace(after, capped_by=proposal)
    if proposal.disconnect and before.disconnect_by is None:
        after = replace(after, disconnect_by=proposal)
    if before.preferred_w is None and proposal.preferred_w is not None:
        after = replace(after, preferred_w=proposal.preferred_w, preferred_by=proposal)
    return after


def _settle(target: Target) -> Target:
    """Return the target with its preference inside its span."""
    if target.preferred_w is None:
        return target
    return replace(target, preferred_w=target.span.bounds.clamp(target.preferred_w))


def _gave_way(proposal: Proposal, span: Span) -> str:
    below = proposal.bounds.upper_w < span.bounds.lower_w
    winner = span.lower_by if below else span.upper_by
    edge_w = span.bounds.lower_w if below else span.bounds.upper_w
    asked_w = proposal.bounds.upper_w if below else proposal.bounds.lower_w
    who = "the stronger wish" if winner is None else f"{winner.source} ({winner.rank.name})"
    which, held = ("at most", "at or above") if below else ("at least", "at or below")
    return (
        f"{proposal.source} ({proposal.rank.name}) asks {proposal.target} for {which} "
        f"{asked_w:g} W, but {who} holds it {held} {edge_w:g} W"
    )

"""Where whole numbers are open, how they are rounded, and how a search splits there. Pure."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hems.cem.planner.milp.model import Floats, Indices, Kind, Programme, Pulse

WHOLE: Final = 1e-6
"""How far from a whole number counts as whole."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A part of the tree: bounds on the D discrete columns, and what is known of it.

    Attributes:
        lower: (D,)
        upper: (D,)
        bound: No objective in it is better.
    """

    lower: Floats
    upper: Floats
    bound: float = -np.inf


@dataclass(frozen=True, slots=True)
class Discrete:
    """The D columns of a programme that are whole, or none or at least something.

    Attributes:
        columns: (D,) Their numbers.
        semi: (D,) Whether each is none or at least something; else it is whole.
        least: (D,) What it is at least, if anything; 1 for one that is whole.
        root: With the bounds of the programme.
        choices: Sets of them of which one is 1, as places among the D, in order of time.
        chosen: (D,) Whether it is in one of those sets.
        pulses: Places of what goes on and off, with its least times.
    """

    columns: Indices
    semi: NDArray[np.bool_]
    least: Floats
    root: Branch
    choices: tuple[NDArray[np.intp], ...]
    chosen: NDArray[np.bool_]
    pulses: tuple[tuple[NDArray[np.intp], Pulse], ...]

    def open(self, values: Floats) -> NDArray[np.intp]:
        """Return the places, sets of choice apart, at which `values` (D,) are not allowed."""
        below = self.semi & (values > WHOLE) & (values < self.least - WHOLE)
        loose = ~self.semi & ~self.chosen & (np.abs(values - np.round(values)) > WHOLE)
        return np.flatnonzero(below | loose)

    def rounded(self, values: Floats, branch: Branch) -> Branch:
        """Return the branch in which nothing is open any more.

        Of a choice the likeliest is taken, a car that charges at all does so, and what goes on and
        off follows what it was to do on the mean.
        """
        on = (values > WHOLE) & (branch.upper > 0)
        whole = np.clip(np.round(values), branch.lower, branch.upper)
        lower = np.where(self.semi, np.where(on, self.least, 0.0), whole)
        upper = np.where(self.semi, np.where(on, branch.upper, 0.0), whole)
        for places, pulse in self.pulses:
            lower[places] = upper[places] = pulsed(
                values[places], pulse, branch.lower[places], branch.upper[places]
            )
        for choice in self.choices:
            likely = np.where(branch.upper[choice] > 0, values[choice], -1.0)
            lower[choice] = upper[choice] = 0.0
            one = choice[np.argmax(likely)]
            lower[one] = upper[one] = 1.0
        return Branch(lower, upper, branch.bound)

    def split(self, branch: Branch, values: Floats) -> tuple[Branch, ...]:
        """Return the two halves of a branch, the likelier last; none if nothing is open."""
        for choice in self.choices:
            if values[choice].max() < 1.0 - WHOLE:
                return _in_time(branch, choice, values[choice])
        places = self.open(values)
        if not len(places):
            return ()
        share = values[places] / self.least[places]
        nearest = np.argmin(np.abs(share - 0.5))
        one = places[nearest]
        upper, lower = branch.upper.copy(), branch.lower.copy()
        upper[one], lower[one] = 0.0, self.least[one]
        halves = (replace(branch, upper=upper), replace(branch, lower=lower))
        return halves if share[nearest] >= 0.5 else halves[::-1]  # noqa: PLR2004 -- a half


def discrete(programme: Programme) -> Discrete:
    """Return the discrete columns of a programme."""
    columns = np.flatnonzero(programme.kind != Kind.ANY).astype(np.int32)
    semi = programme.kind[columns] == Kind.NONE_OR_LEAST
    choices = tuple(np.searchsorted(columns, choice) for choice in programme.choices)
    chosen = np.zeros(len(columns), bool)
    for choice in choices:
        chosen[choice] = True
    return Discrete(
        columns=columns,
        semi=semi,
        least=np.where(semi, programme.least[columns], 1.0),
        root=Branch(programme.lower[columns], programme.upper[columns]),
        choices=choices,
        chosen=chosen,
        pulses=tuple((np.searchsorted(columns, one.columns), one) for one in programme.pulses),
    )


def pulsed(values: Floats, pulse: Pulse, lower: Floats, upper: Floats) -> Floats:
    """Return when to be on so that what it does is never behind `values` (T,), 0 to 1.

    It goes on when it would fall behind, and off when it is far enough ahead for as long as it then
    stays off; both as its least times and the bounds allow.
    """
    on, stays, ahead = pulse.was_on, 0, 0.0
    states = np.zeros(len(values))
    for slot in range(len(values)):
        left = ahead
        for value in values[slot : slot + (pulse.least_off if on else 1)]:
            left = pulse.kept * left - value
        free = stays <= 0 or lower[slot] == upper[slot]
        wants = left < -WHOLE if free else on
        goes_on = min(max(float(wants), lower[slot]), upper[slot]) > 0
        if goes_on != on:
            on, stays = goes_on, pulse.least_on if goes_on else pulse.least_off
        stays -= 1
        states[slot] = on
        ahead = pulse.kept * ahead + on - values[slot]
    return states


def _in_time(branch: Branch, choice: NDArray[np.intp], share: Floats) -> tuple[Branch, ...]:
    """Split a choice into sooner and later, at its mean, each with something in it."""
    some = np.flatnonzero(share > WHOLE)
    mean = int(share @ np.arange(len(share)) / share.sum())
    place = min(max(mean, int(some[0])), int(some[-1]) - 1) + 1
    sooner, later = branch.upper.copy(), branch.upper.copy()
    sooner[choice[place:]] = 0.0
    later[choice[:place]] = 0.0
    halves = (replace(branch, upper=later), replace(branch, upper=sooner))
    return halves if share[:place].sum() >= share[place:].sum() else halves[::-1]

"""Where curves come from: the list of a programme, or the curve itself as a control names it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hems.sep2 import resources as res
from hems.sep2.book.controls import Control, curve_modes
from hems.sep2.book.curves import named
from hems.sep2.errors import PermanentError, RejectedError, TransientError, TrustError
from hems.sep2.rules.events import Program
from hems.sep2.walk.trip import BaseStop, Trip, skip
from hems.sep2.walk.walker import Visit

_log = logging.getLogger(__name__)

C = TypeVar("C", bound=Control | res.DefaultDERControl)


@dataclass(frozen=True, slots=True)
class CurvesStop(BaseStop):
    """DERCurveList of one programme."""

    program: Program

    async def visit(self) -> Visit:
        """Take the whole list in."""
        got = await self.trip.transport.get_list(self.href, res.DERCurveList, on_bad=skip)
        audience = self.trip.audience(self.href)
        for each in audience:
            await each.engine.set_curves(self.program, got.der_curve, complete=True)
        self.trip.told(self.href, audience)
        return Visit()


async def read_curves(
    trip: Trip, href: str, program: Program, controls: Sequence[Control | res.DefaultDERControl]
) -> Mapping[str, TransientError]:
    """Read the curves that controls name and that are not known, before these are judged.

    Args:
        trip: See `Trip`.
        href: Where the controls are.
        program: Whose they are.
        controls: As read.

    Returns:
        Why a curve cannot be read now, by its href. One that the server does not have, or that is
        illegible, is not among them: what names it is refused.

    Raises:
        TrustError: The server is not trusted any more.
    """
    audience = trip.audience(href)
    missing = frozenset[str]().union(*(e.engine.missing_curves(controls) for e in audience))
    failed: dict[str, TransientError] = {}
    found: list[res.DERCurve] = []
    for curve in sorted(missing):
        try:
            found.append(replace(await trip.transport.get(curve, res.DERCurve), href=curve))
        except TransientError as error:
            failed[curve] = error
        except TrustError:
            raise
        except (PermanentError, RejectedError) as error:
            _log.warning("curve %s cannot be had: %s", curve, error)
    if found:
        for each in audience:
            await each.engine.set_curves(program, found, complete=False)
    return failed


def without(controls: Sequence[C], failed: Mapping[str, TransientError]) -> Sequence[C]:
    """Return the controls that name none of the curves that cannot be read now."""
    if not failed:
        return controls
    return [c for c in controls if failed.keys().isdisjoint(named(curve_modes(c)).values())]

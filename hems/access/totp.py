"""Codes that change with the clock (TOTP, RFC 6238): six digits, a new one each 30 s. Pure."""

import hmac
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from hems.on_demand import on_demand

if TYPE_CHECKING:
    import pyotp
else:  # for homes where somebody uses such codes
    pyotp = on_demand("pyotp")

STEP_S: Final = 30
DIGITS: Final = 6
_ISSUER: Final = "Home energy"
_NEAR: Final = (0, -1, 1)
"""Clocks that differ by a step are near enough (RFC 6238, 5.2)."""


class Kept(BaseModel):
    """What is kept of it, as JSON.

    Attributes:
        secret: What both sides know, base 32.
        step: The last step whose code was taken; none of it or before counts again.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    secret: str
    step: int


def make() -> str:
    """Return a new secret: 160 bits, base 32 (RFC 4226, 4, R6)."""
    return pyotp.random_base32()


def address(secret: str, name: str) -> str:
    """Return what a phone's app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=_ISSUER)


def code_at(secret: str, at: float) -> str:
    """Return the code of a time, UTC epoch seconds."""
    return pyotp.TOTP(secret).at(int(at))


def step_of(kept: Kept, typed: str, now: float) -> int | None:
    """Return the step whose code was typed.

    Args:
        kept: What is kept.
        typed: As it was typed: blanks make no difference.
        now: UTC epoch seconds.

    Returns:
        The step, counted since the epoch; None if it is no code of now, or was used before.
    """
    digits = "".join(typed.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    present = int(now // STEP_S)
    found = None
    for near in _NEAR:  # all of them, whichever fits: no clock tells which it was
        step = present + near
        if (
            step > kept.step
            and step >= 0
            and hmac.compare_digest(code_at(kept.secret, step * STEP_S), digits)
        ):
            found = step
    return found

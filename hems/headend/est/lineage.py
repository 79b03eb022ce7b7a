"""Which enrolments belong together; pure."""

from collections.abc import Collection, Sequence

from certs.hwname import HardwareName
from hems.headend.errors import ForbiddenError
from hems.headend.est.policy import Request, Shown
from hems.headend.est.records import Code, Enrolment


def line_from(every: Collection[Enrolment], own: str) -> Sequence[Enrolment]:
    """Return the enrolment of an LFDI, and those that take its place one after another.

    Args:
        every: All enrolments.
        own: The LFDI.
    """
    names, line = {own}, list[Enrolment]()
    while found := [
        each
        for each in every
        if each not in line and (each.lfdi in names or each.replaces in names)
    ]:
        line += found
        names |= {each.lfdi for each in found if each.lfdi}
    return line


def check_same(found: Enrolment, code: Code | None, shown: Shown | None, request: Request) -> None:
    """Check that whoever asks with a key again is who asked with it first.

    Args:
        found: What that key asked for at first.
        code: The code that it comes with now; None for none.
        shown: The certificate that it shows now; None for none.
        request: What it asks for now.

    Raises:
        ForbiddenError: It is somebody else.
    """
    by_code = code is not None and found.code == code.id
    by_name = (
        shown is not None
        and not found.replaces
        and (found.kind, found.serial) == (shown.name.kind, shown.name.serial.hex())
    )
    if not (by_code or by_name):
        raise ForbiddenError("the key of the request is another device's")
    name = HardwareName(found.kind, bytes.fromhex(found.serial))
    if request.name not in {None, name}:
        raise ForbiddenError("the request names other hardware than before")

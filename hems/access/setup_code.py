"""The code by which the first account can be made from elsewhere than the hub's own machine."""

import logging
from pathlib import Path
from typing import Final

from der.sentence import say
from hems.access import private_file, random_token
from hems.access.brake import Brake, Count
from hems.access.errors import WrongError
from hems.access.proofs import Place, too_often
from hems.clock import Clock

_log = logging.getLogger(__name__)

_CODE_FREE: Final = 5
_CODE_LONGEST_S: Final = 60.0


class SetupCode:
    """The code by which the first account can be made from elsewhere than the hub's machine.

    It lies in a file that only the hub's user can read, and is logged, until it has been used.

    Args:
        path: Where it lies.
        clock: Where the time comes from.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._code: str | None = None
        self._brake = Brake()

    def show(self) -> None:
        """Make one and show it on this machine."""
        self._code = random_token.make_code()
        _log.info("set-up code for the first account, asked for elsewhere: %s", self._code)
        try:
            private_file.write(self._path, f"{self._code}\n")
        except (OSError, private_file.ExposedError) as error:
            _log.warning("`hems setup-code` cannot show the code: %s", error)

    def forget(self) -> None:
        """Have it mean nothing any more."""
        self._code = None
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("%s: a code that means nothing any more stays: %s", self._path, error)

    def check(self, typed: str, place: Place) -> None:
        """Refuse what is not the code.

        Raises:
            WrongError: It is another.
            TooOftenError: It was tried too often.
        """
        counted = (
            Count(("origin", place.origin), _CODE_FREE, _CODE_LONGEST_S),
            Count(("all",), 2 * _CODE_FREE, _CODE_LONGEST_S / 2),
        )
        now = self._clock.monotonic()
        wait_s = self._brake.wait_s(counted, now)
        if wait_s > 0:
            raise too_often(wait_s)
        self._brake.begin(counted, now)
        if self._code is None or not random_token.same_code(typed, self._code):
            raise WrongError(say("That is not the code that the hub shows."))
        self._brake.passed(counted)

"""The firewall's helper: the one process that may change the machine's packet filter.

It knows no home and reads no configuration. It takes typed rules from one user over a socket that
only that user can open, checks them, makes the ruleset itself, and hands it to Debian's `nft`. It
serves one caller at a time, each for a short while, so that nobody can make it grow or hang.
"""

import json
import logging
import os
import socket
import stat
import struct
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from hems.emg.firewall.ruleset import (
    FAMILY,
    TABLE,
    Json,
    ListingError,
    added,
    flushed,
    ruleset,
    stopped,
)
from hems.emg.firewall.wire import LONGEST, Order, Rules, State, Stopped

_log = logging.getLogger(__name__)

NFT: Final = ("/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft")
CALLER_S: Final = 2.0
"""Nobody who calls keeps the helper for longer before the order is read whole."""
_NFT_S: Final = 10.0
_WAITING: Final = 8
_PEER: Final = struct.Struct("3i")
_ENVIRONMENT: Final = {"LANG": "C", "PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}


class HelperError(Exception):
    """It cannot start, or nft refuses; `str()` says why."""


def nft_there() -> str:
    """Return where nft is.

    Raises:
        HelperError: It is not installed.
    """
    found = next((path for path in NFT if os.access(path, os.X_OK)), None)
    if found is None:
        raise HelperError("nft is not installed: apt-get install nftables")
    return found


@dataclass(slots=True)
class Filter:
    """Our table in the kernel.

    Attributes:
        nft: Where nft is.
        before: What was stopped by rules that have been replaced since.
    """

    nft: str
    before: tuple[Stopped, ...] = ()

    def carry_out(self, order: Order) -> State:
        """Do what is asked, and return what holds then.

        Raises:
            HelperError: nft refuses; all is as it was.
        """
        if order.ask == "set":
            self._set(order.rules or Rules())
        elif order.ask == "flush":
            self._run("-j", "-f", "-", given=flushed())
            self.before = ()
        return self._state()

    def _set(self, rules: Rules) -> None:
        former = self._state()
        self._run("-j", "-f", "-", given=ruleset(rules))
        names = {each.device for each in rules.devices}
        self.before = tuple(each for each in former.stopped if each.device in names)

    def _state(self) -> State:
        listed = self._listed()
        if listed is None:
            return State(holds=False, stopped=self.before)
        try:
            return State(holds=True, stopped=added(self.before, stopped(listed)))
        except ListingError as error:
            raise HelperError(str(error)) from error

    def _listed(self) -> str | None:
        """Return our table as nft lists it; None where there is none."""
        tables = self._run("-j", "list", "tables", FAMILY)
        if f'"name": "{TABLE}"' not in tables:
            return None
        return self._run("-j", "list", "table", FAMILY, TABLE)

    def _run(self, *arguments: str, given: Json = None) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, and arguments of our own
                [self.nft, *arguments],
                input="" if given is None else json.dumps(given),
                capture_output=True,
                text=True,
                timeout=_NFT_S,
                env=_ENVIRONMENT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HelperError(f"nft: {error}") from error
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
            raise HelperError(f"nft: {lines[0]}")
        return done.stdout


def listen(path: Path, user: int) -> socket.socket:
    """Return a socket that one user alone can open; one that was left there is replaced.

    Args:
        path: Where.
        user: The user's number.

    Raises:
        HelperError: It cannot be made there, or somebody listens there.
    """
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            _refuse_if_alive(path)
            path.unlink()
        before = os.umask(0o177)
        try:
            server.bind(str(path))
        finally:
            os.umask(before)
        if user != os.geteuid():
            give(path, user)
    except OSError as error:
        server.close()
        raise HelperError(f"{path}: {error.strerror}") from error
    server.listen(_WAITING)
    return server


def give(path: Path, user: int) -> None:
    """Make a socket another user's: that very one, whatever is put in its place meanwhile.

    The helper may be root still, and the folder that user's: what is changed by its name could be
    a link to any file of the machine.
    """
    found = os.open(path, os.O_PATH | os.O_NOFOLLOW)
    try:
        if not stat.S_ISSOCK(os.fstat(found).st_mode):
            raise HelperError(f"{path}: something else was put in the socket's place")
        os.chown(f"/proc/self/fd/{found}", user, -1)
    finally:
        os.close(found)


def _refuse_if_alive(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(CALLER_S)
        if probe.connect_ex(str(path)) == 0:
            raise HelperError(f"{path}: a helper listens there already")


def serve(
    server: socket.socket, user: int, table: Filter, goes_on: Callable[[], bool] = lambda: True
) -> None:
    """Serve one caller after the other, as long as that goes on; the rules outlive the helper.

    Args:
        server: Where they call.
        user: Who alone is served.
        table: What they may change.
        goes_on: Asked between callers.
    """
    server.settimeout(1.0)
    while goes_on():
        try:
            caller, _ = server.accept()
        except TimeoutError:
            continue
        with caller:
            _answer(caller, user, table)


def _answer(caller: socket.socket, user: int, table: Filter) -> None:
    peer = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    _, uid, _ = _PEER.unpack(peer)
    if uid != user:
        _log.warning("refused a caller of user %d", uid)
        return
    try:
        line = _line(caller)
        state = _told(line, table)
        caller.settimeout(CALLER_S)
        caller.sendall(state.model_dump_json().encode() + b"\n")
    except OSError as error:  # it went, or was too slow
        _log.warning("a caller was given up: %s", error)


def _line(caller: socket.socket) -> bytes:
    """Return what is said up to the line's end.

    Raises:
        TimeoutError: It is not whole in time.
        ConnectionError: It is too long, or ends before its end.
    """
    ends_at = time.monotonic() + CALLER_S
    said = b""
    while not said.endswith(b"\n"):
        left_s = ends_at - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("too slow")
        caller.settimeout(left_s)
        more = caller.recv(LONGEST)
        if not more:
            raise ConnectionError("nothing was asked to its end")
        said += more
        if len(said) > LONGEST:
            raise ConnectionError("too long")
    return said


def _told(line: bytes, table: Filter) -> State:
    try:
        order = Order.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return State(error=f"{place or 'the order'}: {first['msg']}")
    try:
        return table.carry_out(order)
    except HelperError as error:
        _log.error("%s", error)
        return State(error=str(error))

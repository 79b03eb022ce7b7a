"""`hems firewall serve|show|flush`: the helper that sets the firewall's rules, and asking it."""

import argparse
import asyncio
import logging
import os
import pwd
import signal
from pathlib import Path

from hems.commands.capabilities import NET_ADMIN, CapabilityError, keep_only
from hems.commands.firewall_helper import Filter, HelperError, listen, nft_there, serve
from hems.commands.output import fail
from hems.emg.firewall.client import FirewallError, ask
from hems.emg.firewall.wire import Order, State
from hems.logs import log_to_stderr
from hems.service.notify import started_by

_log = logging.getLogger(__name__)


def run(options: argparse.Namespace) -> int:
    """Run one of the commands; returns the exit code."""
    if options.action == "serve":
        return _serve(options.socket, options.hub_user, options.as_user)
    order = Order(ask="flush" if options.action == "flush" else "show")
    try:
        state = asyncio.run(ask(options.socket, order))
    except FirewallError as error:
        return fail(str(error))
    for line in _words(state):
        print(line)
    return 0


def _serve(path: Path, hub_user: str | None, as_user: str | None) -> int:
    log_to_stderr(logging.INFO)
    manager = started_by()
    going = True

    def end(number: int, frame: object) -> None:
        del number, frame
        nonlocal going
        going = False

    try:
        user = os.geteuid() if hub_user is None else _number(hub_user)
        own, nft = None if as_user is None else _number(as_user), nft_there()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, end)
        with listen(path, user) as server:
            keep_only(NET_ADMIN, own)
            _log.info("the firewall's helper listens at %s for user %d", path, user)
            manager.ready(f"listens at {path}")
            serve(server, user, Filter(nft), lambda: going)
    except CapabilityError as error:
        return fail(f"{error}: the helper is run with CAP_NET_ADMIN and nothing else, or as root")
    except HelperError as error:
        return fail(str(error))
    return 0


def _number(user: str) -> int:
    """Return a user's number.

    Raises:
        HelperError: There is no such user.
    """
    if user.isascii() and user.isdigit():
        return int(user)
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError as error:
        raise HelperError(f"there is no user {user!r}") from error


def _words(state: State) -> list[str]:
    if not state.holds:
        return ["no rules are set"]
    lines = [
        f"{each.device:<32} stopped {each.packets} packets, {each.octets} octets"
        for each in state.stopped
    ]
    return lines or ["rules are set, for no device"]

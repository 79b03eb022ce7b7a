"""Where control centres call in: who they are, and which of their connections carries data.

All connections of one control centre are a redundancy group: STARTDT on one of them ends the
transfer of data on the one that carried them. So that the group is whole, one worker of a machine
listens; the others try again and again, and the next takes over when it ends.
"""

import asyncio
import errno
import logging
import os
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from hems.clock import Clock
from hems.headend.errors import HeadEndError, SettingsError
from hems.headend.telecontrol.board import Board
from hems.headend.telecontrol.connection import Connection
from hems.headend.telecontrol.ordering import Caller
from hems.headend.telecontrol.points import Table
from hems.headend.telecontrol.reporting import Reporter
from hems.headend.telecontrol.settings import CentreSettings, TelecontrolSettings
from hems.headend.telecontrol.station import Station
from hems.headend.telecontrol.tls import CentreTls, shown_by

MOST_CALLERS: Final = 64
"""Connections at a time, of all control centres, in their handshakes too."""
MOST_OF_ONE: Final = 8
"""Connections of one control centre."""
_HANDSHAKE_S: Final = 15.0
_AGAIN_S: Final = 2.0
_FILES_S: Final = 10.0
_BACKLOG: Final = 16

_log = logging.getLogger(__name__)


class _StrangerError(Exception):
    """Nobody knows who calls."""


@dataclass(slots=True)
class _Centre:
    """A control centre, and its connections."""

    settings: CentreSettings
    reporter: Reporter
    connections: set[Connection] = field(default_factory=set)

    def began(self, connection: Connection) -> None:
        """Have a connection carry the data, and no other."""
        for other in self.connections - {connection}:
            if other.started:
                other.halt()
                _log.info("%s: data go over another connection now", self.settings.name)


class Door:
    """Lets control centres in.

    Args:
        settings: Who they are, and where to listen.
        table: What they see.
        station: Answers them.
        board: What can be seen.
        clock: The utility's time.
        shared: Whether several workers of this machine have this port.

    Attributes:
        port: Where it listens; None while another worker does.

    Raises:
        CertificateError: A certificate or key cannot be used.
    """

    def __init__(
        self,
        settings: TelecontrolSettings,
        table: Table,
        station: Station,
        board: Board,
        clock: Clock,
        *,
        shared: bool,
    ) -> None:
        self._settings = settings
        self._station = station
        self._board = board
        self._clock = clock
        self._shared = shared
        self._tls = CentreTls(settings) if settings.tls else None
        self._centres = [_Centre(each, Reporter(table.seen.values())) for each in settings.centres]
        self._callers: dict[asyncio.Task[None], float] = {}
        self._listener: socket.socket | None = None
        self.port: int | None = None

    @property
    def wanted(self) -> bool:
        """Whether anybody wants data now."""
        return any(each.started for centre in self._centres for each in centre.connections)

    def open(self) -> None:
        """Listen, unless another worker does.

        Raises:
            SettingsError: It cannot listen there.
        """
        host, port = self._settings.host, self._settings.port
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            if self._shared and error.errno == errno.EADDRINUSE:
                return
            why = os.strerror(error.errno) if error.errno else error.strerror
            raise SettingsError(
                f"telecontrol cannot listen on {host} port {port}: {why}"
            ) from error
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])

    def close(self) -> None:
        """Listen no more."""
        if self._listener is not None:
            self._listener.close()

    async def run(self) -> None:
        """Let control centres in until cancelled."""
        watch = asyncio.create_task(self._watch_files())
        try:
            while self._listener is None:
                await asyncio.sleep(_AGAIN_S)
                self.open()
            await self._accept(self._listener)
        finally:
            watch.cancel()
            for task in self._callers:
                task.cancel()
            await asyncio.gather(watch, *self._callers, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(listener)
            except OSError as error:
                _log.error("telecontrol: a connection could not be accepted: %s", error)
                await asyncio.sleep(_AGAIN_S)
                continue
            if len(self._callers) >= MOST_CALLERS:
                _log.warning("telecontrol: %s is turned away: too many connections", address[0])
                accepted.close()
                continue
            task = loop.create_task(self._serve(accepted, str(address[0])))
            self._callers[task] = float("inf")
            task.add_done_callback(lambda done: self._callers.pop(done, None))

    async def _serve(self, accepted: socket.socket, address: str) -> None:
        """Serve one connection; how it ended is told in one line."""
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        context = None if self._tls is None else self._tls.context
        wait_s = None if context is None else _HANDSHAKE_S
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, accepted, ssl=context, ssl_handshake_timeout=wait_s
            )
        except OSError as error:
            why = str(error) or "it hung up"
            _log.warning("telecontrol: the handshake with %s failed: %s", address, why)
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            centre = self._centre(writer, address)
            await self._talk(centre, (reader, writer), address)
        except _StrangerError as error:
            _log.warning("telecontrol: %s is turned away: %s", address, error)
        except HeadEndError as error:
            _log.warning("telecontrol: the connection with %s is closed: %s", address, error)
        except OSError as error:
            _log.info("telecontrol: the connection with %s broke: %s", address, error)
        finally:
            transport.abort()

    async def _talk(
        self,
        centre: _Centre,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        address: str,
    ) -> None:
        settings, known = self._settings, centre.settings
        connection = Connection(
            streams,
            Caller(known.name, address, known.commands),
            self._station,
            centre.reporter,
            points=lambda: self._board.points,
            pace=settings.pace(),
            select_s=settings.select_s,
            clock=self._clock,
            on_started=centre.began,
        )
        centre.connections.add(connection)
        _log.info("%s has connected from %s", known.name, address)
        try:
            await connection.run()
        finally:
            centre.connections.discard(connection)
        _log.info("%s has hung up (%s)", known.name, address)

    def _centre(self, writer: asyncio.StreamWriter, address: str) -> _Centre:
        """Return who calls.

        Raises:
            _StrangerError: Nobody knows, or has too many connections.
        """
        subject = None
        if self._tls is not None:
            shown = shown_by(writer.get_extra_info("ssl_object"))
            if shown is None:
                raise _StrangerError("it shows no certificate")
            subject = shown.subject.rfc4514_string()
            task = asyncio.current_task()
            if task is not None:
                self._callers[task] = shown.not_valid_after_utc.timestamp()
        for centre in self._centres:
            if centre.settings.subject == subject and centre.settings.calls_from(address):
                if len(centre.connections) >= MOST_OF_ONE:
                    raise _StrangerError(f"{centre.settings.name} has {MOST_OF_ONE} connections")
                return centre
        raise _StrangerError("no control centre is known " + (f"as {subject!r}" if subject else ""))

    async def _watch_files(self) -> None:
        """Have who calls prove itself again when certificates or lists are others, or have ended.

        IEC 62351-3 wants revocation looked at while connections stand; they stand for months.
        """
        while True:
            await asyncio.sleep(_FILES_S)
            renewed = self._tls is not None and self._tls.refresh()
            now = datetime.now(UTC).timestamp()
            for task, until in self._callers.items():
                if renewed or until <= now:
                    _log.info("telecontrol: a connection is ended for a new handshake")
                    task.cancel()

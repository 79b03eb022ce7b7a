"""The utility's server as a service of its machine: started, watched, asked to read anew, ended."""

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from certs.errors import CertificateError
from hems.crashes.catching import Catching
from hems.crashes.files import FOLDER
from hems.headend.errors import HeadEndError, SettingsError
from hems.headend.monitor.logs import set_level
from hems.headend.ready import ready_line
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings, load_settings
from hems.headend.tls_buffers import use_small_buffers
from hems.headend.vigil import Vigil
from hems.service.heart import Heart
from hems.service.notify import ServiceManager, started_by
from hems.signals import end_by, end_quietly, reload_by, reload_later

_log = logging.getLogger(__name__)


async def serve(settings: HeadEndSettings, path: Path | None = None) -> None:
    """Run the utility's server until SIGINT, SIGTERM or cancellation; print one ready line.

    Args:
        settings: What it is to be.
        path: The file in which they are, for SIGHUP; None where there is none.

    Raises:
        SettingsError: A port is in use, a file cannot be used.
        StoreError: The database cannot be used.
        certs.errors.CertificateError: A certificate or key cannot be used.
    """
    use_small_buffers()
    reload_later()
    manager = started_by()
    catching = _catching(settings)
    stop, anew = asyncio.Event(), asyncio.Event()
    end_by(stop.set)
    reload_by(anew.set, stop.set)
    try:
        async with AsyncExitStack() as stack:
            head_end = HeadEnd(settings)
            with Heart(manager).step():
                await stack.enter_async_context(head_end)
            stack.callback(manager.stopping)
            sys.stdout.write(ready_line(head_end.addresses) + "\n")
            sys.stdout.flush()
            status = f"serves homes at {head_end.addresses.base_url}"
            manager.ready(status)
            beside = [_vigil(head_end, manager).run()]
            if path is not None:
                beside.append(_Reload(path, settings, head_end, manager, status).run(anew))
            for work in beside:
                stack.push_async_callback(_ended, asyncio.create_task(work))
            await stop.wait()
    except (HeadEndError, CertificateError):
        catching.end()
        raise
    finally:
        end_quietly()
    catching.end()


def _catching(settings: HeadEndSettings) -> Catching:
    catching = Catching(settings.token_file.with_name(FOLDER))
    catching.begin()
    catching.watch(asyncio.get_running_loop())
    last = catching.last()
    if last is not None:
        _log.error("a worker ended unexpectedly; what is known of it is in %s", last.path)
    return catching


def _vigil(head_end: HeadEnd, manager: ServiceManager) -> Vigil:
    def ask(connection: Connection) -> None:
        connection.execute(text("SELECT 1"))

    return Vigil(manager, lambda: head_end.store.inquire(ask), lambda: head_end.listening.sockets)


@dataclass(frozen=True, slots=True)
class _Reload:
    """Reads settings anew.

    Attributes:
        path: The file.
        running: What the server was started with.
        head_end: The running server.
        manager: Who is told.
        status: How the server stands.
    """

    path: Path
    running: HeadEndSettings
    head_end: HeadEnd
    manager: ServiceManager
    status: str

    async def run(self, asked: asyncio.Event) -> None:
        """Read them whenever that is asked for."""
        while True:
            await asked.wait()
            asked.clear()
            self.manager.reloading()
            await self.read()
            self.manager.ready(self.status)

    async def read(self) -> None:
        """Read them once: what can be changed now is, the rest is named; mistakes change nothing.

        Certificates, roots and lists are files of their own, which are looked at in any case.
        """
        _log.info("asked to read %s anew", self.path)
        try:
            wanted = load_settings(self.path)
        except SettingsError as error:
            for line in str(error).splitlines():
                _log.error("%s", line)
            _log.error("the server goes on with the settings it was started with")
        else:
            set_level(wanted.log)
            for name in waiting(self.running, wanted):
                _log.warning("a change of %s holds from the next start", name)
        await self.head_end.refresh()
        _log.info("certificates, roots and revocation lists are looked at anew")


def waiting(running: HeadEndSettings, wanted: HeadEndSettings) -> Iterator[str]:
    """Yield the names of settings that differ, and hold from the next start only."""
    for name in HeadEndSettings.model_fields:
        if name != "log" and getattr(running, name) != getattr(wanted, name):
            yield name
    if running.log.format is not wanted.log.format:
        yield "log.format"


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

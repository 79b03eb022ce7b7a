"""A home that is set up on its page: real files and a real store behind the scripted home."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hems.archive.desk import Desk, Premises
from hems.archive.wipe import Proof
from hems.clock import SystemClock
from hems.commands.upheaval import belonging_to, checked
from hems.settings import settings_file
from hems.setup.editing import Editor
from hems.setup.guide import Guide
from hems.store.store import open_store
from tests.web.guarded import ScriptedUpdates
from tests.web.surface import ScriptedHome
from web.archive_api import ArchiveApi
from web.operation import Part
from web.settings_api import SettingsApi
from web.setup_api import SetupApi
from web.updates_api import UpdatesApi


@dataclass
class Kept:
    """The home's folder, and what its page can do with it.

    Attributes:
        path: Its configuration file; a test may write it.
        parts: Of the API.
        anew: How often the hub was to start anew.
        erased: What the page tells of an erased home.
        updates: The hub's own software.
    """

    path: Path
    parts: tuple[Part, ...] = ()
    anew: list[None] = field(default_factory=list)
    erased: Proof | None = None
    updates: ScriptedUpdates = field(default_factory=ScriptedUpdates)

    @property
    def settings(self) -> Path:
        """Its settings file."""
        return settings_file.place(self.path)


@asynccontextmanager
async def kept(folder: Path, home: ScriptedHome) -> AsyncIterator[Kept]:
    """Give a home that nobody has set up yet."""
    made = Kept(folder / "hems.toml")
    settings_file.write(made.settings, {}, 0.0)
    store = await open_store(folder / "hems.db", SystemClock())
    editor = Editor(made.path)
    guide = Guide(editor, store.settings, lambda: home.now.utility, lambda: False)
    premises = Premises(
        name=lambda: editor.config.home.name,
        belongings=lambda: belonging_to(made.path),
        check=lambda unpacked: checked(made.path, unpacked),
        again=lambda: made.anew.append(None),
    )
    made.parts = (
        SetupApi(guide, lambda: made.erased),
        SettingsApi(editor),
        ArchiveApi(Desk(premises, SystemClock())),
        UpdatesApi(made.updates),
    )
    try:
        yield made
    finally:
        await store.close()

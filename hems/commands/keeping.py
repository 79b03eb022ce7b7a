"""The parts of the page by which a home is set up, changed, kept and erased."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from certs.keys.opening import key_store
from hems.archive.desk import Desk, Premises
from hems.clock import Clock
from hems.commands.upheaval import Begun, belonging_to, checked
from hems.setup.editing import Editor
from hems.setup.guide import Guide
from hems.store.store import Store
from hems.succession import Succession
from web.archive_api import ArchiveApi
from web.operation import Part
from web.settings_api import SettingsApi
from web.setup_api import SetupApi


@dataclass(frozen=True, slots=True)
class Keeping:
    """What these parts need.

    Attributes:
        path: The home's configuration file.
        home: The present home.
        store: What it remembers.
        clock: Where the time comes from.
        begun: What was done before this run.
        account: Whether somebody has an account.
        anew: Ends the home in order and has the hub start anew.
    """

    path: Path
    home: Succession
    store: Store
    clock: Clock
    begun: Begun
    account: Callable[[], bool]
    anew: Callable[[], None]

    def parts(self) -> tuple[Part, ...]:
        """Return them."""
        editor = Editor(self.path)
        guide = self._guide(editor)
        premises = Premises(
            name=lambda: editor.config.home.name,
            belongings=lambda: belonging_to(self.path),
            check=lambda folder: checked(self.path, folder),
            again=self.anew,
            keys=lambda: key_store(editor.config.keys.settings),
        )
        return (
            SetupApi(guide, lambda: self.begun.erased),
            SettingsApi(editor),
            ArchiveApi(Desk(premises, self.clock)),
        )

    async def set_up(self) -> bool:
        """Return whether the home has been set up."""
        return (await self._guide(Editor(self.path)).progress()).finished

    def _guide(self, editor: Editor) -> Guide:
        return Guide(
            editor, self.store.settings, lambda: self.home.snapshot().utility, self.account
        )

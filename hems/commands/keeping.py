"""The parts of the page by which a home is set up, changed, kept and erased."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from certs.keys.opening import key_store
from hems.clock import Clock
from hems.commands.upheaval import Begun, belonging_to, checked
from hems.on_demand import load, on_demand
from hems.store.store import Store
from hems.succession import Succession
from web.later import Later

if TYPE_CHECKING:
    from hems.archive import desk
    from hems.setup import editing, guide
    from web import archive_api, settings_api, setup_api
else:
    desk = on_demand("hems.archive.desk")
    editing, guide = on_demand("hems.setup.editing"), on_demand("hems.setup.guide")
    archive_api, settings_api, setup_api = (
        on_demand(f"web.{name}") for name in ("archive_api", "settings_api", "setup_api")
    )


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

    def parts(self) -> tuple[Later, ...]:
        """Return them."""
        return (
            Later(
                "setup_api", lambda: setup_api.SetupApi(self._guide(), lambda: self.begun.erased)
            ),
            Later("settings_api", lambda: settings_api.SettingsApi(self._editor())),
            Later("archive_api", self._archive),
        )

    async def set_up(self) -> bool:
        """Return whether the home has been set up."""
        await load(guide)
        return (await self._guide().progress()).finished

    def _guide(self) -> "guide.Guide":
        return guide.Guide(
            self._editor(),
            self.store.settings,
            lambda: self.home.snapshot().utility,
            self.account,
            self.clock.now,
        )

    def _editor(self) -> "editing.Editor":
        return editing.Editor(self.path, self.clock.now)

    def _archive(self) -> "archive_api.ArchiveApi":
        editor = self._editor()
        premises = desk.Premises(
            name=lambda: editor.config.home.name,
            belongings=lambda: belonging_to(self.path),
            check=lambda folder: checked(self.path, folder),
            again=self.anew,
            keys=lambda: key_store(editor.config.keys.settings),
        )
        return archive_api.ArchiveApi(desk.Desk(premises, self.clock))

"""One home after the other within one run of the hub."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from certs.errors import CertificateError
from der.errors import PermanentError
from hems.commands.follow import Follower, beside_the_home, leaving
from hems.settings.config import Config
from hems.settings.toml_file import ConfigError
from hems.succession import Succession

_log = logging.getLogger(__name__)


class Reign:
    """One home after the other, until told to stop.

    Args:
        succession: The present home.
        follower: Notices what home is to follow it.
        changing: Told that a home is about to end for another one; may be told twice.
    """

    def __init__(
        self,
        succession: Succession,
        follower: Follower,
        changing: Callable[[], None] = lambda: None,
    ) -> None:
        self._changing = changing
        self._succession = succession
        self._follower = follower
        self._stopped = False
        self._anew = False
        self._before: Config | None = None
        """What the last home was made of, should the present one be unable to begin."""

    @property
    def stopped(self) -> bool:
        """Whether there is no home to run any more."""
        return self._stopped

    @property
    def anew(self) -> bool:
        """Whether the hub is to start anew once all is written down."""
        return self._anew

    def stop(self) -> None:
        """Make `run` end."""
        self._stopped = True
        self._succession.home.stop()

    def begin_anew(self) -> None:
        """Make `run` end, and have the hub start anew."""
        self._anew = True
        self._changing()
        self.stop()

    async def run(self, config: Config) -> Config:
        """Run the present home, and what follows it when its configuration changes.

        Returns:
            What the present home was made of, once the page has to be served anew for it, or
            nothing more is run.

        Raises:
            PermanentError: A port that devices call in to is taken.
        """
        while not self._stopped:
            home = self._succession.home
            running = asyncio.create_task(home.run())
            following = asyncio.create_task(self._follower.next(config, home.alarms))
            try:
                await asyncio.wait((running, following), return_when=asyncio.FIRST_COMPLETED)
                if running.done() or self._stopped:
                    try:
                        await running
                    except PermanentError as error:
                        if self._before is None or home.began or self._stopped:
                            raise
                        failed, config = config, self._back(self._before, error)
                        if beside_the_home(failed) != beside_the_home(config):
                            return config
                        continue
                    self._stopped = True
                    return config
                after, heir = following.result()
                self._changing()
                _log.info("the configuration has changed: the home is made anew")
                await home.make_way(leaving(config, after))
                await running
                self._before, config = config, after
                self._succession.follow(heir)
                if beside_the_home(self._before) != beside_the_home(after):
                    return config
            finally:
                await ended(running, following)
        return config

    def _back(self, before: Config, error: PermanentError) -> Config:
        """Have the home go on as it was before one that could not begin, such as for its port.

        Returns:
            What it is made of.
        """
        try:
            former = self._follower.back(before, error)
        except (CertificateError, ConfigError, PermanentError) as gone:
            raise error from gone
        self._before = None
        self._changing()
        _log.warning("the home that was to follow cannot begin (%s): it goes on as before", error)
        self._succession.follow(former)
        return before


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Have tasks end, in order; what they ended with is told by who awaited them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""The guided path of a home: what is known of it, what is missing, and its enrolment."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from certs.identity import pin_valid
from der.sentence import say
from hems.settings.config import Config
from hems.setup import enrolment
from hems.setup.editing import Editor, Mistake
from hems.setup.enrolment import EnrolmentError
from hems.setup.enrolment_code import enrol_by_code
from hems.setup.identity import Identity, KeyRing, identity_of
from hems.setup.progress import Facts, Kept, Progress, State, Step, progress, with_step
from hems.store.settings import Settings
from hems.surface import UtilityView

_KEPT: Final = TypeAdapter(Kept)
_NAME: Final = "setup"
_HOME_KEYS: Final = ("home.name", "home.time_zone", "home.main_breaker", "home.phases")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """How the home stands to its utility.

    Attributes:
        configured: Whether there is one.
        fixed: Whether a person has written it into hems.toml.
        identity: Who the home is there; without a certificate only its PIN.
        server: The server's address; empty for one to be found.
        edition: What it speaks.
        link: How the connection stands; None where there is none.
    """

    configured: bool
    fixed: bool
    identity: Identity
    server: str
    edition: str
    link: UtilityView | None


@dataclass(frozen=True, slots=True)
class Answered:
    """What a utility answered with, and what somebody says about it.

    Attributes:
        content: PEM, one part or more.
        server: Its server's address; empty for what the content says, or the network.
        pin: Registration PIN; empty for what the content says, or the hub's own.
        edition: What its server speaks; empty for what the content says.
    """

    content: bytes
    server: str = ""
    pin: str = ""
    edition: str = ""


class Guide:
    """The guided path of one home.

    Args:
        editor: Its settings.
        kept: Where is remembered how far it is.
        link: How the connection to its utility stands.
        account: Whether somebody has an account.
        now: UTC epoch seconds.
    """

    def __init__(
        self,
        editor: Editor,
        kept: Settings,
        link: Callable[[], UtilityView],
        account: Callable[[], bool],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._now = now
        self._enrolling = asyncio.Lock()
        self._editor = editor
        self._kept = kept
        self._link = link
        self._account = account
        self._ring = KeyRing(editor.path.parent.absolute())

    async def progress(self) -> Progress:
        """Return how far the home is set up.

        Raises:
            ConfigError: Its files cannot be read.
            StoreError: What is remembered cannot be read.
        """
        return progress(await asyncio.to_thread(self._facts), await self._remembered())

    async def step(self, step: Step, state: State) -> Progress:
        """Pass a step, put it off or take it up again.

        Raises:
            ValueError: It cannot be put off.
            StoreError: It cannot be remembered.
        """
        kept = with_step(await self._remembered(), step, state)
        await self._kept.put(_NAME, _KEPT.dump_json(kept).decode())
        return await self.progress()

    async def enrolled(self) -> Enrolled:
        """Return how the home stands to its utility.

        Raises:
            CertificateError: The hub's keys cannot be read or made.
            ConfigError: Its files cannot be read.
        """
        return await asyncio.to_thread(self._enrolled)

    async def request(self) -> bytes:
        """Return the request for a certificate that the utility answers.

        Raises:
            CertificateError: The hub's keys cannot be read or made.
        """
        config = self._editor.config

        def make() -> bytes:
            self._ring.prepare()
            return self._ring.request(config.home.name)

        return await asyncio.to_thread(make)

    async def enrol(self, answered: Answered) -> Sequence[Mistake]:
        """Take what the utility answered with; the hub connects with it at once.

        Returns:
            What is wrong with it; nothing has changed then.

        Raises:
            EnrolmentError: It does not enrol this home.
            CertificateError: It cannot be kept or used.
            ConfigError: The settings cannot be written.
        """
        if answered.pin and not pin_valid(answered.pin):
            raise EnrolmentError(say("A PIN has five digits and the check digit that fits."))

        def take() -> Sequence[Mistake]:
            self._ring.prepare()
            section = enrolment.install(
                self._ring,
                enrolment.read(answered.content),
                answered.server,
                answered.pin,
                answered.edition,
            )
            return self._editor.put("utility", section)

        return await asyncio.to_thread(take)

    async def enrol_by_code(self, text: str) -> Sequence[Mistake]:
        """Enrol by a code of the utility; the hub connects at once.

        Returns:
            What is wrong with the settings; nothing has changed then.

        Raises:
            EnrolmentError: It does not enrol this home.
            certs.est.errors.WaitError: The utility decides later; the same code is to be given
                again then.
            CertificateError: The hub's keys cannot be made or used.
            ConfigError: The settings cannot be written.
        """
        async with self._enrolling:  # two at once would take each other's key
            return await enrol_by_code(self._editor, text, self._now)

    async def leave(self) -> Sequence[Mistake]:
        """Forget the utility; its certificate stays for a later enrolment.

        Raises:
            ConfigError: The settings cannot be written.
        """
        return await asyncio.to_thread(self._editor.put, "utility", None)

    def _enrolled(self) -> Enrolled:
        config = self._editor.config
        if not config.utility:
            self._ring.prepare()
            own = Identity("", "", self._ring.pin())
            return Enrolled(
                configured=False, fixed=False, identity=own, server="", edition="", link=None
            )
        utility = config.utility[0]
        own = identity_of(utility.certificate, utility.pin)
        return Enrolled(
            configured=True,
            fixed=self._editor.fixed("utility"),
            identity=own,
            server=utility.url or "",
            edition=utility.edition,
            link=self._link(),
        )

    def _facts(self) -> Facts:
        editor = self._editor
        config: Config = editor.config
        return Facts(
            by_hand=editor.by_hand,
            account=self._account(),
            home=editor.by_hand or any(editor.said(key) for key in _HOME_KEYS),
            tariff=bool(config.tariff.model_fields_set),
            devices=len(config.device),
            utility=bool(config.utility),
        )

    async def _remembered(self) -> Kept:
        text = (await self._kept.all()).get(_NAME)
        try:
            return Kept() if text is None else _KEPT.validate_json(text)
        except ValidationError:
            return Kept()  # of a version that knew other steps: they are shown as they stand

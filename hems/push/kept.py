"""What pushing keeps over a restart: our key, the subscriptions, and what each was told."""

import logging
from collections.abc import Iterable, Mapping
from typing import Annotated, Final

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from certs.issue import new_key
from hems.push.sealing import from_base64url, key_of, key_text, to_base64url
from hems.push.subscription import MINUTES_A_DAY, Quiet, Subject, Subscription
from hems.store.errors import StoreError
from hems.store.settings import Settings

_log = logging.getLogger(__name__)

_KEY: Final = "push key"
_SUBSCRIPTIONS: Final = "push subscriptions"
_TOLD: Final = "push told"

Minute = Annotated[int, Field(ge=0, lt=MINUTES_A_DAY)]


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    id: str
    endpoint: str
    p256dh: str
    auth: str
    who: str
    called: str
    subjects: frozenset[Subject]
    language: str
    quiet: tuple[Minute, Minute] | None = None
    since: float

    def subscription(self) -> Subscription:
        """Return it in house words."""
        return Subscription(
            self.id,
            self.endpoint,
            from_base64url(self.p256dh),
            from_base64url(self.auth),
            self.who,
            self.called,
            self.subjects,
            self.language,
            None if self.quiet is None else Quiet(*self.quiet),
            self.since,
        )


_ALL: Final = TypeAdapter(list[_Kept])
_TIMES: Final = TypeAdapter(dict[str, dict[str, float]])


class PushStore:
    """Keeps what pushing must not forget.

    A store that refuses is said in the log; what was to be kept then lasts as long as the process.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def key(self) -> ec.EllipticCurvePrivateKey:
        """Return our key; made at the first call and then the same."""
        kept = (await self._all()).get(_KEY)
        if kept is not None:
            try:
                return key_of(kept)
            except ValueError:
                _log.warning("the kept push key is damaged: all browsers have to subscribe anew")
        made = new_key()
        await self._put(_KEY, key_text(made))
        return made

    async def subscriptions(self) -> list[Subscription]:
        """Return all subscriptions."""
        text = (await self._all()).get(_SUBSCRIPTIONS)
        if text is None:
            return []
        try:
            return [each.subscription() for each in _ALL.validate_json(text)]
        except (ValidationError, ValueError) as error:
            _log.warning("the kept push subscriptions cannot be read: %s", error)
            return []

    async def keep_subscriptions(self, subscriptions: Iterable[Subscription]) -> None:
        """Keep these subscriptions in place of what was kept."""
        rows = [
            _Kept(
                id=each.id,
                endpoint=each.endpoint,
                p256dh=to_base64url(each.p256dh),
                auth=to_base64url(each.auth),
                who=each.who,
                called=each.called,
                subjects=each.subjects,
                language=each.language,
                quiet=None if each.quiet is None else (each.quiet.start, each.quiet.end),
                since=each.since,
            )
            for each in subscriptions
        ]
        await self._put(_SUBSCRIPTIONS, _ALL.dump_json(rows).decode())

    async def told(self) -> Mapping[str, Mapping[str, float]]:
        """Return what each subscription was told, and when."""
        text = (await self._all()).get(_TOLD)
        try:
            return {} if text is None else _TIMES.validate_json(text)
        except ValidationError as error:
            _log.warning("what was pushed before cannot be read: %s", error)
            return {}

    async def keep_told(self, told: Mapping[str, Mapping[str, float]]) -> None:
        """Keep what each subscription was told."""
        await self._put(_TOLD, _TIMES.dump_json({k: dict(v) for k, v in told.items()}).decode())

    async def _all(self) -> Mapping[str, str]:
        try:
            return await self._settings.all()
        except StoreError as error:
            _log.warning("what was kept for pushing cannot be read: %s", error)
            return {}

    async def _put(self, name: str, text: str) -> None:
        try:
            await self._settings.put(name, text)
        except StoreError as error:
            _log.warning("%s: cannot be kept: %s", name, error)

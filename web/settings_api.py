"""The home's settings under /api: what the page may change, checked before it is kept."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from der.sentence import say
from hems.access.rights import Right
from hems.settings.toml_file import ConfigError
from hems.setup.editing import Editor, Mistake, SettingsError
from hems.setup.fields import SETTINGS, Given, Kind, Setting, present
from hems.setup.tariffs import Band, TariffOrder, order_of, table
from web.models import Answer, Input
from web.operation import Operation
from web.words import Words

_REFUSALS: Final = {
    SettingsError: HTTPStatus.NOT_FOUND,
    ConfigError: HTTPStatus.CONFLICT,
}
_Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
_Price = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
_Value = str | float | bool | list[str] | None
_MOST_BYTES: Final = 32 * 1024


class SettingAnswer(Answer):
    """A setting; fields as in `hems.setup.fields.Setting`.

    Attributes:
        value: What it is now, in base units; null for none.
        fixed: Whether a person has written it into hems.toml.
    """

    key: str
    group: str
    kind: Kind
    choices: Sequence[str]
    least: float | None
    most: float | None
    value: _Value
    fixed: bool


class VersionAnswer(Answer):
    """A version of the settings that was replaced."""

    number: int
    replaced_at: float


class SettingsAnswer(Answer):
    """All settings that the page may change.

    Attributes:
        versions: That were replaced, the last one first.
    """

    settings: Sequence[SettingAnswer]
    versions: Sequence[VersionAnswer]


class SettingsOrder(Input):
    """Settings by key; null for the default."""

    settings: Mapping[str, _Value]


class MistakeAnswer(Answer):
    """What is wrong with one field; fields as in `hems.setup.editing.Mistake`."""

    key: str
    said: Words


class OutcomeAnswer(Answer):
    """What came of a change.

    Attributes:
        saved: Whether it was taken; the running home follows within a few seconds.
        mistakes: What is wrong with it; nothing was taken then.
    """

    saved: bool
    mistakes: Sequence[MistakeAnswer]


class BandModel(Input):
    """A price at certain times; fields as in `hems.setup.tariffs.Band`."""

    model_config = ConfigDict(from_attributes=True)

    price: _Price
    begins: _Clock
    ends: _Clock
    days: Literal["all", "weekdays", "weekends"] = "all"


class TariffModel(Input):
    """A tariff; fields as in `hems.setup.tariffs.TariffOrder`."""

    model_config = ConfigDict(from_attributes=True)

    kind: Literal["flat", "bands", "dynamic", "utility"]
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = ""
    price: _Price
    bands: Annotated[Sequence[BandModel], Field(max_length=48)] = ()
    feed_in: _Price = 0.0
    standing: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = 0.0
    prices: Annotated[str, Field(max_length=2000)] = ""
    surcharge: _Price = 0.0
    tax: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.0
    peak: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "bands" and not self.bands:
            raise ValueError(say("A tariff by the time of day has at least one band"))
        if self.kind == "dynamic" and not self.prices.strip():
            raise ValueError(
                say("Prices that change need a file or an address that they are read from")
            )
        return self

    @property
    def order(self) -> TariffOrder:
        """It as an order."""
        bands = tuple(Band(b.price, b.begins, b.ends, b.days) for b in self.bands)
        return TariffOrder(**{**self.model_dump(exclude={"bands"}), "bands": bands})


class TariffAnswer(Answer):
    """The tariff.

    Attributes:
        tariff: Null where there is none.
        fixed: Whether a person has written it into hems.toml.
        whole: Whether it has no more than what stands here.
    """

    tariff: TariffModel | None
    fixed: bool
    whole: bool


class SettingsApi:
    """The home's settings."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        set_up, refusals = Right.SET_UP, _REFUSALS
        return [
            Operation("GET", "/api/settings", cls.settings, set_up, refusals=refusals),
            Operation(
                "PUT",
                "/api/settings",
                cls.change,
                set_up,
                refusals=refusals,
                max_body_bytes=_MOST_BYTES,
            ),
            Operation("GET", "/api/settings/tariff", cls.tariff, set_up, refusals=refusals),
            Operation(
                "PUT",
                "/api/settings/tariff",
                cls.put_tariff,
                set_up,
                refusals=refusals,
                max_body_bytes=_MOST_BYTES,
            ),
            Operation("DELETE", "/api/settings/tariff", cls.no_tariff, set_up, refusals=refusals),
            Operation(
                "POST", "/api/settings/versions/{number}", cls.go_back, set_up, refusals=refusals
            ),
        ]

    async def settings(self) -> SettingsAnswer:
        """Return all settings that the page may change."""
        return await asyncio.to_thread(self._settings)

    async def change(self, body: SettingsOrder) -> OutcomeAnswer:
        """Change settings, all of them or none."""
        given: Mapping[str, Given] = body.settings
        return outcome(await asyncio.to_thread(self._editor.change, given))

    async def tariff(self) -> TariffAnswer:
        """Return the tariff."""

        def find() -> TariffAnswer:
            order, whole = order_of(self._editor.config.tariff) or (None, True)
            shown = None if order is None else TariffModel.model_validate(order)
            fixed = self._editor.fixed("tariff")
            return TariffAnswer(tariff=shown, fixed=fixed, whole=whole)

        return await asyncio.to_thread(find)

    async def put_tariff(self, body: TariffModel) -> OutcomeAnswer:
        """Take a tariff in place of the present one."""
        return outcome(await asyncio.to_thread(self._editor.put, "tariff", table(body.order)))

    async def no_tariff(self) -> OutcomeAnswer:
        """Take the tariff out."""
        return outcome(await asyncio.to_thread(self._editor.put, "tariff", None))

    async def go_back(self, number: str) -> OutcomeAnswer:
        """Take a former version of the settings again."""
        if not number.isdecimal():
            raise SettingsError(say("This version of the settings is not kept any more."))
        return outcome(await asyncio.to_thread(self._editor.go_back, int(number)))

    def _settings(self) -> SettingsAnswer:
        config = self._editor.config

        def shown(setting: Setting) -> SettingAnswer:
            return SettingAnswer(
                **asdict(setting),
                value=present(setting, config),
                fixed=self._editor.fixed(setting.key),
            )

        return SettingsAnswer(
            settings=[shown(setting) for setting in SETTINGS],
            versions=[VersionAnswer.model_validate(v) for v in self._editor.versions()],
        )


def outcome(mistakes: Sequence[Mistake]) -> OutcomeAnswer:
    """Return what came of a change."""
    found = [MistakeAnswer.model_validate(mistake) for mistake in mistakes]
    return OutcomeAnswer(saved=not found, mistakes=found)

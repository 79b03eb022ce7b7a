"""A real home told in German: nothing on its page is English any more.

The plan comes as JSON from another process, reasons from the control cycle, events from the
utility: each loses its template in another place, if at all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

import pytest
from pydantic import BaseModel

from hems.commands.stage import Stage
from tests.e2e.rig import Home, Rig
from tests.e2e.test_plan import planned, scene
from tests.waiting import until
from web.models import HomeAnswer
from web.plan_api import PlanAnswer
from web.programmes_api import ProgrammesAnswer
from web.words import Words

pytestmark = [pytest.mark.timeout(240)]

ANSWERS: Final[Mapping[str, type[BaseModel]]] = {
    "/api/home": HomeAnswer,
    "/api/plan": PlanAnswer,
    "/api/programmes": ProgrammesAnswer,
}
SENTENCE: Final = 3
"""Words from which on a text must be another in another language."""
ENGLISH: Final = frozenset({"the", "and", "of", "is", "are", "it", "its", "what", "with", "at"})
_TOLD: Final = get_args(Words)[1]


def sentences(answer: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield all sentences of an answer, with where they stand in it."""
    if isinstance(answer, BaseModel):
        for name, field in type(answer).model_fields.items():
            value, at = getattr(answer, name), f"{path}.{name}"
            if _TOLD in field.metadata or _TOLD in _within(field.annotation):
                yield from ((f"{at}[{i}]", text) for i, text in enumerate(_texts(value)))
            else:
                yield from sentences(value, at)
    elif isinstance(answer, Mapping):
        for key, value in answer.items():
            yield from sentences(value, f"{path}[{key}]")
    elif isinstance(answer, Sequence) and not isinstance(answer, str):
        for number, value in enumerate(answer):
            yield from sentences(value, f"{path}[{number}]")


def _within(annotation: object) -> list[object]:
    """Return what a type's parts are annotated with."""
    parts = get_args(annotation)
    return [*parts, *(each for part in parts for each in _within(part))]


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, Sequence) else []


async def _told(rig: Rig, language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, model in ANSWERS.items():
        answer = model.model_validate_json(await rig.get_page(f"{path}?lang={language}"))
        found |= dict(sentences(answer, path))
    return found


@pytest.mark.deep
@pytest.mark.requirement("ROLE-UI")
async def test_a_german_page_has_no_english_sentence(tmp_path: Path) -> None:
    async with Rig(Stage(tmp_path / "stage", scene(cheap_now=False))) as rig:
        await planned(rig)
        await rig.dispatch(limit_import_w=2500.0, seconds=600)
        await rig.dispatch(limit_export_w=500.0, seconds=600, start="+120s")

        def asked(home: Home) -> bool:
            calm = all(tile.error is None for tile in home.devices) and not home.alarms
            states = [card.state for card in home.events]
            return calm and sorted(states) == ["coming", "running"]

        await until(rig.home, asked, 60.0, "two events on the page, one of them in force")
        english, german = await _told(rig, "en"), await _told(rig, "de")

    assert len(german) > len(ANSWERS)
    for path in ANSWERS:
        assert any(where.startswith(path) and text for where, text in german.items()), path
    same = {
        where: text
        for where, text in german.items()
        if len(text.split()) >= SENTENCE and english.get(where) == text
    }
    assert same == {}
    left = {
        where: text
        for where, text in german.items()
        if ENGLISH & {word.lower() for word in re.findall(r"[A-Za-z']+", text)}
    }
    assert left == {}

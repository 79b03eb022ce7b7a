"""Sentences are told in the language that a request asks for."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from der.sentence import Quantity, said, say
from tests.web.conftest import Served
from web import words
from web.words import preferred, tell

HELD = "Held at {power} until {event} ends."
PEAK_NAME = "Evening peak"


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A German catalogue of three sentences; the other languages have none."""
    for language in ("de", "fr", "es"):
        told = {
            HELD: "Bis {event} endet, gelten {power}.",
            PEAK_NAME: "Abendspitze",
            "There is nothing at this address.": "Hier ist nichts.",
        }
        text = json.dumps(told if language == "de" else {})
        (tmp_path / f"{language}.json").write_text(text)
    monkeypatch.setattr(words, "_CATALOGUES", tmp_path)
    words.catalogue.cache_clear()
    yield
    words.catalogue.cache_clear()


@pytest.mark.usefixtures("german")
def test_a_sentence_is_told_with_what_is_in_it() -> None:
    sentence = say(HELD, power=Quantity("1.5", "kW"), event=say(PEAK_NAME))
    assert tell(sentence, "en") == sentence == "Held at 1.5 kW until Evening peak ends."
    assert tell(sentence, "de") == "Bis Abendspitze endet, gelten 1,5 kW."
    assert tell(sentence, "fr") == "Held at 1,5 kW until Evening peak ends."
    assert tell("Held at {power}", "de") == "Held at {power}", "plain text has no places"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("nl,fr;q=0.5,en;q=0.4", "fr"),
        ("en;q=0.2, es ; q=0.7", "es"),
        ("fr;q=0", "en"),
        ("fr;q=much,de;q=0.1", "de"),
        ("*", "en"),
        (";;,,=", "en"),
    ],
)
def test_the_best_liked_language_is_spoken(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_an_error_says_what_it_was_raised_with() -> None:
    sentence = say(HELD, power="1 W", event="it")
    assert said(ValueError(sentence)) is sentence
    assert said(ValueError("plain", 2)) == "('plain', 2)"
    assert said(ValueError()) == ""


@pytest.mark.usefixtures("german")
async def test_answers_and_stream_speak_the_language_asked_for(served: Served) -> None:
    sentence = say(HELD, power=Quantity("1.5", "kW"), event=say(PEAK_NAME))
    await served.home.play(alarms=[sentence])
    in_german = "Bis Abendspitze endet, gelten 1,5 kW."
    german = {"Accept-Language": "de-DE"}
    async with served.client.get("/api/home", headers=german) as answer:
        assert (await answer.json())["alarms"] == [in_german]
    async with served.client.get("/api/home?lang=en", headers=german) as answer:
        assert (await answer.json())["alarms"] == [str(sentence)]
    for language, told in (("de", in_german), ("en", str(sentence)), ("de", in_german)):
        async with served.client.get(f"/api/stream?lang={language}") as answer:
            while not (line := await answer.content.readline()).startswith(b"data: "):
                assert line, "the stream ended"
            assert json.loads(line.removeprefix(b"data: "))["alarms"] == [told]


@pytest.mark.parametrize("language", [each for each in words.LANGUAGES if each != "en"])
def test_each_language_has_a_catalogue(language: str) -> None:
    assert words.read(language)


@pytest.mark.usefixtures("german")
async def test_an_error_is_told_too(served: Served) -> None:
    async with served.client.get("/api/nothing?lang=de") as answer:
        assert answer.status == 404
        assert (await answer.json())["error"] == "Hier ist nichts."

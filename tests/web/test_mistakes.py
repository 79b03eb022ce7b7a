"""What is wrong with what a form sent is said in the reader's language, by the form's own words."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import aiohttp
import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tests.web.conftest import Served
from tests.web.entry import entry
from web import words
from web.mistakes import field_of, sentence_of
from web.parts import all_operations
from web.settings import WebSettings
from web.settings_api import TariffModel
from web.words import tell


def mistake(model: type[BaseModel], text: str) -> ValidationError:
    with pytest.raises(ValidationError) as error:
        model.model_validate_json(text)
    return error.value


class Form(BaseModel):
    """A form with a field of each kind."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=5)]
    port: Annotated[int, Field(ge=1, le=9)] = 1
    peak: Annotated[float, Field(gt=0, lt=2, allow_inf_nan=False)] = 1.0
    tests: bool = True
    ready: Annotated[str, Field(pattern="^[0-9]{2}:[0-9]{2}$")] = "07:00"
    called: Annotated[str, Field(pattern="^[a-z]*$")] = ""
    places: list[str] = []


@pytest.mark.requirement("ROLE-UI")
@pytest.mark.parametrize(
    ("sent", "english", "german"),
    [
        ({}, "Name: this is missing.", "Name: die Angabe fehlt."),
        ({"name": ""}, "Name: this must not be empty.", "Name: das darf nicht leer sein."),
        (
            {"name": "Adalbert"},
            "Name: this must have at most 5 characters.",
            "Name: höchstens 5 Zeichen.",
        ),
        ({"name": 1}, "Name: this must be text.", "Name: Text wird gebraucht."),
        ({"port": 0}, "Port: this must be at least 1.", "Port: mindestens 1."),
        ({"port": 10}, "Port: this must be at most 9.", "Port: höchstens 9."),
        (
            {"port": 1.5},
            "Port: this must be a whole number.",
            "Port: eine ganze Zahl wird gebraucht.",
        ),
        (
            {"peak": 0.0},
            "Price of the peak: this must be more than 0.",
            "Preis der Spitze: mehr als 0.",
        ),
        (
            {"peak": "x"},
            "Price of the peak: this must be a number.",
            "Preis der Spitze: eine Zahl wird gebraucht.",
        ),
        (
            {"ready": "7"},
            "Ready by: this must be a time such as 07:00.",
            "Bereit um: eine Uhrzeit wie 07:00 wird gebraucht.",
        ),
        (
            {"called": "A1"},
            "Name of the device: this is not written as it has to be.",
            "Name des Geräts: die Schreibweise stimmt nicht.",
        ),
        (
            {"tests": "maybe"},
            "tests: this must be yes or no.",
            "tests: ja oder nein wird gebraucht.",
        ),
        ({"places": 1}, "places: this must be a list.", "places: eine Liste wird gebraucht."),
        (
            {"warp": 9},
            "warp: this cannot be given here.",
            "warp: das kann hier nicht angegeben werden.",
        ),
    ],
)
def test_each_kind_of_mistake_has_a_sentence_of_its_own(
    sent: Mapping[str, object], english: str, german: str
) -> None:
    whole = sent if "name" in sent or not sent else {"name": "Ada", **sent}
    said = sentence_of(mistake(Form, json.dumps(whole)))
    assert said == english
    assert tell(said, "de") == german
    assert tell(str(said), "de") == german, "also where it was kept as text"


def test_a_mistake_in_a_row_says_in_which_one() -> None:
    band = {"price": 0.2, "begins": "07:00", "ends": "22:00"}
    sent = {"kind": "bands", "price": 0.3, "bands": [band, {**band, "price": 1000}]}
    error = mistake(TariffModel, json.dumps(sent))
    assert field_of(error) == "bands.1.price"
    assert sentence_of(error) == "Price band 2, Price: this must be at most 100."
    assert tell(sentence_of(error), "fr") == "Plage de prix 2, Prix\N{NO-BREAK SPACE}: au plus 100."


def test_a_mistake_about_the_whole_is_a_sentence_of_its_own() -> None:
    error = mistake(TariffModel, '{"kind": "dear", "price": 0.3}')
    one_of = "kind: eines von diesen wird gebraucht: 'flat', 'bands', 'dynamic', 'utility'."
    assert tell(sentence_of(error), "de") == one_of
    error = mistake(TariffModel, '{"kind": "bands", "price": 0.3}')
    assert sentence_of(error) == "A tariff by the time of day has at least one band."
    assert tell(sentence_of(error), "es").startswith("Una tarifa por horas")
    assert sentence_of(mistake(TariffModel, "{")) == "The request is invalid JSON."


@pytest.mark.parametrize("language", [each for each in words.LANGUAGES if each != "en"])
def test_no_mistake_of_any_form_is_told_in_english(language: str) -> None:
    """Whatever is left out or misspelt, in every body that the API takes."""
    english = set()
    for operation in all_operations():
        body = operation.signature.body
        if body is None:
            continue
        for sent in ("{}", '{"warp": 9}', "[]", "{", '"x"'):
            try:
                body.model_validate_json(sent)
            except ValidationError as error:
                said = sentence_of(error)
                if tell(said, language) == said:
                    english.add((operation.path, said))
    assert english == set()


async def test_the_answer_names_the_field_for_programs(served: Served) -> None:
    device = served.home.now.devices[0].id
    wish = {"power_w": "0", "seconds": 9}
    asked = {"Accept-Language": "fr"}
    async with served.client.post(
        f"/api/devices/{device}/wish", json=wish, headers=asked
    ) as answer:
        assert answer.status == 400
        assert await answer.json() == {
            "error": "Puissance voulue\N{NO-BREAK SPACE}: il faut un nombre.",
            "field": "power_w",
        }


async def test_a_wrong_secret_is_never_told_back(tmp_path: Path) -> None:
    settings = WebSettings(port=0, static_dir=tmp_path)
    async with entry(tmp_path, settings) as home, home.visitor() as client:
        sent = {"name": "Ada", "password": ["hunter2 hunter2"]}
        answer: aiohttp.ClientResponse
        async with client.post("/api/login", json=sent) as answer:
            assert answer.status == 400
            assert "hunter2" not in await answer.text()

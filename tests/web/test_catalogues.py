"""Whatever the hub says to people can be told in every language of the page."""

import time
from string import Formatter

import pytest

from der.sentence import Quantity, Template, forms, in_turn, listed, say
from tests.templates import templates, wrong_values
from web import words
from web.catalogue import Catalogue, Place, figure, taken_apart
from web.words import tell

OTHERS = tuple(each for each in words.LANGUAGES if each != words.ENGLISH)
HELD = "Held at {power} until {event} ends."
CAUSED = "{reason}; the hub does it, for {name} cannot by itself"
PAID = "Energy costs {price:.2f}, {share:.0%} of it tax"
CALM = "Nobody asks anything of it"
TOLD = {
    HELD: "Bis {event} endet, gelten {power}.",
    CAUSED: "{reason}; das tut die Zentrale, weil {name} es nicht selbst kann",
    PAID: "Energie kostet {price:.2f}, davon {share:.0%} Steuer",
    CALM: "Niemand verlangt etwas von ihm",
    "Tue {time}": "Di {time}",
    "import limit": "Bezugsgrenze",
    "{limit} until {time}": "{limit} bis {time}",
    "the sun leaves over no more": "die Sonne lässt nicht mehr übrig",
}


@pytest.fixture(scope="module")
def german() -> Catalogue:
    """A German catalogue of a few sentences."""
    return Catalogue("de", TOLD)


def places(template: str) -> list[str]:
    """Return the names of a template's places, in alphabetical order."""
    return sorted(name for _, name, _, _ in Formatter().parse(template) if name is not None)


@pytest.mark.requirement("ROLE-UI")
@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_told_in_every_language(language: str) -> None:
    told = words.read(language)
    said = templates()
    assert sorted(said - told.keys()) == [], "not told yet"
    assert sorted(told.keys() - said) == [], "no longer said"
    for english, other in told.items():
        assert other.strip() == other, other
        assert other, english
        for one, its in zip(forms(other), forms(english), strict=True):
            assert places(one) == places(its), f"{english!r}: {other!r}"


def test_every_sentence_is_given_the_values_of_its_places() -> None:
    assert wrong_values() == []


@pytest.mark.parametrize("language", OTHERS)
def test_what_was_kept_as_text_is_told_like_a_sentence(language: str) -> None:
    catalogue = words.catalogue(language)
    unknown = []
    for english in sorted(templates()):
        template = taken_apart(english)
        values = {place.name: _sample(place) for place in template.places}
        sentence = say(english, **values)
        told = catalogue.tell(sentence)
        assert "{" not in told
        if catalogue.tell(str(sentence)) != told:
            unknown.append(english)
    assert len(unknown) <= 0.02 * len(templates()), unknown


def _sample(place: Place) -> str | float:
    if place.numeric:
        return 3 if place.spec.endswith("d") else 2.5
    return "Tue 07:00" if place.name == "time" else "Xy"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (say(HELD, power=Quantity("1.5", "kW"), event=say(CALM)), None),
        ("Held at 1.5 kW until Z ends.", "Bis Z endet, gelten 1,5 kW."),
        (CALM, TOLD[CALM]),
        (f"{CALM}.", f"{TOLD[CALM]}."),
        ("nobody asks anything of it", TOLD[CALM]),
        ("The sun leaves over no more.", "Die Sonne lässt nicht mehr übrig."),
        ("Held at 2 kW until Tue 07:00 ends.", "Bis Di 07:00 endet, gelten 2 kW."),
        ("Energy costs 0.25, 20% of it tax", "Energie kostet 0,25, davon 20 % Steuer"),
        ("Energy costs little, 20% of it tax", "Energy costs little, 20% of it tax"),
        (
            f"{CALM}; the hub does it, for the car cannot by itself",
            f"{TOLD[CALM]}; das tut die Zentrale, weil the car es nicht selbst kann",
        ),
        (f"Garage: {CALM}", f"Garage: {TOLD[CALM]}"),
        (f"{CALM}; {CALM}", f"{TOLD[CALM]}; {TOLD[CALM]}"),
        ("import limit until 06:45", "Bezugsgrenze bis 06:45"),
        ("Wait until you hear from us", "Wait until you hear from us"),
        ("Peak Saver", "Peak Saver"),
        ("192.168.1.10", "192.168.1.10"),
        ("", ""),
        ("Held at {power} until {event} ends.", "Bis {event} endet, gelten {power}."),
    ],
)
def test_sentences_and_plain_text_are_told(german: Catalogue, text: str, told: str | None) -> None:
    if told is None:
        told = f"Bis {TOLD[CALM]} endet, gelten 1,5 kW."
        assert german.tell(str(text)) == told, "and so is what was kept of it"
    assert german.tell(text) == told


def test_numbers_are_written_as_the_language_does(german: Catalogue) -> None:
    assert (
        german.tell(say(PAID, price=0.5, share=0.125)) == "Energie kostet 0,50, davon 12 % Steuer"
    )
    assert [figure(each) for each in ("1.5 kW", "-0.3", "12%", "3 EUR/kWh", "v1.2.3", "x")] == [
        "1,5 kW",
        "-0,3",
        "12 %",
        "3 EUR/kWh",
        "v1.2.3",
        "x",
    ]


FOLLOW = "{names} follows. | {names} follow."
CALLED = "called once in {days} days | called {calls} times in {days} days"


@pytest.mark.requirement("ROLE-UI")
def test_one_and_several_have_forms_of_their_own() -> None:
    told = {
        FOLLOW: "{names} folgt. | {names} folgen.",
        CALLED: "in {days} Tagen einmal abgerufen | in {days} Tagen {calls}-mal abgerufen",
        "{several} and {last}": "{several} und {last}",
    }
    catalogue = Catalogue("de", told)
    for names, english, german in (
        (["Car"], "Car follows.", "Car folgt."),
        (["Car", "Heat"], "Car and Heat follow.", "Car und Heat folgen."),
        (["A", "B", "C"], "A, B and C follow.", "A, B und C folgen."),
    ):
        said = say(FOLLOW, names=listed(names))
        assert (said, catalogue.tell(said)) == (english, german)
        kept = catalogue.tell(str(said))
        assert kept.split()[-1] == german.split()[-1], "also where it was kept as text"
    assert say(FOLLOW, names="Salt and pepper mill") == "Salt and pepper mill follows."
    for calls, german in ((1, "in 3 Tagen einmal abgerufen"), (2, "in 3 Tagen 2-mal abgerufen")):
        said = say(CALLED, calls=calls, days=3)
        assert catalogue.tell(said) == catalogue.tell(str(said)) == german
    assert say(CALLED, calls=0, days=3) == "called 0 times in 3 days"
    with pytest.raises(KeyError):
        say(FOLLOW, name="Car")
    with pytest.raises(ValueError, match="shorter"):
        Catalogue("de", {FOLLOW: "{names} folgt."})


def test_rows_and_joined_clauses_are_sentences() -> None:
    assert listed([]) == in_turn([]) == ""
    assert listed(["A"]) == in_turn(["A"]) == "A"
    assert listed(["A", "B", "C"]) == "A, B and C"
    assert in_turn(["a", "b", "c"]) == "a; b; c"
    assert tell(listed(["A", say(CALM), "C"]), "de").endswith(" und C")
    assert Template("Give {power}")(power=Quantity("1", "kW")) == "Give 1 kW"


@pytest.mark.parametrize(
    "hostile",
    [
        "Held at " * 250,
        "Held at " + "until " * 300 + "ends.",
        "; ".join(["a"] * 600),
        ". " * 990,
        "{" * 1900,
        "{0.__class__} until {x!r:>99999999}",
        "Energy costs " + "9" * 1900 + ", 1% of it tax",
        "Z" * 1_000_000,
    ],
)
@pytest.mark.parametrize("language", OTHERS)
def test_no_text_takes_long_or_is_lost(language: str, hostile: str) -> None:
    began = time.process_time()
    told = words.catalogue(language).tell(hostile)
    assert time.process_time() - began < 1.0
    assert told.count("Z") == hostile.count("Z")
    assert told

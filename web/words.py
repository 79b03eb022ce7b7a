"""Sentences for people, told in the language of who asks.

The home speaks English and remembers how each sentence was made (`der.sentence`); here its
template is looked up in the asked language's catalogue, a JSON object of templates by English
template. What no catalogue has is told in English.
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from aiohttp import web
from pydantic import BeforeValidator

from web.catalogue import Catalogue
from web.handler import Handler

ENGLISH: Final = "en"
LANGUAGES: Final = (ENGLISH, "fr", "de", "es")
LANGUAGE_KEY: Final = "lang"
"""What in any query names the language of the answer; a stream can name it in no other way."""
LANGUAGE: ContextVar[str] = ContextVar("language", default=ENGLISH)
"""In which language the request at hand is answered."""

_CATALOGUES = Path(__file__).parent / "catalogues"


@cache
def catalogue(language: str) -> Catalogue:
    """Return the catalogue of a language other than English."""
    return Catalogue(language, read(language))


def read(language: str) -> Mapping[str, str]:
    """Return a language's templates by English template, as they are written down."""
    text = (_CATALOGUES / f"{language}.json").read_text(encoding="utf-8")
    templates: dict[str, str] = json.loads(text)
    return templates


def tell(text: str, language: str) -> str:
    """Return a sentence in a language; what its catalogue does not know as it is."""
    return str(text) if language == ENGLISH else catalogue(language).tell(text)


def _told(value: object) -> object:
    return tell(value, LANGUAGE.get()) if isinstance(value, str) else value


Words = Annotated[str, BeforeValidator(_told)]
"""Text for people in an answer: in the language of the request at hand."""


@web.middleware
async def use_language(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Have a request answered in the language it asks for."""
    token = LANGUAGE.set(language_of(request))
    try:
        return await handler(request)
    finally:
        LANGUAGE.reset(token)


def language_of(request: web.Request) -> str:
    """Return the language a request asks for: by its query, else by its headers, else English."""
    asked = request.query.get(LANGUAGE_KEY, "")
    return asked if asked in LANGUAGES else preferred(request.headers.get("Accept-Language", ""))


def preferred(accepted: str) -> str:
    """Return which of our languages an Accept-Language header likes best (RFC 9110 12.5.4)."""
    best, liking = ENGLISH, 0.0
    for each in accepted.split(","):
        span, _, weight = each.partition(";")
        language = span.strip().lower().partition("-")[0]
        liked = _weight(weight)
        if language in LANGUAGES and liked > liking:
            best, liking = language, liked
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0

"""What must hold of whatever the page's API is asked that its own description allows, or does not.

Schemathesis makes the requests from the description that the running hub serves. No answer is a
5xx; each has a status, a type and a form that the description names.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hems.access.rights import Role

PASSWORD: Final = "correct horse battery"
_WITHIN_S: Final = 20.0
_MOST_TOLD: Final = 2500
_CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
LEFT_OUT: Final[Mapping[str, str]] = {
    "GET /api/stream": "it never ends; tests/web/test_stream.py asks for it in every wrong way",
    "POST /api/wipe": "what is left afterwards is no hub that could be asked",
    "POST /api/restore/{id}": "the hub would begin anew as another",
    "POST /api/logout": "it ends the session that asks",
    "PUT /api/me/password": "it ends the account that asks",
    "POST /api/login": "guessing locks the account that asks; the brake has tests of its own",
    "POST /api/me/proof": "the same",
    "DELETE /api/me/sessions/{session}": "it may end the session that asks",
    "DELETE /api/people/{person}": "it may end the account that asks",
    "PUT /api/people/{person}": "the same",
    "PUT /api/people/{person}/password": "the same",
}
"""What is not asked for at random, and why."""


@dataclass
class Found:
    """What came of asking.

    Attributes:
        asked: How many answers there were, by status.
        wrong: Broken promises, each once.
        reached: Operations that were asked for.
    """

    asked: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)


def log_in(url: str, name: str, password: str = PASSWORD) -> requests.Session:
    """Return a browser in which somebody is logged in."""
    session = requests.Session()
    session.headers["Origin"] = url
    who = {"name": name, "password": password}
    answer = session.post(f"{url}/api/login", json=who, timeout=_WITHIN_S)
    answer.raise_for_status()
    return session


def people(url: str, roles: Sequence[Role] = tuple(Role)) -> dict[Role, requests.Session]:
    """Make an account of each role on a new hub, and log each of them in."""
    first = requests.Session()
    first.headers["Origin"] = url
    owner = {"name": "Ada", "password": PASSWORD}
    first.post(f"{url}/api/first", json=owner, timeout=_WITHIN_S).raise_for_status()
    sessions = {Role.OWNER: log_in(url, "Ada")}
    for role in roles:
        if role is not Role.OWNER:
            person = {"name": f"Kim {role}", "role": role.value, "password": PASSWORD}
            made = sessions[Role.OWNER].post(f"{url}/api/people", json=person, timeout=_WITHIN_S)
            made.raise_for_status()
            sessions[role] = log_in(url, person["name"])
    return sessions


@dataclass(frozen=True, slots=True)
class Asking:
    """How the API is asked.

    Attributes:
        url: The hub's page.
        sessions: Who asks, all of them each time; the first may ask for the description.
        examples: How many requests of each operation, in each manner.
        number: By which other requests are made, and in another order.
        place: Where the description is.
        left_out: What is not asked for, and why.
        every: Of so many operations one is asked for; which ones goes by the number.
    """

    url: str
    sessions: Sequence[requests.Session]
    examples: int
    number: int
    place: str = "/api/openapi.json"
    left_out: Mapping[str, str] = field(default_factory=lambda: LEFT_OUT)
    every: int = 1


def ask(asking: Asking, found: Found, within_s: float) -> None:
    """Ask for every operation, rightly and wrongly; what is left after a time is not asked for."""
    until = time.monotonic() + within_s
    place = f"{asking.url}{asking.place}"
    document = asking.sessions[0].get(place, timeout=_WITHIN_S).json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [got.ok() for got in schema.get_all_operations() if isinstance(got, Ok)]
    random.Random(asking.number).shuffle(operations)  # noqa: S311 - another order, no secret
    for mode in GenerationMode:
        for operation in operations[:: asking.every]:
            if time.monotonic() > until:
                return
            if operation.label not in asking.left_out:
                _ask_for(operation, mode, asking, found)


def _ask_for(
    operation: APIOperation[Any, Any, Any, Any],
    mode: GenerationMode,
    asking: Asking,
    found: Found,
) -> None:
    @seed(asking.number)
    @settings(
        max_examples=asking.examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: Case[Any]) -> None:
        for session in asking.sessions:
            _asked(case, asking.url, session, found)

    try:
        asked()
    except Unsatisfiable:
        pass  # nothing can be wrong in a request that takes nothing
    except schemathesis.errors.SchemathesisError as error:
        found.wrong.setdefault(f"{operation.label}: cannot be asked for", str(error)[:300])
    found.reached.add(operation.label)


def _asked(case: Case[Any], url: str, session: requests.Session, found: Found) -> None:
    label = case.operation.label
    try:
        answer = case.call(base_url=url, session=session, timeout=_WITHIN_S)
    except requests.RequestException as error:
        found.wrong.setdefault(f"{label}: {type(error).__name__}", str(error)[:300])
        return
    found.asked[answer.status_code] += 1
    try:
        case.validate_response(answer, checks=_CHECKS)
    except (Failure, FailureGroup) as error:
        for each in error.exceptions if isinstance(error, FailureGroup) else [error]:
            what = f"{label}: {type(each).__name__} {answer.status_code}"
            how = f"{each}\n{case.as_curl_command()}\n{answer.text}"
            found.wrong.setdefault(what, how[:_MOST_TOLD])


async def ask_as_each_role(
    url: str, within_s: float, examples: int, number: int = 0, every: int = 1
) -> Found:
    """Ask as each role and as nobody, for a time; the hub must still be well afterwards.

    Args:
        url: A new hub's page.
        within_s: For so long.
        examples: Of each operation in each manner.
        number: By which other requests are made.
        every: Of so many operations one is asked for.
    """
    found = Found()
    known = await asyncio.to_thread(people, url)
    stranger = requests.Session()
    stranger.headers["Origin"] = url
    asking = Asking(url, [*known.values(), stranger], examples, number, every=every)
    await asyncio.to_thread(ask, asking, found, within_s)
    answer = await asyncio.to_thread(requests.get, f"{url}/api/health", timeout=_WITHIN_S)
    if answer.status_code != requests.codes.ok:
        found.wrong["the hub is not well afterwards"] = answer.text
    return found

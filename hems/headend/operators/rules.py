"""What a request at the operator's door takes and gives, and who may ask: one row of a table.

The table itself is in `hems.headend.operators.table`; the document that describes the door
(`hems.headend.operators.openapi`) and who is let in (`hems.headend.operators.gate`) both go by it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from hems.headend.operators.roles import ANY, OperatorRole

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Param:
    """Something in the query string.

    Attributes:
        name: Its name.
        kind: "string", "number" or "integer".
        about: What it says, in a few words; empty where the name does.
    """

    name: str
    kind: str = "string"
    about: str = ""

    @property
    def told(self) -> Mapping[str, Any]:
        """As OpenAPI has it."""
        schema = {"type": self.kind} if self.kind == "string" else {"type": self.kind, "minimum": 0}
        told = {"name": self.name, "in": "query", "required": False, "schema": schema}
        return {**told, "description": self.about} if self.about else told


@dataclass(frozen=True, slots=True)
class Rule:
    """A request.

    Attributes:
        method: Of HTTP.
        path: With names in braces.
        who: Who may ask, by any of these roles; nobody needs to be known where it is None.
        answer: What is answered; None for nothing, or what is no JSON.
        body: What is taken as JSON; None for nothing.
        status: Of the answer.
        optional: Whether the body may be left out.
        query: What is taken from the query.
        others: What may be answered beside that, by its status.
        media: Of an answer that is no model.
        quiet: Whether the trail leaves out what was asked for: too long, or secret.
        harmless: Whether it changes nothing although it has a body: the trail leaves it out.
        named: Whether it takes a name, under which it is done once (`Idempotency-Key`).
    """

    method: str
    path: str
    who: frozenset[OperatorRole] | None
    answer: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    status: int = 200
    optional: bool = False
    query: tuple[Param, ...] = ()
    others: tuple[tuple[int, type[BaseModel]], ...] = ()
    media: str = ""
    quiet: bool = False
    harmless: bool = False
    named: bool = False


READERS: Final = ANY
DISPATCHERS: Final = frozenset({OperatorRole.DISPATCHER})
ENGINEERS: Final = frozenset({OperatorRole.ENGINEER})
ADMINS: Final = frozenset({OperatorRole.ADMIN})
AUDITORS: Final = frozenset({OperatorRole.AUDITOR, OperatorRole.ADMIN})

LIMIT: Final = Param("limit", "number", "How many items at most.")
AFTER: Final = Param("after", "string", "`next` of the page before.")
SINCE: Final = Param("since", "number", "Epoch s.")


class Rules:
    """The table, to be asked.

    Args:
        rows: It.
    """

    def __init__(self, rows: Iterable[Rule]) -> None:
        self._rows = {(row.method, row.path): row for row in rows}

    @property
    def rows(self) -> Sequence[Rule]:
        """All rows."""
        return tuple(self._rows.values())

    def find(self, method: str, path: str) -> Rule:
        """Return the row of a request; of one that nobody wrote a row for, only admins may ask."""
        method = "GET" if method == "HEAD" else method
        return self._rows.get((method, path)) or Rule(method, path, ADMINS)

    def knows(self, method: str, path: str) -> bool:
        """Return whether there is a row for a request."""
        return (method, path) in self._rows

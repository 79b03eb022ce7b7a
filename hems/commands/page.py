"""The running home's page, as commands ask it: JSON, and one sentence where it refuses."""

import json
import urllib.error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from hems.commands.fetch import NoAnswerError, fetch
from hems.commands.way_in import credentials, hint, unanswered

M = TypeVar("M", bound=BaseModel)
Body = Mapping[str, str | float | bool | Sequence[str] | None]


class PageError(Exception):
    """The home cannot be asked, or refuses; `str()` says why."""


class Told(BaseModel):
    """Base of what the page tells; what a newer one tells beside it is left out."""

    model_config = ConfigDict(extra="ignore")


class _Fault(Told):
    error: str


class _Time(Told):
    now: float


@dataclass(frozen=True, slots=True)
class Page:
    """The page of the running home.

    Attributes:
        url: Its address.
    """

    url: str

    def get(self, path: str, model: type[M]) -> M:
        """Return what is told there.

        Raises:
            PageError: Nothing, or not that.
        """
        try:
            return model.model_validate_json(self.text(path))
        except ValidationError as error:
            raise PageError(f"{self.url} answers, but not as a home's page does") from error

    def after(self, seconds: float) -> float:
        """Return when so many seconds will have passed by the hub's clock, UTC epoch seconds.

        This machine's may be another's, or have lost the time that the hub knows.

        Raises:
            PageError: The home does not say its time.
        """
        return self.get("/api/time", _Time).now + seconds

    def text(self, path: str) -> bytes:
        """Return what is told there, as it is.

        Raises:
            PageError: Nothing.
        """
        return self._ask("GET", path, None)

    def post(self, path: str, body: Body) -> None:
        """Ask for something.

        Raises:
            PageError: It is refused.
        """
        self._ask("POST", path, json.dumps(body).encode())

    def put(self, path: str, body: Body) -> None:
        """Change something.

        Raises:
            PageError: It is refused.
        """
        self._ask("PUT", path, json.dumps(body).encode())

    def made(self, path: str, body: Body, model: type[M]) -> M:
        """Ask for something to be made, and return what it has become.

        Raises:
            PageError: It is refused, or not told of.
        """
        try:
            return model.model_validate_json(self._ask("POST", path, json.dumps(body).encode()))
        except ValidationError as error:
            raise PageError(f"{self.url} answers, but not as a home's page does") from error

    def delete(self, path: str) -> None:
        """Take something back.

        Raises:
            PageError: It is refused.
        """
        self._ask("DELETE", path, None)

    def _ask(self, method: str, path: str, body: bytes | None) -> bytes:
        headers = dict(credentials(self.url))
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = f"{self.url.rstrip('/')}{path}"
        try:
            return fetch(url, method=method, body=body, headers=headers)
        except NoAnswerError as error:
            raise PageError(unanswered(self.url, error)) from error
        except urllib.error.HTTPError as error:
            with error:
                try:
                    said = _Fault.model_validate_json(error.read()).error
                    said = said.removesuffix(".") + hint(error.code) if hint(error.code) else said
                except (ValueError, OSError):  # ValidationError is a ValueError
                    said = f"{self.url} answers {error.code} {error.reason}"
            raise PageError(said) from error

"""The running hub, asked over its page's API by a command.

Every method of `Hub` raises HubError where the hub does not answer or refuses, and
UnknownToHubError where it does not have the device.
"""

import json
import urllib.error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from hems.commands.fetch import NoAnswerError, fetch
from hems.commands.hub_answers import Fault, HomeNow, State
from hems.commands.presence import page_of
from hems.commands.way_in import credentials, hint
from hems.device_surface import CallerView, DeviceDetail, MoveOutcome
from hems.settings.config import Config
from web.device_models import CallersAnswer, DeviceDetailAnswer, MoveOutcomeAnswer
from web.trust_api import TrustAnswer

PROMPT_S: Final = 3.0
TEST_S: Final = 900.0
M = TypeVar("M", bound=BaseModel)


class HubError(Exception):
    """The running hub cannot do it; `str()` says why."""


class UnknownToHubError(HubError):
    """The running hub has no such device."""


@dataclass(frozen=True, slots=True)
class Hub:
    """The page of a running hub.

    Attributes:
        url: Its address.
        home: The home's devices file, beside which what lets commands in may lie; None where
            it is not known.
    """

    url: str
    home: Path | None = None

    def device(self, device: str) -> DeviceDetail:
        """Return all that it knows of a device."""
        answer = self.ask(f"/api/devices/{quote(device, safe='')}", DeviceDetailAnswer)
        return DeviceDetail(**answer.model_dump(include={f.name for f in fields(DeviceDetail)}))

    def test(self, device: str, move_s: float) -> MoveOutcome:
        """Have it do the test move with a device; takes half a minute or more."""
        path = f"/api/devices/{quote(device, safe='')}/test?move_s={move_s:g}"
        answer = self.ask(path, MoveOutcomeAnswer, method="POST", within_s=TEST_S)
        return MoveOutcome(**answer.model_dump())

    def callers(self) -> Sequence[CallerView] | None:
        """Return the chargers that have called in; None if it listens for none."""
        answer = self.ask("/api/callers", CallersAnswer)
        callers = tuple(CallerView(**each.model_dump()) for each in answer.callers)
        return callers if answer.listening else None

    def devices(self) -> frozenset[str]:
        """Return the ids of its devices."""
        return frozenset(device.id for device in self.ask("/api/home", HomeNow).devices)

    def alarms(self) -> Sequence[str]:
        """Return its alarms."""
        return self.ask("/api/home", HomeNow).alarms

    def trust(self) -> TrustAnswer:
        """Return how each device stands."""
        return self.ask("/api/trust", TrustAnswer)

    def judge(self, device: str, deed: str, body: Mapping[str, str | bool]) -> None:
        """Approve, block, allow a device, or lift its quarantine."""
        path = f"/api/trust/{quote(device, safe='')}/{deed}"
        try:
            fetch(
                f"{self.url}{path}",
                method="POST",
                body=json.dumps(body).encode(),
                headers={**credentials(self.url, self.home), "Content-Type": "application/json"},
            )
        except urllib.error.HTTPError as error:
            with error:
                raise _refused(error) from error
        except NoAnswerError as error:
            raise self._silent(error) from error

    def health(self, within_s: float = PROMPT_S) -> str:
        """Return in a word how it says that it is: "ok", "starting", "stalled"."""
        try:
            answer = fetch(f"{self.url}/health/ready", within_s=within_s)
        except urllib.error.HTTPError as error:
            with error:
                answer = error.read()
        except NoAnswerError as error:
            raise self._silent(error) from error
        try:
            return State.model_validate_json(answer).status
        except ValidationError as error:
            raise self._another() from error

    def ask(
        self, path: str, model: type[M], *, method: str = "GET", within_s: float = PROMPT_S
    ) -> M:
        """Return the answer to a request."""
        try:
            headers = {**credentials(self.url, self.home), "Accept-Language": "en"}
            answer = fetch(f"{self.url}{path}", method=method, headers=headers, within_s=within_s)
            return model.model_validate_json(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise _refused(error) from error
        except NoAnswerError as error:
            raise self._silent(error) from error
        except ValidationError as error:
            raise self._another() from error

    def _silent(self, error: NoAnswerError) -> HubError:
        return HubError(f"the hub at {self.url} does not answer: {error}")

    def _another(self) -> HubError:
        return HubError(f"{self.url} answers, but not as a home's page does")


def _refused(error: urllib.error.HTTPError) -> HubError:
    try:
        said = Fault.model_validate(json.loads(error.read())).error
        said = said.removesuffix(".") + hint(error.code) if hint(error.code) else said
    except (ValueError, OSError):  # ValidationError is a ValueError
        said = f"the hub answers {error.code} {error.reason}"
    return UnknownToHubError(said) if error.code == NOT_FOUND else HubError(said)


NOT_FOUND: Final = 404


def running(config: Config, url: str | None) -> Hub | None:
    """Return the hub that runs this home; None if none does.

    Args:
        config: The home's.
        url: Where its page is; None for where the hub itself has said.

    Raises:
        HubError: It runs, and its page does not answer.
    """
    page = url.rstrip("/") if url else page_of(config.home.devices)
    if page is None:
        return None
    hub = Hub(page, config.home.devices)
    hub.devices()
    return hub

"""The guided path under /api: how far the home is set up, and its enrolment."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Final, Literal

from pydantic import Field

from certs.errors import CertificateError
from certs.est.errors import WaitError
from der.sentence import say
from hems.access.rights import Right
from hems.archive.wipe import Proof
from hems.settings.toml_file import ConfigError
from hems.setup.enrolment import EnrolmentError
from hems.setup.guide import Answered, Guide
from hems.setup.progress import State, Step
from hems.setup.servers import search
from hems.store.errors import StoreError
from web.models import Answer, Input
from web.operation import Download, Operation
from web.settings_api import OutcomeAnswer, outcome
from web.words import Words

_REQUEST: Final = "application/pkcs10"
_PICTURE: Final = "image/svg+xml"
_MOST_BYTES: Final = 256 * 1024
_REFUSALS: Final = {
    EnrolmentError: HTTPStatus.BAD_REQUEST,
    CertificateError: HTTPStatus.BAD_REQUEST,
    ConfigError: HTTPStatus.CONFLICT,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    OSError: HTTPStatus.SERVICE_UNAVAILABLE,
}


class SetupStepAnswer(Answer):
    """A step; fields as in `hems.setup.progress.StepView`."""

    id: Step
    state: State
    optional: bool
    missing: Words


class ErasedAnswer(Answer):
    """What was erased when the home was wiped.

    Attributes:
        gone: Files that are not there any more.
        left: What could not be erased, each with the reason.
    """

    gone: Sequence[str]
    left: Sequence[str]


class SetupAnswer(Answer):
    """How far the home is set up; fields as in `hems.setup.progress.Progress`.

    Attributes:
        version: Of this software.
        erased: What was erased at this start; null where nothing was.
    """

    finished: bool
    steps: Sequence[SetupStepAnswer]
    next: Step
    version: str = ""
    erased: ErasedAnswer | None = None


class SetupStepOrder(Input):
    """How a step is to stand."""

    state: State


class IdentityAnswer(Answer):
    """Who the home is to its utility; fields as in `hems.setup.identity.Identity`."""

    lfdi: str
    sfdi: str
    pin: str


class UtilityLinkAnswer(Answer):
    """How the connection stands; fields as in `hems.surface.UtilityView`."""

    state: str
    detail: Words
    server: str
    last_contact: float | None


class EnrolledAnswer(Answer):
    """How the home stands to its utility; fields as in `hems.setup.guide.Enrolled`."""

    configured: bool
    fixed: bool
    identity: IdentityAnswer
    server: str
    edition: str
    link: UtilityLinkAnswer | None


class EnrolOrder(Input):
    """What the utility answered with.

    Attributes:
        content: Certificates and revocation lists, PEM; may say server, PIN and edition itself.
    """

    content: Annotated[str, Field(max_length=_MOST_BYTES)]
    server: Annotated[str, Field(max_length=2000)] = ""
    pin: Annotated[str, Field(max_length=6)] = ""
    edition: Literal["", "csip-aus", "csip", "2018", "2023"] = ""


class CodeOrder(Input):
    """An enrolment code, as typed, pasted or photographed."""

    code: Annotated[str, Field(min_length=1, max_length=1000)]


class EnrolledByCodeAnswer(OutcomeAnswer):
    """What came of an enrolment code.

    Attributes:
        again_s: After how many seconds to give the same code again, because the utility has to
            approve the home; null where it has not.
    """

    again_s: float | None = None


class ServerAnswer(Answer):
    """A server that was found."""

    name: str
    url: str


class ServersAnswer(Answer):
    """The servers that were found."""

    servers: Sequence[ServerAnswer]


class SetupApi:
    """The guided path.

    Args:
        guide: Of the home.
        erased: What was erased at this start; None where nothing was.
    """

    def __init__(self, guide: Guide, erased: Callable[[], Proof | None]) -> None:
        self._guide = guide
        self._erased = erased

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        set_up, refusals = Right.SET_UP, _REFUSALS
        utility = "/api/setup/utility"
        return [
            Operation("GET", "/api/setup", cls.setup, Right.SEE, refusals=refusals),
            Operation(
                "POST",
                "/api/setup/steps/{step}",
                cls.step,
                set_up,
                refusals={**refusals, ValueError: HTTPStatus.BAD_REQUEST},
            ),
            Operation("GET", utility, cls.utility, set_up, refusals=refusals),
            Operation(
                "POST", utility, cls.enrol, set_up, refusals=refusals, max_body_bytes=_MOST_BYTES
            ),
            Operation("POST", f"{utility}/code", cls.enrol_by_code, set_up, refusals=refusals),
            Operation("DELETE", utility, cls.leave, set_up, refusals=refusals),
            Operation(
                "GET",
                f"{utility}/request",
                cls.request,
                set_up,
                refusals=refusals,
                media_type=_REQUEST,
            ),
            Operation(
                "GET",
                f"{utility}/identity.svg",
                cls.picture,
                set_up,
                refusals=refusals,
                media_type=_PICTURE,
            ),
            Operation("POST", f"{utility}/search", cls.search, set_up, refusals=refusals),
        ]

    async def setup(self) -> SetupAnswer:
        """Return how far the home is set up, and what is missing."""
        found = SetupAnswer.model_validate(await self._guide.progress())
        erased = self._erased()
        proof = None
        if erased is not None:
            gone = [str(each.path) for each in erased.gone]
            proof = ErasedAnswer(gone=gone, left=erased.left)
        more = {"version": version("hems"), "erased": proof}
        return SetupAnswer.model_validate({**found.model_dump(), **more})

    async def step(self, step: str, body: SetupStepOrder) -> SetupAnswer:
        """Pass a step of the path, put it off, or take it up again."""
        try:
            which = Step(step)
        except ValueError as error:
            raise ValueError(say("There is no such step.")) from error
        try:
            await self._guide.step(which, body.state)
        except ValueError as error:
            raise ValueError(say("This step cannot be put off.")) from error
        return await self.setup()

    async def utility(self) -> EnrolledAnswer:
        """Return how the home stands to its utility, and who it is there."""
        return EnrolledAnswer.model_validate(await self._guide.enrolled())

    async def enrol(self, body: EnrolOrder) -> OutcomeAnswer:
        """Take what the utility answered with; the hub connects with it at once."""
        answered = Answered(
            body.content.encode(), body.server.strip(), body.pin.strip(), body.edition
        )
        return outcome(await self._guide.enrol(answered))

    async def enrol_by_code(self, body: CodeOrder) -> EnrolledByCodeAnswer:
        """Enrol by a code of the utility (EST, RFC 7030); the hub connects at once."""
        try:
            came = outcome(await self._guide.enrol_by_code(body.code))
        except WaitError as error:
            return EnrolledByCodeAnswer(saved=False, mistakes=[], again_s=error.again_s)
        return EnrolledByCodeAnswer(saved=came.saved, mistakes=came.mistakes)

    async def leave(self) -> OutcomeAnswer:
        """Forget the utility."""
        return outcome(await self._guide.leave())

    async def request(self) -> Download:
        """Return the request for a certificate that the utility answers (PKCS #10)."""
        return Download(await self._guide.request(), _REQUEST, "hub.csr")

    async def picture(self) -> Download:
        """Return who the home is to its utility, as a QR code."""
        found = await self._guide.enrolled()
        return Download(found.identity.picture, _PICTURE, "identity.svg")

    async def search(self) -> ServersAnswer:
        """Look for utilities' servers on the home's network, for some seconds."""
        found = await search()
        return ServersAnswer(servers=[ServerAnswer.model_validate(each) for each in found])

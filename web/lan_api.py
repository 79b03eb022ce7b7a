"""The API's handlers for the hub on the home's network: how to reach it, and to come to trust it.

Whoever asks is told: what is told here is what a browser learns anyway when it connects.
"""

import io
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from der.sentence import say
from hems.access.rights import Right
from hems.lan.presence import Presence
from hems.on_demand import on_demand
from web.models import Answer
from web.operation import Download, Operation
from web.words import LANGUAGE, Words, tell

if TYPE_CHECKING:
    import segno

    from hems.lan import profile
else:  # for the day on which a phone comes to trust the hub
    segno = on_demand("segno")
    profile = on_demand("hems.lan.profile")


class LanAnswer(Answer):
    """How the hub is reached; fields as in `hems.lan.presence.LanView`.

    Attributes:
        served: Whether it is reached from the home's network at all.
    """

    served: bool = True
    page: str = ""
    trust: str = ""
    name: str = ""
    names: Sequence[str] = ()
    fingerprint: str = ""
    spoken: str = ""
    expires_at: float | None = None
    notes: Sequence[Words] = ()


class NotServedError(Exception):
    """The page is for this machine alone; there is no certificate to trust."""


class LanApi:
    """What can be asked of the hub's place on the home's network.

    Args:
        presence: Its presence there; None where the page is for this machine alone.
    """

    def __init__(self, presence: Presence | None) -> None:
        self._presence = presence

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        gone: Mapping[type[Exception], HTTPStatus] = {NotServedError: HTTPStatus.NOT_FOUND}
        return [
            Operation("GET", "/api/lan", cls.lan, Right.ANYBODY),
            Operation(
                "GET",
                "/api/lan/code.svg",
                cls.code,
                Right.ANYBODY,
                refusals=gone,
                media_type="image/svg+xml",
            ),
            Operation(
                "GET",
                "/api/lan/home-energy.crt",
                cls.certificate,
                Right.ANYBODY,
                refusals=gone,
                media_type="application/x-x509-ca-cert",
            ),
            Operation(
                "GET",
                "/api/lan/home-energy.mobileconfig",
                cls.profile,
                Right.ANYBODY,
                refusals=gone,
                media_type="application/x-apple-aspen-config",
            ),
        ]

    async def lan(self) -> LanAnswer:
        """Tell how the hub is reached on the home's network, and its certificate's fingerprint."""
        if self._presence is None:
            return LanAnswer(served=False)
        return LanAnswer.model_validate(self._presence.view())

    async def code(self) -> Download:
        """Return the address at which a phone is shown how to trust the hub, as a QR code."""
        drawn = io.BytesIO()
        segno.make(self._there().view().trust, error="m", micro=False).save(
            drawn, kind="svg", xmldecl=False, border=2, omitsize=True, light="#ffffff"
        )
        return Download(drawn.getvalue(), "image/svg+xml", "code.svg")

    async def certificate(self) -> Download:
        """Return the certificate of the hub's own authority, PEM."""
        pem = profile.certificate_pem(self._there().identity.authority)
        return Download(pem, "application/x-x509-ca-cert", "home-energy.crt")

    async def profile(self) -> Download:
        """Return the same as a configuration profile for Apple's systems."""
        language = LANGUAGE.get()
        title = tell(say("Home energy hub"), language)
        text = tell(say("Lets this device trust the energy hub of your home."), language)
        made = profile.apple_profile(self._there().identity.authority, title, text)
        return Download(made, "application/x-apple-aspen-config", "home-energy.mobileconfig")

    def _there(self) -> Presence:
        if self._presence is None:
            raise NotServedError(say("The page is served to the hub's own machine only."))
        return self._presence

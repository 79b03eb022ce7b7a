"""The resources under /.well-known/est (RFC 7030; revocation lists by RFC 8295)."""

import binascii
import logging
from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from cryptography import x509

from certs.errors import CertificateError
from certs.est.client import DCAP_RELATION
from certs.est.code import read_secret
from certs.est.errors import EstError
from certs.est.request import tls_unique
from certs.est.transport import PATH
from certs.est.wire import (
    ATTRIBUTES_TYPE,
    CERTS_ONLY,
    CRLS_ONLY,
    MOST_REQUEST_OCTETS,
    PKCS10_TYPE,
    certs_only,
    crls_only,
    wishes_body,
)
from certs.identity import lfdi
from certs.pem import der
from certs.verify import peer_chain
from hems.headend.bodies import octets_of
from hems.headend.errors import (
    BusyError,
    ForbiddenError,
    RequestError,
    ThrottledError,
)
from hems.headend.est.attempts import Attempts
from hems.headend.est.authority import Authority
from hems.headend.est.policy import Request, Shown, Standing, check_tied, judged, shown_by
from hems.headend.est.records import Enrolment
from hems.headend.est.register import PendingError, Register, WrongCodeError
from hems.headend.throttle import Throttle

RETRY_AFTER_S: Final = 5
_BODY_WITHIN_S: Final = 10.0
_MOST_NAME: Final = 256
_ACCEPTED: Final = 202
_UNSUPPORTED: Final = 415
_NOT_HERE: Final = 501

_log = logging.getLogger(__name__)


class EstViews:
    """What homes ask of the EST server.

    Args:
        register: Who may have a certificate.
        authority: Who issues.
        attempts: Counts wrong codes.
        throttle: How often a device may renew.
        again_s: When homes that wait for approval ask again.
        dcap: Returns where the IEEE 2030.5 server is for a home that reaches this one by a host.
        refresh: Has all servers read roots and revocation lists again.
        makers: The manufacturers' roots.
        tied: Whether requests must be tied to their connection.
    """

    def __init__(
        self,
        register: Register,
        authority: Authority,
        attempts: Attempts,
        throttle: Throttle,
        *,
        again_s: int,
        dcap: Callable[[str], str],
        refresh: Callable[[], None],
        makers: Sequence[x509.Certificate] = (),
        tied: bool = False,
    ) -> None:
        self._register = register
        self._authority = authority
        self._attempts = attempts
        self._throttle = throttle
        self._again_s = again_s
        self._dcap = dcap
        self._refresh = refresh
        self._makers = makers
        self._tied = tied

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application(middlewares=[self._edge])
        app.add_routes(
            [
                web.get(f"{PATH}cacerts", self.get_authorities),
                web.get(f"{PATH}crls", self.get_lists),
                web.get(f"{PATH}csrattrs", self.get_wishes),
                web.post(f"{PATH}simpleenroll", self.post_enrol),
                web.post(f"{PATH}simplereenroll", self.post_renew),
                web.post(f"{PATH}serverkeygen", self.post_key),
            ]
        )
        return app

    async def get_authorities(self, _request: web.Request) -> web.Response:
        """Answer the CAs, to whoever asks: what is believed of it is the asker's business."""
        self._refresh()  # a root that homes hear of here is one that our own servers know
        return _answer(certs_only(await self._authority.certificates()), CERTS_ONLY)

    async def get_lists(self, _request: web.Request) -> web.Response:
        """Answer the revocation lists."""
        return _answer(crls_only(await self._authority.crls()), CRLS_ONLY)

    async def get_wishes(self, request: web.Request) -> web.Response:
        """Answer what requests must be like."""
        await self._shown(request)  # a certificate that is shown must be good here too
        return _answer(wishes_body(tied=self._tied), ATTRIBUTES_TYPE)

    async def post_enrol(self, request: web.Request) -> web.Response:
        """Answer the request of a new home with its certificate."""
        shown = await self._shown(request)
        maker = shown if shown is not None and shown.standing is Standing.MANUFACTURER else None
        address = request.remote or ""
        self._attempts.admit(address)
        secret = _secret(request)
        wanted = await self._wanted(request)
        try:
            found = await self._register.enrol(wanted, secret, maker)
        except WrongCodeError:
            if secret or "Authorization" in request.headers:
                self._attempts.wrong(address)
            raise
        return self._issued(request, found)

    async def post_renew(self, request: web.Request) -> web.Response:
        """Answer a home's request for the certificate that follows its present one."""
        shown = await self._shown(request)
        if shown is None or shown.standing is not Standing.OURS:
            raise ForbiddenError("renewing needs the present certificate")
        self._throttle.admit(lfdi(der(shown.certificate)))
        wanted = await self._wanted(request)
        return self._issued(request, await self._register.renew(wanted, shown))

    async def post_key(self, _request: web.Request) -> web.Response:
        """Refuse to make keys: a private key never leaves the device that it belongs to."""
        raise _NotHereError("keys are made by the devices themselves")

    async def _shown(self, request: web.Request) -> Shown | None:
        transport = request.transport
        connection = None if transport is None else transport.get_extra_info("ssl_object")
        if connection is None:
            raise ForbiddenError("the connection is gone or is not TLS")
        if connection.getpeercert(binary_form=True) is None:
            return None
        chain = peer_chain(connection)
        ours, crls = await self._authority.roots(), await self._authority.crls()
        return shown_by(chain, ours, self._makers, crls)

    async def _wanted(self, request: web.Request) -> Request:
        """Return what a request asks for, if it was made for this connection."""
        wanted = judged(await _body(request))
        transport = request.transport
        connection = None if transport is None else transport.get_extra_info("ssl_object")
        binding = None if connection is None else tls_unique(connection)
        check_tied(wanted, binding, needed=self._tied)
        return wanted

    def _issued(self, request: web.Request, found: Enrolment) -> web.Response:
        _log.info("%s got the certificate of %s", request.remote, found.lfdi)
        chain = x509.load_pem_x509_certificates(found.certificate.encode())
        response = _answer(certs_only(chain), CERTS_ONLY)
        address, edition = self._dcap(request.url.host or ""), found.edition.value
        response.headers["Link"] = f'<{address}>; rel="{DCAP_RELATION}"; title="{edition}"'
        return response

    @web.middleware
    async def _edge(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except PendingError:
            again = {"Retry-After": str(self._again_s)}
            return _refusal(_ACCEPTED, "the utility has to approve this home", again)
        except ThrottledError as error:
            return _refused(request, error, {"Retry-After": str(error.again_s)})
        except WrongCodeError as error:
            return _refused(request, error, {"WWW-Authenticate": 'Basic realm="est"'})
        except RequestError as error:
            return _refused(request, error)
        except BusyError as error:
            return _refusal(503, str(error), {"Retry-After": str(RETRY_AFTER_S)})
        except CertificateError as error:
            _log.error("EST cannot serve %s: %s", request.path, error)
            again = {"Retry-After": str(RETRY_AFTER_S)}
            return _refusal(503, "the certificate authority cannot be used now", again)
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            return _refusal(405, f"{allowed} is for {request.path}", {"Allow": allowed})
        except web.HTTPNotFound:
            return _refusal(404, "there is nothing here")


def _secret(request: web.Request) -> bytes:
    """Return the one-time secret of HTTP Basic; empty for none.

    Raises:
        WrongCodeError: It is of no kind that was ever given out.
    """
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return b""
    try:
        if scheme.lower() != "basic" or len(value) > _MOST_NAME:
            return _unknown()
        _, _, password = b64decode(value, validate=True).decode().partition(":")
        return read_secret(password)
    except (binascii.Error, UnicodeDecodeError, EstError):
        return _unknown()


def _unknown() -> bytes:
    """Return a secret that no code has, so that it is judged and counted like any other."""
    return b"\0"


async def _body(request: web.Request) -> bytes:
    if request.content_type != PKCS10_TYPE:
        raise _MediaError(f"the body is not {PKCS10_TYPE}")
    return await octets_of(request, MOST_REQUEST_OCTETS, _BODY_WITHIN_S)


class _MediaError(RequestError):
    status = _UNSUPPORTED


class _NotHereError(RequestError):
    status = _NOT_HERE


def _answer(body: bytes, kind: str) -> web.Response:
    headers = {"Content-Type": kind, "Content-Transfer-Encoding": "base64"}
    return web.Response(body=body, headers={**headers, "Cache-Control": "no-store"})


def _refused(
    request: web.Request, error: RequestError, headers: dict[str, str] | None = None
) -> web.Response:
    _log.warning("EST refuses %s %s: %s", request.remote, request.path, error)
    return _refusal(error.status, str(error), headers)


def _refusal(status: int, why: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=why + "\n", headers=headers)

"""Keys in this machine's TPM 2.0, at persistent handles: no copy of them is anywhere else.

They are made under the owner's storage key, may sign and nothing else, and need no password of
their own: what protects them is that they cannot leave this machine. A secret is kept in it as a
sealed object in the same way: once that is evicted, no copy of a file brings it back. On its way
between the TPM and this process it is encrypted.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)
from tpm2_pytss.constants import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    ESYS_TR,
    TPM2_ALG,
    TPM2_CAP,
    TPM2_NT,
    TPM2_RC,
    TPM2_RH,
    TPM2_SE,
    TPM2_ST,
    TPMA_NV,
    TPMA_OBJECT,
    TPMA_SESSION,
)
from tpm2_pytss.ESAPI import ESAPI  # type: ignore[import-untyped,import-not-found,unused-ignore]
from tpm2_pytss.TSS2_Exception import TSS2_Exception  # type: ignore[import-untyped,import-not-found,unused-ignore]
from tpm2_pytss.types import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    TPM2B_AUTH,
    TPM2B_DATA,
    TPM2B_DIGEST,
    TPM2B_NV_PUBLIC,
    TPM2B_PUBLIC,
    TPM2B_SENSITIVE,
    TPM2B_SENSITIVE_CREATE,
    TPM2B_SENSITIVE_DATA,
    TPMS_NV_PUBLIC,
    TPMS_SENSITIVE_CREATE,
    TPMT_SIG_SCHEME,
    TPMT_SYM_DEF,
    TPMT_SYM_DEF_OBJECT,
    TPMT_TK_HASHCHECK,
    TPMU_SYM_KEY_BITS,
    TPMU_SYM_MODE,
)
from tpm2_pytss.utils import wrap  # type: ignore[import-untyped,import-not-found,unused-ignore]

from certs.keys.backend import Fields, Held, read_public, spki
from certs.keys.errors import KeyStoreError, KeyStoreGoneError

FIRST: Final = 0x8102_0000
"""Persistent handles from here on are for whoever comes (TCG Registry of reserved handles)."""
LAST: Final = 0x8102_00FF
FIRST_COUNTER: Final = 0x0182_0000
"""The same for what is kept in the TPM's own memory (NV indices)."""
LAST_COUNTER: Final = 0x0182_00FF

_HANDLE: Final = 4
_PARENT: Final = "ecc256:aes128cfb"
_KEY: Final = "ecc256:ecdsa-sha256"
_MADE: Final = (
    TPMA_OBJECT.FIXEDTPM
    | TPMA_OBJECT.FIXEDPARENT
    | TPMA_OBJECT.SENSITIVEDATAORIGIN
    | TPMA_OBJECT.USERWITHAUTH
    | TPMA_OBJECT.NODA
    | TPMA_OBJECT.SIGN_ENCRYPT
)
_SECRET: Final = "keyedhash"  # noqa: S105 - a kind of object
_SEALED: Final = (
    TPMA_OBJECT.FIXEDTPM | TPMA_OBJECT.FIXEDPARENT | TPMA_OBJECT.USERWITHAUTH | TPMA_OBJECT.NODA
)
_COUNTER: Final = (
    TPMA_NV.AUTHREAD | TPMA_NV.AUTHWRITE | TPMA_NV.NO_DA | TPM2_NT.COUNTER << TPMA_NV.TPM2_NT_SHIFT
)
"""The TPM lets such a one only go up, and begins none below where another was that is gone."""
_COUNT: Final = 8
_TAKEN: Final = TPMA_OBJECT.USERWITHAUTH | TPMA_OBJECT.NODA | TPMA_OBJECT.SIGN_ENCRYPT
"""Of a key that was elsewhere before; it may not be duplicated, for it has no policy for that."""


class Tpm:
    """A TPM 2.0.

    Args:
        tcti: How it is reached, as tpm2-tss writes it: "device:/dev/tpmrm0", "tabrmd", ...
    """

    held = Held.TPM
    label = "HEMS TPM KEY"
    secret_label = "HEMS TPM SECRET"  # noqa: S105 - a label
    counter_label = "HEMS TPM COUNTER"

    def __init__(self, tcti: str) -> None:
        # What goes wrong is said once, by us; tpm2-tss would tell it on stderr, at each layer.
        os.environ.setdefault("TSS2_LOG", "all+none")
        self.name = "the TPM"
        self._tcti = tcti

    def make(self) -> tuple[bytes, ec.EllipticCurvePublicKey]:
        """Make a key in the TPM; returns its handle and public key."""
        template = TPM2B_PUBLIC.parse(_KEY, objectAttributes=_MADE)
        with self._open() as tpm, _parent(tpm) as (parent, _):
            private, public, *_rest = tpm.create(parent, TPM2B_SENSITIVE_CREATE(), template)
            key = read_public(spki_of(public))
            return _keep(tpm, tpm.load(parent, private, public)), key

    def take(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        """Import a key into the TPM; returns its handle."""
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        sensitive = TPM2B_SENSITIVE.from_pem(pem)
        public = TPM2B_PUBLIC.parse(_KEY, objectAttributes=_TAKEN)
        public.publicArea.unique.ecc = TPM2B_PUBLIC.from_pem(pem).publicArea.unique.ecc
        none = TPMT_SYM_DEF_OBJECT(algorithm=TPM2_ALG.NULL)
        with self._open() as tpm, _parent(tpm) as (parent, storage):
            _, duplicate, seed = wrap(storage.publicArea, public, sensitive)
            private = tpm.import_(parent, TPM2B_DATA(), public, duplicate, seed, none)
            return _keep(tpm, tpm.load(parent, private, public))

    def sign(self, where: bytes, digest: bytes) -> bytes:
        """Return the TPM's signature of a digest, DER."""
        ticket = TPMT_TK_HASHCHECK(tag=TPM2_ST.HASHCHECK, hierarchy=TPM2_RH.NULL)
        scheme = TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL)  # the key has its own
        with self._open() as tpm:
            made = tpm.sign(_at(tpm, where), TPM2B_DIGEST(digest), scheme, ticket)
        ecdsa = made.signature.ecdsa
        return utils.encode_dss_signature(
            int.from_bytes(bytes(ecdsa.signatureR), "big"),
            int.from_bytes(bytes(ecdsa.signatureS), "big"),
        )

    def seal(self, secret: bytes) -> Fields:
        """Keep a secret in the TPM; returns its handle."""
        template = TPM2B_PUBLIC.parse(_SECRET, objectAttributes=_SEALED)
        sensitive = TPM2B_SENSITIVE_CREATE(TPMS_SENSITIVE_CREATE(data=TPM2B_SENSITIVE_DATA(secret)))
        with self._open() as tpm, _parent(tpm) as (parent, _), _private(tpm, parent) as session:
            private, public, *_rest = tpm.create(parent, sensitive, template, session1=session)
            return (_keep(tpm, tpm.load(parent, private, public)),)

    def unseal(self, fields: Fields) -> bytes:
        """Return a secret that is kept in the TPM."""
        (where,) = fields if len(fields) == 1 else (b"",)
        with self._open() as tpm, _parent(tpm) as (parent, _), _private(tpm, parent) as session:
            return bytes(tpm.unseal(_at(tpm, where), session1=session))

    def erase(self, where: bytes) -> None:
        """Have the TPM forget a key, and look whether it did."""
        with self._open() as tpm:
            if _number(where) in _taken(tpm):
                tpm.evict_control(ESYS_TR.OWNER, _at(tpm, where), _number(where))
            if _number(where) in _taken(tpm):
                raise KeyStoreError(f"{self.name} still has the key")

    def check(self, wheres: Sequence[bytes]) -> None:
        """See whether the TPM answers and has these keys."""
        with self._open() as tpm:
            there = _taken(tpm)
        for where in wheres:
            if _number(where) not in there:
                raise KeyStoreError(f"{self.name} does not have a key that is kept in it")

    def make_counter(self) -> bytes:
        """Make a counter in the TPM's own memory; returns its index."""
        with self._open() as tpm:
            free = _free(tpm, FIRST_COUNTER, LAST_COUNTER)
            about = TPMS_NV_PUBLIC(
                nvIndex=free, nameAlg=TPM2_ALG.SHA256, attributes=_COUNTER, dataSize=_COUNT
            )
            made = tpm.nv_define_space(TPM2B_AUTH(), TPM2B_NV_PUBLIC(about))
            tpm.nv_increment(made, auth_handle=made)  # only then it can be read
        return free.to_bytes(_HANDLE, "big")

    def count(self, where: bytes) -> int:
        """Have a counter go up by one; returns where it is then."""
        with self._open() as tpm:
            counter = tpm.tr_from_tpmpublic(_index(where))
            tpm.nv_increment(counter, auth_handle=counter)
            return _read(tpm, counter)

    def counted(self, where: bytes) -> int:
        """Return how far a counter has counted."""
        with self._open() as tpm:
            return _read(tpm, tpm.tr_from_tpmpublic(_index(where)))

    def erase_counter(self, where: bytes) -> None:
        """Have the TPM forget a counter, and look whether it did."""
        with self._open() as tpm:
            if _index(where) in _used(tpm, FIRST_COUNTER, LAST_COUNTER):
                tpm.nv_undefine_space(tpm.tr_from_tpmpublic(_index(where)))
            if _index(where) in _used(tpm, FIRST_COUNTER, LAST_COUNTER):
                raise KeyStoreError(f"{self.name} still has the counter")

    @contextmanager
    def _open(self) -> Iterator[ESAPI]:
        try:
            with ESAPI(self._tcti) as tpm:
                yield tpm
        except TSS2_Exception as error:
            if error.error == TPM2_RC.HANDLE:
                raise KeyStoreError(f"{self.name} has no such key") from error
            raise KeyStoreGoneError(
                f"{self.name} ({self._tcti}) cannot be used: {error}"
            ) from error


def spki_of(public: TPM2B_PUBLIC) -> bytes:
    """Return the public key of a TPM's public area as DER."""
    key = load_pem_public_key(public.to_pem())
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KeyStoreError("the TPM gives no elliptic-curve key")
    return spki(key)


@contextmanager
def _parent(tpm: ESAPI) -> Iterator[tuple[ESYS_TR, TPM2B_PUBLIC]]:
    """Give the owner's storage key; the TPM makes it anew each time, always the same."""
    parent, public, *_rest = tpm.create_primary(TPM2B_SENSITIVE_CREATE(), _PARENT)
    try:
        yield parent, public
    finally:
        tpm.flush_context(parent)


@contextmanager
def _private(tpm: ESAPI, parent: ESYS_TR) -> Iterator[ESYS_TR]:
    """Give a session that encrypts what goes to and from the TPM, which may be on a bus."""
    how = TPMT_SYM_DEF(
        algorithm=TPM2_ALG.AES,
        keyBits=TPMU_SYM_KEY_BITS(aes=128),
        mode=TPMU_SYM_MODE(aes=TPM2_ALG.CFB),
    )
    session = tpm.start_auth_session(
        tpm_key=parent,
        bind=ESYS_TR.NONE,
        session_type=TPM2_SE.HMAC,
        symmetric=how,
        auth_hash=TPM2_ALG.SHA256,
    )
    try:
        both = TPMA_SESSION.DECRYPT | TPMA_SESSION.ENCRYPT | TPMA_SESSION.CONTINUESESSION
        tpm.trsess_set_attributes(session, both)
        yield session
    finally:
        tpm.flush_context(session)


def _keep(tpm: ESAPI, loaded: ESYS_TR) -> bytes:
    """Make a loaded key persistent at a free handle; returns that."""
    try:
        free = _free(tpm, FIRST, LAST)
        tpm.evict_control(ESYS_TR.OWNER, loaded, free)
    finally:
        tpm.flush_context(loaded)
    return free.to_bytes(_HANDLE, "big")


def _free(tpm: ESAPI, first: int, last: int) -> int:
    """Return a handle of a range that is not in use."""
    taken = _used(tpm, first, last)
    free = next((n for n in range(first, last + 1) if n not in taken), None)
    if free is None:
        raise KeyStoreError("the TPM has no room for another key")
    return free


def _used(tpm: ESAPI, first: int, last: int) -> frozenset[int]:
    """Return the handles of a range that are in use."""
    _, found = tpm.get_capability(TPM2_CAP.HANDLES, first, last - first + 1)
    return frozenset(int(n) for n in found.data.handles if first <= int(n) <= last)


def _taken(tpm: ESAPI) -> frozenset[int]:
    """Return the persistent handles in our range that are in use."""
    return _used(tpm, FIRST, LAST)


def _read(tpm: ESAPI, counter: ESYS_TR) -> int:
    return int.from_bytes(bytes(tpm.nv_read(counter, _COUNT, auth_handle=counter)), "big")


def _index(where: bytes) -> int:
    number = int.from_bytes(where, "big")
    if len(where) != _HANDLE or not FIRST_COUNTER <= number <= LAST_COUNTER:
        raise KeyStoreError("its counter's place in the TPM is damaged")
    return number


def _number(where: bytes) -> int:
    number = int.from_bytes(where, "big")
    if len(where) != _HANDLE or not FIRST <= number <= LAST:
        raise KeyStoreError("its handle in the TPM is damaged")
    return number


def _at(tpm: ESAPI, where: bytes) -> ESYS_TR:
    return tpm.tr_from_tpmpublic(_number(where))

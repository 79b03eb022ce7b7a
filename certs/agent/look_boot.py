"""How the machine has started, by its TPM: a process that reads the registers once, and ends.

`python -m certs.agent.look_boot TCTI NONCE`; one JSON object (`certs.agent.boot.Boot`) on its
standard output. The quote is signed by a key that the TPM makes anew each time, always the same, of
its owner's seed: who has seen its public key once knows by it that the same TPM answers.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final

from cryptography.hazmat.primitives.asymmetric import utils
from tpm2_pytss.constants import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    ESYS_TR,
    TPM2_ALG,
    TPMA_OBJECT,
)
from tpm2_pytss.ESAPI import ESAPI  # type: ignore[import-untyped,import-not-found,unused-ignore]
from tpm2_pytss.TSS2_Exception import TSS2_Exception  # type: ignore[import-untyped,import-not-found,unused-ignore]
from tpm2_pytss.types import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    TPM2B_DATA,
    TPM2B_PUBLIC,
    TPM2B_SENSITIVE_CREATE,
    TPML_PCR_SELECTION,
    TPMT_SIG_SCHEME,
)

from certs.agent.boot import REGISTERS, Boot
from certs.keys.errors import KeyStoreError
from certs.keys.tpm import spki_of

_SIGNS: Final = (
    TPMA_OBJECT.FIXEDTPM
    | TPMA_OBJECT.FIXEDPARENT
    | TPMA_OBJECT.SENSITIVEDATAORIGIN
    | TPMA_OBJECT.USERWITHAUTH
    | TPMA_OBJECT.RESTRICTED
    | TPMA_OBJECT.SIGN_ENCRYPT
)
"""A restricted key signs nothing that did not come about in the TPM itself."""
_KEY: Final = "ecc256:ecdsa-sha256:null"
_AT_ONCE: Final = 8


def look(tcti: str, nonce: bytes) -> Boot:
    """Return what the TPM says.

    Args:
        tcti: How it is reached.
        nonce: Of whoever asks, so that the answer is of now.
    """
    os.environ.setdefault("TSS2_LOG", "all+none")
    try:
        with ESAPI(tcti) as tpm:
            values = dict(_registers(tpm))
            with _attestation_key(tpm) as (key, public):
                quoted, signature = tpm.quote(key, _selection(), TPM2B_DATA(nonce), _scheme())
            ecdsa = signature.signature.ecdsa
            written = utils.encode_dss_signature(
                int.from_bytes(bytes(ecdsa.signatureR), "big"),
                int.from_bytes(bytes(ecdsa.signatureS), "big"),
            )
            return Boot(
                values,
                bytes(quoted).hex(),
                written.hex(),
                spki_of(public).hex(),
            )
    except (TSS2_Exception, KeyStoreError) as error:
        return Boot(error=f"the TPM ({tcti}) cannot be asked: {error}")


def _selection(registers: tuple[int, ...] = REGISTERS) -> TPML_PCR_SELECTION:
    return TPML_PCR_SELECTION.parse("sha256:" + ",".join(str(each) for each in registers))


def _registers(tpm: ESAPI) -> Iterator[tuple[str, str]]:
    """Yield the registers; a TPM gives no more than eight at once."""
    for first in range(0, len(REGISTERS), _AT_ONCE):
        some = REGISTERS[first : first + _AT_ONCE]
        _, _, digests = tpm.pcr_read(_selection(some))
        for number, digest in zip(some, digests, strict=True):
            yield str(number), bytes(digest).hex()


def _scheme() -> TPMT_SIG_SCHEME:
    return TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL)  # the key has its own


@contextmanager
def _attestation_key(tpm: ESAPI) -> Iterator[tuple[ESYS_TR, TPM2B_PUBLIC]]:
    template = TPM2B_PUBLIC.parse(_KEY, objectAttributes=_SIGNS)
    key, public, *_rest = tpm.create_primary(TPM2B_SENSITIVE_CREATE(), template)
    try:
        yield key, public
    finally:
        tpm.flush_context(key)


def main(arguments: list[str]) -> int:
    """Print what the TPM says; returns the exit code."""
    tcti, nonce = arguments
    print(json.dumps(asdict(look(tcti, bytes.fromhex(nonce)))))  # noqa: T201 - its answer
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

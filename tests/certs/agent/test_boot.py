"""How a machine has started: a TPM in software, its registers, and its word for them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certs.agent.boot import REGISTERS, Boot, differing
from certs.agent.quote import QuoteError, check_quote
from tests.certs.keys.hardware import SoftTpm, needs_swtpm

pytestmark = [needs_swtpm, pytest.mark.requirement("L1-TAMPER")]

NONCE = b"n" * 32


@pytest.fixture
def tpm(tmp_path: Path) -> Iterator[SoftTpm]:
    running = SoftTpm(tmp_path / "tpm")
    running.start()
    yield running
    running.stop()


def look(tpm: SoftTpm, nonce: bytes = NONCE) -> Boot:
    command = [sys.executable, "-m", "certs.agent.look_boot", tpm.tcti, nonce.hex()]
    done = subprocess.run(command, check=True, capture_output=True, timeout=60)
    return Boot(**json.loads(done.stdout))


def extend(tpm: SoftTpm, register: int) -> None:
    """Measure something into a register, as a boot loader would."""
    text = (
        "from tpm2_pytss import ESAPI, ESYS_TR, TPM2_ALG, TPML_DIGEST_VALUES, TPMT_HA, TPMU_HA\n"
        f"with ESAPI({tpm.tcti!r}) as tpm:\n"
        "    one = TPMT_HA(hashAlg=TPM2_ALG.SHA256, digest=TPMU_HA(sha256=b'e' * 32))\n"
        f"    tpm.pcr_extend(ESYS_TR({register}), TPML_DIGEST_VALUES([one]))\n"
    )
    subprocess.run([sys.executable, "-c", text], check=True, timeout=60)


def test_the_tpm_signs_what_its_registers_hold(tpm: SoftTpm) -> None:
    first = look(tpm)
    assert first.error == ""
    assert first.registers.keys() == {str(number) for number in REGISTERS}
    check_quote(first, NONCE)
    again = look(tpm, b"m" * 32)
    check_quote(again, b"m" * 32)
    assert again.key == first.key, "the same TPM has the same key"
    assert differing(first.registers, again.registers) == ()


def test_another_start_is_seen(tpm: SoftTpm) -> None:
    before = look(tpm)
    extend(tpm, 4)
    after = look(tpm)
    check_quote(after, NONCE)
    assert differing(before.registers, after.registers) == (4,)


def test_a_word_that_the_tpm_did_not_give_proves_nothing(tpm: SoftTpm) -> None:
    told = look(tpm)
    own = ec.generate_private_key(ec.SECP256R1())
    quote = bytes.fromhex(told.quote)
    ours = own.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()

    def signed(content: bytes) -> Boot:
        signature = own.sign(content, ec.ECDSA(hashes.SHA256())).hex()
        return replace(told, quote=content.hex(), signature=signature, key=ours)

    check_quote(signed(quote), NONCE)  # its key is what tells: the hub knows the TPM's
    for forged, nonce, why in (
        (told, b"m" * 32, "another time"),
        (replace(told, registers={**told.registers, "7": "1" * 64}), NONCE, "other registers"),
        (replace(told, registers={}), NONCE, "damaged"),
        (
            replace(
                told, signature=told.signature[:-2] + f"{int(told.signature[-2:], 16) ^ 1:02x}"
            ),
            NONCE,
            "not signed by its key",
        ),
        (replace(told, key=ours), NONCE, "not signed by its key"),
        (replace(told, key=""), NONCE, "damaged"),
        (signed(quote[:-1]), NONCE, "cut short"),
        (signed(quote + b"x"), NONCE, "longer"),
        (signed(b"\0" + quote[1:]), NONCE, "no quote"),
        (signed(b""), NONCE, "cut short"),
    ):
        with pytest.raises(QuoteError, match=why):
            check_quote(forged, nonce)


def test_a_tpm_that_is_away_is_said(tpm: SoftTpm) -> None:
    tpm.stop()
    assert "cannot be asked" in look(tpm).error


def test_registers_that_nobody_named_may_hold_anything() -> None:
    meant, found = {"0": "a", "7": "b"}, {"0": "a", "7": "c", "9": "d"}
    assert differing(meant, found) == (7,)
    assert differing(meant, {}) == (0, 7)
    assert differing({}, found) == ()

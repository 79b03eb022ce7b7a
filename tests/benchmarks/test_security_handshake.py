"""The benchmark of handshakes measures what it says: full, resumed, and each by its own server."""

from pathlib import Path

import pytest

from certs.pki import init_pki
from tests.benchmarks import security_handshake
from tests.benchmarks.security_handshake import KINDS


@pytest.mark.requirement("L1-AUTH")
def test_a_short_round_of_each_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security_handshake, "ROUNDS", 1)
    monkeypatch.setattr(security_handshake, "ROUND_S", 0.3)
    pki = init_pki(tmp_path / "pki")
    with (
        security_handshake._serving(pki, "headend") as server,
        security_handshake._serving(pki, "tls13") as other,
    ):
        rates, cpu = security_handshake._rounds(pki, server, other)
        assert set(rates) == set(cpu) == set(KINDS)
        assert all(each > 0.0 for found in (*rates.values(), *cpu.values()) for each in found)
        full = security_handshake._caller(pki, "full")
        session = security_handshake._connect(full, server.port, None)
        assert session is not None
        assert security_handshake._connect(full, server.port, session) is not None
        tls13 = security_handshake._caller(pki, "tls13")
        first = security_handshake._connect(tls13, other.port, None)
        with pytest.raises(RuntimeError, match="not of the kind"):
            security_handshake._connect(tls13, other.port, first)

"""Why a TLS handshake failed, in one of a few words; and whose certificate it was, if that is said.

Pure: from the sentence that `certs.explain` or `certs.verify` makes of it.
"""

import re
from typing import Final

GOOD: Final = "good"
_WORDS: Final = (
    ("revoked", ("revoked",)),
    ("lists", ("revocation list",)),
    ("expired", ("expired",)),
    ("not-yet-valid", ("not yet valid",)),
    ("no-certificate", ("no client certificate", "showed no certificate", "got none")),
    ("untrusted", ("not trusted", "not a trusted", "another ca", "root that", "its chain")),
    ("not-tls", ("plain http", "does not speak tls")),
    ("protocol", ("cipher", "version of tls", "curve")),
    ("refused-us", ("our certificate", "denies us", "access")),
    ("closed", ("closed the connection",)),
    ("malformed", ("damaged", "malformed", "not understood")),
    ("rules", ("the certificate of", "certificate is refused", "one of its", "not made for")),
)
"""Words, and what of a sentence makes each; the first that fits counts."""
OTHER: Final = "other"
REASONS: Final = (*(word for word, _ in _WORDS), OTHER)
_HOLDER: Final = re.compile(r"\bLFDI ([0-9A-F]{40})\b")


def reason_of(sentence: str) -> str:
    """Return the word for why a handshake failed."""
    said = sentence.lower()
    for word, parts in _WORDS:
        if any(part in said for part in parts):
            return word
    return OTHER


def holder_of(sentence: str) -> str:
    """Return the LFDI of the certificate that a sentence is about; empty where it names none."""
    found = _HOLDER.search(sentence)
    return "" if found is None else found[1]

"""What a utility's section says of revocation."""

from typing import Any

import pytest
from pydantic import ValidationError

from certs.standing import Policy
from hems import wiring
from hems.settings.utility_section import UtilitySection

pytestmark = pytest.mark.requirement("L2-KEYS")


def section(**more: Any) -> UtilitySection:
    files = {"certificate": "a", "key": "b", "trust": "c", "crls": "d"}
    return UtilitySection.model_validate({**files, "pin": "111115", **more})


def test_soft_and_where_certificates_say_by_itself() -> None:
    terms = wiring.server_terms(section(url="https://utility.example:8443/dcap"))
    assert terms.policy.hard is False
    assert (terms.responder, terms.asks, terms.server) == (None, True, "utility.example")
    assert wiring.server_terms(section()).server == ""


def test_what_the_owner_says_instead() -> None:
    hard = wiring.server_terms(section(revocation="hard", revocation_grace="12 h", ocsp="off"))
    assert hard.policy == Policy(hard=True, grace_s=12 * 3600.0)
    assert (hard.responder, hard.asks) == (None, False)
    asked = wiring.server_terms(section(ocsp="http://[::1]:8082/ocsp"))
    assert (asked.responder, asked.asks) == ("http://[::1]:8082/ocsp", True)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("revocation", "firm", "'soft' or 'hard'"),
        ("revocation_grace", "59 min", "greater than or equal to 3600"),
        ("revocation_grace", "72", "has no unit"),
        ("ocsp", "on", "is not 'named', 'off' or a URL"),
        ("ocsp", "ftp://a/", "is not 'named', 'off' or a URL"),
        ("ocsp", "http://user@a/", "is not 'named', 'off' or a URL"),
        ("ocsp", "", "is not 'named', 'off' or a URL"),
    ],
)
def test_a_mistake_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said) as caught:
        section(**{name: value})
    assert caught.value.errors()[0]["loc"] == (name,)

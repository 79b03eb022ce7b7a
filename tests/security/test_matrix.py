"""The matrix of attacks (`make security`): each is withstood, and leaves its entry."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from certs.pki import Pki, init_pki
from tests.security import report
from tests.security.attack import Attack, Cycle, Entry, Kind, Outcome, Where
from tests.security.den import Den, den
from tests.security.judge import judged
from tests.security.matrix import AT_VAULT, IN_DEN, ON_PORCH, ON_STREET, every
from tests.security.porch import Porch, porch
from tests.security.street import Street, street
from tests.security.vault import Vault, vault

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST"),
    pytest.mark.timeout(240),
    # What attackers use is old on purpose.
    pytest.mark.filterwarnings("ignore:.*TLSv1.* is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:OpenSSL"),
]
LEAST = 120


def rows(
    attacks: Sequence[Attack[Street]]
    | Sequence[Attack[Den]]
    | Sequence[Attack[Vault]]
    | Sequence[Attack[Porch]],
) -> list[object]:
    """Return attacks as parameters; the long ones are marked."""
    return [
        pytest.param(attack, id=attack.id, marks=[pytest.mark.deep] if attack.deep else [])
        for attack in attacks
    ]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return init_pki(tmp_path_factory.mktemp("keys") / "pki")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_street(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> AsyncIterator[Street]:
    folder: Path = tmp_path_factory.mktemp("street")
    async with street(folder, pki) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def in_den(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> AsyncIterator[Den]:
    folder: Path = tmp_path_factory.mktemp("lair")
    async with den(folder / "den", pki) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at_vault(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> AsyncIterator[Vault]:
    folder: Path = tmp_path_factory.mktemp("kept")
    async with vault(folder / "vault", pki) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_porch(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> AsyncIterator[Porch]:
    folder: Path = tmp_path_factory.mktemp("home")
    async with porch(folder / "porch", pki) as running:
        yield running


def withstood(outcome: Outcome) -> None:
    """Fail with all that was not as it should be."""
    assert outcome.withstood, "\n".join([*outcome.faults, outcome.answer, outcome.entry])


@pytest.mark.requirement("L1-AUTH")
@pytest.mark.requirement("L2-KEYS")
@pytest.mark.requirement("PRV-RBAC")
@pytest.mark.parametrize("attack", rows(ON_STREET))
async def test_from_outside(on_street: Street, attack: Attack[Street]) -> None:
    withstood(await judged(attack, on_street))


@pytest.mark.requirement("L1-AUTH")
@pytest.mark.requirement("L2-KEYS")
@pytest.mark.parametrize("attack", rows(IN_DEN))
async def test_by_utility_and_devices(in_den: Den, attack: Attack[Den]) -> None:
    withstood(await judged(attack, in_den))


@pytest.mark.requirement("L1-TAMPER")
@pytest.mark.requirement("L2-FIRMWARE")
@pytest.mark.parametrize("attack", rows(AT_VAULT))
async def test_at_the_hub_s_own_machine(at_vault: Vault, attack: Attack[Vault]) -> None:
    withstood(await judged(attack, at_vault))


@pytest.mark.requirement("L1-AUTH")
@pytest.mark.requirement("L2-KEYS")
@pytest.mark.parametrize("attack", rows(ON_PORCH))
async def test_from_within_the_home(on_porch: Porch, attack: Attack[Porch]) -> None:
    withstood(await judged(attack, on_porch))


async def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    ids = [attack.id for attack in every()]
    assert len(ids) == len(set(ids))
    assert len(ids) >= LEAST
    assert {attack.kind for attack in every()} == set(Kind)


class Still:
    """A ground whose control cycle stands still, or goes on, and whose log says one thing."""

    def __init__(self, says: str, *, beats: bool) -> None:
        self._says, self._beats, self._seq = says, beats, 0

    def mark(self) -> None:
        """Nothing is kept."""

    async def lines(self, where: Where) -> list[str]:
        """Return the one line."""
        del where
        return [self._says]

    def logs(self) -> list[str]:
        """Return the one line."""
        return [self._says]

    async def cycle(self) -> Cycle:
        """Return one cycle more each time, or always the same."""
        self._seq += self._beats
        return Cycle(self._seq, float(self._seq))


def tried(answer: str, served: str = "served") -> Attack[Still]:
    """Return an attack that is answered somehow; "refused" is what it ought to be."""

    async def attempt(_ground: Still) -> str:
        assert answer != "open", "it was let in"
        return answer

    async def rightly(_ground: Still) -> str:
        return served

    return Attack(
        "x",
        Kind.WEB,
        "Tries",
        attempt,
        "^refused",
        Entry(Where.RECORD, "^noted"),
        rightly,
        "^served",
    )


@pytest.mark.parametrize(
    ("attack", "ground", "fault"),
    [
        (tried("refused"), Still("noted", beats=True), ""),
        (tried("open"), Still("noted", beats=True), "it got through: it was let in"),
        (tried("welcome"), Still("noted", beats=True), "answered 'welcome', not '^refused'"),
        (tried("refused"), Still("nothing", beats=True), "nothing in the record says '^noted'"),
        (tried("refused"), Still("noted", beats=False), "the control cycle stands still"),
        (tried("refused", "no"), Still("noted", beats=True), "what is right is answered 'no'"),
    ],
)
async def test_the_judge_sees_what_is_not_as_it_should_be(
    attack: Attack[Still], ground: Still, fault: str
) -> None:
    outcome = await judged(attack, ground)
    assert outcome.withstood is (not fault)
    assert any(each.startswith(fault) for each in outcome.faults) or not fault


async def test_an_attack_that_breaks_is_a_fault_and_not_the_end_of_all_others() -> None:
    async def breaks(_ground: Still) -> str:
        raise TypeError("a message of another type")

    sample, ground = tried("refused"), Still("noted", beats=True)
    broken = await judged(replace(sample, attempt=breaks), ground)
    assert broken.faults[0] == "it could not be carried out: TypeError a message of another type"
    broken = await judged(replace(sample, rightly=breaks), ground)
    assert broken.faults == (
        "what is right could not be asked: TypeError a message of another type",
    )


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-01 00:00:00,000 ERROR hems.home it went wrong",
        "2026-01-01 00:00:00,000 CRITICAL hems.home it went wrong",
        "Traceback (most recent call last):",
        "RuntimeWarning: coroutine 'x' was never awaited",
    ],
)
async def test_what_goes_wrong_within_is_a_fault_unless_the_attack_explains_it(line: str) -> None:
    attack = replace(tried("refused"), entry=Entry(Where.RECORD, "."))
    outcome = await judged(attack, Still(line, beats=True))
    assert outcome.faults == (f"a log says {line!r}",)
    assert (
        await judged(replace(attack, errors="went|Trace|never"), Still(line, beats=True))
    ).withstood
    assert (await judged(attack, Still("2026 12 WARNING an ERROR", beats=True))).withstood


async def test_an_attack_without_an_entry_says_why() -> None:
    sample = tried("refused")
    with pytest.raises(ValueError, match="a reason for none"):
        Attack("y", Kind.WEB, "", sample.attempt, "", None, sample.rightly, "")


async def test_the_report_names_what_got_through(tmp_path: Path) -> None:
    good = await judged(tried("refused"), Still("noted | <b>", beats=True))
    bad = await judged(tried("open"), Still("noted", beats=True))
    report.write([good, bad], tmp_path / "out" / "matrix.json")
    shown = (tmp_path / "out" / "matrix.md").read_text(encoding="utf-8")
    assert "noted \\| &lt;b>" in shown
    assert "**Tries: it got through: it was let in" in shown
    assert "1 of    2 withstood" in shown

"""The helper with a real repository and real environments: what it installs, and what never."""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hems.bulletin import LIST, FirmwareList, Package, Release, State
from hems.headend.firmware.repository import FirmwareRepository
from hems.software import install, launcher
from hems.software.helper import ROOT, Helper
from hems.software.install import Workshop, base_python
from hems.software.orders import ORDER, PASSED, Answer, Order
from hems.software.sides import UPDATES, Sides, put
from hems.software.switch import Phase
from hems.software.switch import State as Switch
from hems.store.schema import REVISIONS
from tests.hems.software import mini

GOOD = {"trial": 1, "good": True, "why": ""}
PYTHON = f"3.{sys.version_info.minor}"


def package(version: str, **changes: object) -> Package:
    made = Package(
        file=f"hems-{version}.tar",
        version=version,
        python=PYTHON,
        machine="any",
        least="0.1.0",
        form=REVISIONS[-1],
        needs=1,
    )
    return made.model_copy(update=changes)


@dataclass
class Shop:
    """A vendor with a repository, and a machine that was given files of it."""

    folder: Path
    repository: FirmwareRepository
    helper: Helper

    def offer(self, version: str, octets: bytes | None = None, **changes: object) -> None:
        """Have vendor and service provider sign a version."""
        self.sign(version, octets, **changes)
        self.repository.approve("hems")
        self.repository.publish()

    def sign(self, version: str, octets: bytes | None = None, **changes: object) -> None:
        """Have the vendor alone sign it."""
        made = package(version, **changes)
        octets = mini.archive(self.folder / "parts", made) if octets is None else octets
        release = Release(version=version, file=made.file, state=State.LATEST, packages=(made,))
        listed = FirmwareList(vendor="hems", releases=(release,))
        files = {made.file: octets, LIST: listed.model_dump_json().encode()}
        self.repository.sign("hems", files)

    def passed(self) -> Path:
        """Leave the repository's files to the helper, as the hub does."""
        place = self.helper.home / UPDATES / PASSED
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.folder / "lists" / "repository", place)
        return place

    def ask(self, what: str, version: str = "") -> Answer:
        order = Order.model_validate({"id": "0123456789abcdef", "ask": what, "version": version})
        put(self.helper.home / UPDATES / ORDER, order.model_dump(), mode=0o600)
        answer = self.helper.serve()
        assert answer is not None
        return answer

    def start(self) -> str:
        """Start what the service would start; returns what it says."""
        sides = self.helper.sides
        words = [str(each) for each in (sides.root, self.helper.home, sides.package)]
        assert launcher.main(["settle", *words]) == 0 == launcher.main(["store", *words])
        command = sides.root / "current" / "bin" / "hems"
        return subprocess.run(
            [command, "run"], check=True, capture_output=True, text=True, timeout=60, env={}
        ).stdout


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    repository = FirmwareRepository(tmp_path / "lists")
    repository.make(root_keys=2, threshold=2)
    repository.add_vendor("hems", None)
    sides = Sides(tmp_path / "root", tmp_path / "package")
    sides.root.mkdir()
    site = sides.package / f"lib/python{PYTHON}/site-packages/hems-0.1.0.dist-info"
    site.mkdir(parents=True)
    (sides.package / "bin").mkdir()
    command = sides.package / "bin" / "hems"
    command.write_text("#!/bin/sh\necho 0.1.0 $*\n")
    command.chmod(0o755)
    (sides.package / "bin" / "python").symlink_to(sys.executable)
    shutil.copyfile(repository.root_file, sides.root / ROOT)
    home = tmp_path / "home"
    (home / UPDATES).mkdir(parents=True)
    return Shop(tmp_path, repository, Helper(sides, home, "hems", Workshop(base_python())))


@pytest.mark.requirement("LC-PATCH")
def test_from_a_signed_archive_to_a_hub_that_runs_it(shop: Shop) -> None:
    assert shop.start() == "0.1.0 run\n"
    assert shop.helper.serve() is None, "nothing was asked"
    shop.offer("0.2.0")
    shop.passed()
    (shop.helper.sides.root / ".unpacked-by-one-that-a-power-cut-ended").mkdir()
    answer = shop.ask("install", "0.2.0")
    assert answer.done, answer.text
    assert not (shop.helper.home / UPDATES / ORDER).exists()
    assert shop.start() == "0.1.0 run\n", "installed is not started"
    assert shop.ask("arm").done
    assert shop.start() == "0.2.0 run\n"
    assert "trial already" in shop.ask("arm").text
    put(shop.helper.home / UPDATES / "verdict.json", GOOD, mode=0o600)
    assert shop.ask("back").done
    assert shop.start() == "0.1.0 run\n"
    state = shop.helper.sides.read()
    assert (state.phase, state.barred) == (Phase.SETTLED, ("0.2.0",))
    assert not list(shop.helper.sides.root.glob(".incoming*"))
    assert not list(shop.helper.sides.root.glob(".unpacked*"))


@pytest.mark.requirement("LC-PATCH")
def test_the_side_that_runs_is_never_written_to(shop: Shop) -> None:
    """It was asked to go back, and the hub has not been started since."""
    sides = shop.helper.sides
    shop.offer("0.3.0")
    shop.passed()
    shutil.copytree(sides.package, sides.root / "a", symlinks=True)
    versions = (("package", "0.1.0"), ("a", "0.2.0"))
    sides.write(Switch(current="a", former="package", versions=versions))
    assert shop.start() == "0.1.0 run\n", "a copy of it"
    assert sides.linked() == "a"
    assert shop.ask("back").done
    answer = shop.ask("install", "0.3.0")
    assert not answer.done
    assert "start the hub first" in answer.text
    assert sides.sound("a"), "what runs is as it was"


@pytest.mark.requirement("LC-PATCH")
def test_what_changes_while_it_is_installed_is_not_written_over(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package manager brings a newer version meanwhile, and the hub is started with it."""
    assert shop.start() == "0.1.0 run\n"
    shop.offer("0.2.0")
    shop.passed()
    (site,) = shop.helper.sides.package.glob("lib/python3*/site-packages/*.dist-info")
    look = install._look

    def looked(place: Path, package: Package, shop_: Workshop) -> None:
        site.rename(site.with_name("hems-0.3.0.dist-info"))
        assert shop.start() == "0.1.0 run\n", "the package's command"
        look(place, package, shop_)

    monkeypatch.setattr(install, "_look", looked)
    answer = shop.ask("install", "0.2.0")
    assert not answer.done
    assert "what runs changed meanwhile" in answer.text
    state = shop.helper.sides.read()
    assert (state.candidate, state.version("package")) == ("", "0.3.0")
    assert not (shop.helper.sides.root / "a").exists()


def test_what_lies_in_an_orders_place_is_away_after_it(shop: Shop) -> None:
    """Else the service manager would start the helper for it again and again."""
    order = shop.helper.home / UPDATES / ORDER
    for make in (
        lambda: order.write_bytes(b"[" * 60_000),
        lambda: (order / "more").mkdir(parents=True),
        lambda: order.symlink_to("/etc/passwd"),
        lambda: os.mkfifo(order),
        lambda: order.hardlink_to(shop.helper.sides.root / ROOT),
    ):
        make()
        assert shop.helper.serve() is None
        assert not os.path.lexists(order)
    assert (shop.helper.sides.root / ROOT).exists()


@pytest.mark.requirement("LC-PATCH")
def test_what_only_one_has_signed_is_not_installed(shop: Shop) -> None:
    shop.offer("0.2.0")
    shop.sign("0.3.0")
    shop.repository.publish()
    shop.passed()
    answer = shop.ask("install", "0.3.0")
    assert not answer.done
    assert "signed two different files" in answer.text
    assert shop.helper.sides.read().candidate == ""


@pytest.mark.requirement("LC-PATCH")
def test_what_the_hub_has_changed_on_the_way_is_not_installed(shop: Shop) -> None:
    """A hub that was taken over passes its own archive on, or its own list, or its own root."""
    shop.offer("0.2.0")
    place = shop.passed()
    (stored,) = (place / "targets" / "vendors" / "hems").glob("*.tar")
    evil = mini.archive(shop.folder / "evil", package("0.2.0"), main="import os\n")
    stored.write_bytes(evil)
    answer = shop.ask("install", "0.2.0")
    assert not answer.done
    assert "not the one that was signed" in answer.text or "longer" in answer.text
    other = FirmwareRepository(shop.folder / "other")
    other.make(root_keys=1, threshold=1)
    other.add_vendor("hems", None)
    mine = Shop(shop.folder / "other", other, shop.helper)
    mine.offer("0.2.0", evil)
    shutil.rmtree(place)
    shutil.copytree(shop.folder / "other" / "repository", place)
    answer = shop.ask("install", "0.2.0")
    assert not answer.done
    assert "too few of those who must sign" in answer.text
    for each in place.rglob("*.json"):
        each.unlink()
    assert not shop.ask("install", "0.2.0").done
    assert shop.start() == "0.1.0 run\n"


@pytest.mark.deep
@pytest.mark.requirement("LC-PATCH")
def test_old_lists_are_refused_once_newer_ones_are_known(shop: Shop) -> None:
    shop.offer("0.2.0")
    shop.passed()
    old = shop.folder / "old"
    shutil.copytree(shop.helper.home / UPDATES / PASSED, old)
    shop.offer("0.3.0")
    shop.passed()
    assert shop.ask("install", "0.3.0").done
    shutil.rmtree(shop.helper.home / UPDATES / PASSED)
    shutil.copytree(old, shop.helper.home / UPDATES / PASSED)
    answer = shop.ask("install", "0.2.0")
    assert not answer.done
    assert "older lists than those that are known" in answer.text
    state = shop.helper.sides.read()
    assert state.version(state.candidate) == "0.3.0", "what was installed before is still there"


@pytest.mark.requirement("LC-PATCH")
def test_lists_that_nobody_vouches_for_any_more_are_refused(shop: Shop) -> None:
    past = datetime.now(UTC) - timedelta(days=8)
    late = FirmwareRepository(shop.folder / "lists", past)
    then = Shop(shop.folder, late, shop.helper)
    then.offer("0.2.0")
    shop.passed()
    answer = shop.ask("install", "0.2.0")
    assert not answer.done
    assert "nobody vouches any more" in answer.text


@pytest.mark.requirement("LC-PATCH")
@pytest.mark.parametrize(
    ("version", "changes", "why"),
    [
        ("0.0.9", {}, "not newer"),
        ("0.2.0", {"machine": "sparc"}, f"on {platform.machine()}"),
        ("0.2.0", {"least": "0.1.1"}, "takes the place of"),
        ("0.2.0", {"needs": 1 << 40}, "octets on the disk"),
    ],
)
def test_what_does_not_suit_is_not_installed(
    shop: Shop, version: str, changes: dict[str, object], why: str
) -> None:
    shop.offer(version, b"never looked into", **changes)
    shop.passed()
    answer = shop.ask("install", version)
    assert not answer.done
    assert why in answer.text


@pytest.mark.deep
@pytest.mark.requirement("LC-PATCH")
def test_a_version_that_cannot_be_loaded_is_not_tried(shop: Shop) -> None:
    made = package("0.2.0")
    octets = mini.archive(shop.folder / "parts", made, main="import of_nothing_that_there_is\n")
    shop.offer("0.2.0", octets)
    shop.passed()
    answer = shop.ask("install", "0.2.0")
    assert not answer.done
    assert "of_nothing_that_there_is" in answer.text
    assert not (shop.helper.sides.root / "a").exists()
    assert "no new version" in shop.ask("arm").text
    assert shop.start() == "0.1.0 run\n"


def test_the_list_and_the_archive_must_say_the_same(shop: Shop) -> None:
    octets = mini.archive(shop.folder / "parts", package("0.2.0", least="0.0.1"))
    shop.offer("0.2.0", octets)
    shop.passed()
    assert "not what the signed list says" in shop.ask("install", "0.2.0").text

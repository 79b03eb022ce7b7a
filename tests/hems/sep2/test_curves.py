"""Curves: read, checked, kept as long as something needs them, and refused where they are wrong."""

import random
from dataclasses import replace

import pytest

from hems.sep2 import resources as res
from hems.sep2.book.book import Book, BookSettings
from hems.sep2.book.curves import curve_of
from hems.sep2.book.receipts import KEEP_S
from hems.sep2.rules.curve import Curve
from hems.sep2.rules.events import Program
from hems.sep2.rules.lifecycle import Code, Edition, Phase, Profile
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.kinds_made import curve

P1 = Program("A1", "Peak", 1)
LFDI = "0" * 39 + "1"
VOLT_VAR = curve("/c/1", (92, 44), (98, 0), (102, 0), (108, -44))

pytestmark = pytest.mark.requirement("PRO-2030.5")


def make_book(profile: Profile | None = None, alarms: list[str] | None = None) -> Book:
    settings = BookSettings("utility", LFDI, profile or Profile())
    told = [] if alarms is None else alarms
    return Book(  # what is noticed stands among the alarms here
        settings,
        random.Random(1),  # noqa: S311 - draws, not secrets
        told.append,
        lambda noticed: told.append(f"event {noticed.why}"),
    )


def naming(mrid: str, href: str, start: int = 100, duration: int = 600) -> res.DERControl:
    """Return a control that sets a volt-var curve and an import limit."""
    base = res.DERControlBase(
        op_mod_volt_var=res.Link(href=href), op_mod_imp_lim_w=res.ActivePower.of(1500)
    )
    return control(mrid, start, duration, base=base)


def take(book: Book, now: float, *events: res.DERControl) -> None:
    book.update(P1, events, now, kind=res.DERControl, complete=True)
    book.advance(now, None)


def answers(book: Book) -> list[tuple[int, str]]:
    return [(r.status, r.modes) for r in book.unsaved()[1]]


def test_a_curve_in_neutral_words() -> None:
    read = res.DERCurve(
        href="/c/1",
        mrid="C1",
        creation_time=1,
        autonomous_v_ref_enable=True,
        autonomous_v_ref_time_constant=30_000,
        curve_data=(res.CurveData(xvalue=920, yvalue=44), res.CurveData(xvalue=1080, yvalue=-44)),
        curve_type=11,
        open_loop_tms=500,
        ramp_dec_tms=250,
        ramp_inc_tms=0,
        ramp_pt1_tms=1000,
        v_ref=10_100,
        x_multiplier=-1,
        y_multiplier=0,
        y_ref_type=3,
    )
    assert curve_of(read, "/c/1") == Curve(
        href="/c/1",
        mode="opModVoltVar",
        points=((92.0, 44.0), (108.0, -44.0)),
        y_ref=3,
        open_loop_s=5.0,
        ramp_up=0.0,
        ramp_down=2.5,
        filter_s=10.0,
        v_ref=101.0,
        v_ref_follows_s=300.0,
    )


def test_a_power_factor_is_positive_where_the_der_absorbs() -> None:
    points = (
        res.CurveData(xvalue=0, yvalue=100, excitation=True),
        res.CurveData(xvalue=100, yvalue=90, excitation=False),
    )
    read = res.DERCurve(
        mrid="C1",
        creation_time=1,
        curve_data=points,
        curve_type=13,
        x_multiplier=0,
        y_multiplier=-2,
        y_ref_type=0,
    )
    assert curve_of(read, "/c/1").points == ((0.0, 1.0), (100.0, -0.9))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (curve("/c/1", (1, 1), curve_type=15), "unknown type 15"),
        (curve("/c/1", *[(i, 0) for i in range(11)]), "11 points"),
        (curve("/c/1"), "0 points"),
        (curve("/c/1", (5, 0), (4, 1)), "goes back"),
        (curve("/c/1", (5, 1), multipliers=(12, 0)), "no number"),
        (curve("/c/1", (5, 1), curve_type=13), "no number"),
    ],
)
def test_a_curve_that_cannot_be_followed(wrong: res.DERCurve, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        curve_of(wrong, "/c/1")


def test_a_control_whose_curve_is_known_runs() -> None:
    book = make_book()
    assert book.missing_curves([naming("E1", "/c/1")], 110) == {"/c/1"}
    book.set_curves(P1, [VOLT_VAR], 110, complete=False)
    assert book.missing_curves([naming("E1", "/c/1")], 110) == frozenset()
    take(book, 110, naming("E1", "/c/1"))
    assert [c for c, _ in answers(book)] == [1, 2]


def test_no_curve_is_missed_that_no_device_could_follow() -> None:
    book = make_book(Profile(modes=frozenset({"opModImpLimW"})))
    assert book.missing_curves([naming("E1", "/c/1")], 110) == frozenset()


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (None, "curve /c/1 is not to be found"),
        (curve("/c/1", (5, 0), (4, 1)), "curve /c/1 goes back along its x axis"),
        (curve("/c/1", (1, 1), curve_type=12, of=1), "is for opModVoltWatt, not for opModVoltVar"),
    ],
)
def test_a_control_whose_curve_cannot_be_used_is_refused_and_told(
    known: res.DERCurve | None, words: str
) -> None:
    alarms: list[str] = []
    for edition, expected in (
        (Edition.V2018, [(Code.INVALID, "")]),
        (
            Edition.V2023,
            [
                (Code.RECEIVED, "opModImpLimW"),
                (Code.INVALID, "opModVoltVar"),
                (Code.STARTED, "opModImpLimW"),
            ],
        ),
    ):
        book = make_book(Profile(edition), alarms)
        if known is not None:
            book.set_curves(P1, [known], 110, complete=False)
        for now in (110, 120):
            take(book, now, naming("E1", "/c/1"))
        assert answers(book) == expected
        assert words in book.entries["E1"].reason
    assert len([a for a in alarms if a.startswith("event E1 of Peak") and words in a]) == 2


@pytest.mark.parametrize(
    ("edition", "href", "answer"),
    [
        (Edition.V2018, "/c/1", (Code.INVALID, "")),
        (Edition.V2023, "/c/2", (Code.INVALID, "opModVoltVar")),
    ],
)
def test_a_change_to_a_curve_that_cannot_be_had(
    edition: Edition, href: str, answer: tuple[int, str]
) -> None:
    """2018: the event stays as it was; 2023: it goes on without that mode."""
    alarms: list[str] = []
    book = make_book(Profile(edition), alarms)
    book.set_curves(P1, [VOLT_VAR], 110, complete=False)
    take(book, 110, naming("E1", "/c/1"))
    for now in (120, 130):
        take(book, now, naming("E1", "/c/2"))
    held = book.entries["E1"].progress.held
    assert held.event.modes["opModVoltVar"] == href
    assert held.sets("opModVoltVar") is (href == "/c/1")
    assert answers(book)[-1] == answer
    assert alarms == ["event E1 of Peak: curve /c/2 is not to be found"]
    active = naming("E1", "/c/2")
    status = res.EventStatus(current_status=1, date_time=130, potentially_superseded=False)
    take(book, 140, replace(active, event_status=status))
    assert book.entries["E1"].reason, "it is still shown"
    assert len(alarms) == 1


def test_after_a_restart_the_curve_of_a_running_event_is_known() -> None:
    book = make_book(Profile(Edition.V2023))
    book.set_curves(P1, [VOLT_VAR], 110, complete=True)
    take(book, 110, naming("E1", "/c/1"), naming("E2", "/c/9", start=50))
    rows, _ = book.unsaved()
    again = make_book(Profile(Edition.V2023))
    again.recall(rows, 130)
    assert again.curves == book.curves
    assert again.entries["E1"].progress == book.entries["E1"].progress
    assert again.entries["E2"].progress.held.modes == frozenset({"opModImpLimW"}), (
        "as refused before"
    )


def default_naming(href: str) -> res.DefaultDERControl:
    base = res.DERControlBase(
        op_mod_volt_var=res.Link(href=href), op_mod_imp_lim_w=res.ActivePower.of(5000)
    )
    return res.DefaultDERControl(href="/dderc", mrid="D1", der_control_base=base)


def test_a_default_control_goes_without_a_curve_that_cannot_be_used() -> None:
    alarms: list[str] = []
    book = make_book(alarms=alarms)
    book.set_default(P1, default_naming("/c/1"))
    assert [d.modes for d in book.defaults] == [{"opModImpLimW": 5000.0}]
    assert alarms == ["the default control of Peak: curve /c/1 is not to be found"]
    book.set_curves(P1, [VOLT_VAR], 110, complete=True)
    assert [set(d.modes) for d in book.defaults] == [{"opModImpLimW", "opModVoltVar"}]


@pytest.mark.parametrize(
    ("base", "alarm"),
    [
        (
            res.DERControlBase(
                op_mod_freq_droop=res.FreqDroopType(
                    dbof=36, dbuf=36, kof=0, kuf=50, open_loop_tms=500
                )
            ),
            "opModFreqDroop with a droop of 0",
        ),
        (
            res.DERControlBase(
                op_mod_fixed_pf_inject_w=res.PowerFactorWithExcitation(
                    displacement=11, excitation=True, multiplier=-1
                )
            ),
            "opModFixedPFInjectW of 1.1, beyond -1 to 1",
        ),
        (
            res.DERControlBase(op_mod_exp_lim_w=res.ActivePower.of(-5000)),
            "opModExpLimW of -5000, which cannot be negative",
        ),
    ],
)
def test_a_default_control_goes_without_figures_that_cannot_be(
    base: res.DERControlBase, alarm: str
) -> None:
    alarms: list[str] = []
    book = make_book(alarms=alarms)
    base = replace(base, op_mod_imp_lim_w=res.ActivePower.of(5000))
    book.set_default(P1, res.DefaultDERControl(href="/dderc", mrid="D1", der_control_base=base))
    assert [d.modes for d in book.defaults] == [{"opModImpLimW": 5000.0}]
    assert alarms == [f"the default control of Peak: {alarm}"]


def test_a_reference_voltage_of_zero_is_none() -> None:
    with pytest.raises(ValueError, match="a reference voltage of 0"):
        curve_of(replace(VOLT_VAR, v_ref=0), "/c/1")


def test_a_reference_voltage_that_follows_does_so_though_no_time_is_named() -> None:
    read = curve_of(replace(VOLT_VAR, autonomous_v_ref_enable=True), "/c/1")
    assert read.v_ref_follows_s == 300.0
    assert curve_of(VOLT_VAR, "/c/1").v_ref_follows_s is None


def test_a_curve_is_kept_while_something_needs_it_and_not_longer() -> None:
    book = make_book()
    book.set_curves(P1, [VOLT_VAR, curve("/c/2", (1, 1), (2, 2))], 110, complete=True)
    take(book, 110, naming("E1", "/c/1", duration=3 * int(KEEP_S)))
    book.set_curves(P1, [], 120, complete=True)
    book.saved()
    later = 130 + KEEP_S
    book.advance(later, None)
    assert set(book.curves) == {"/c/1"}, "a running event names it"
    assert [(r.mrid, r.phase) for r in book.unsaved()[0]] == [("/c/2", "cancelled")]
    book.advance(100 + 3 * KEEP_S + 1, None)
    assert book.entries["E1"].progress.phase is Phase.COMPLETED
    assert set(book.curves) == set()


def test_curves_of_a_programme_that_is_gone_go_too() -> None:
    book = make_book()
    book.set_curves(P1, [VOLT_VAR], 110, complete=True)
    book.retain(frozenset(), res.DERControl, 120)
    book.advance(130 + KEEP_S, None)
    assert set(book.curves) == set()


def test_a_curve_without_an_href_is_told() -> None:
    alarms: list[str] = []
    book = make_book(alarms=alarms)
    book.set_curves(P1, [curve(None, (1, 1))], 110, complete=True)
    assert alarms == ["a curve of Peak has no href"]
    assert book.curves == {}

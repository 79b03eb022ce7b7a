"""Who speaks for whom: the rules, against plain ones that look through everything."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.clock import SystemClock
from hems.headend.aggregators.desk import Aggregators
from hems.headend.aggregators.reach import Reach
from hems.headend.aggregators.records import Aggregator, Wanted
from hems.headend.aggregators.rolls import Rolls
from hems.headend.aggregators.twins import Twins, twin
from hems.headend.book import Book
from hems.headend.db.held import Changed
from hems.headend.errors import ConflictError, ForbiddenError, UnknownItemError
from hems.headend.fleet.access import ALL, Access
from hems.headend.flow_book import FlowBook
from hems.headend.flows import FlowRequest, Grant
from hems.headend.paging import Query
from hems.headend.programmes import Programmes
from hems.headend.records import Edition, Home, Program, ProgramKind
from hems.headend.shelf import Shelf
from hems.headend.spans import Calendar
from hems.headend.store import Store
from tests.hems.headend.aggregators.conftest import A, B

pytestmark = pytest.mark.requirement("PRO-2030.5")
AGGREGATORS = ("0" * 40, "1" * 40)
SPEAKERS = ("", *AGGREGATORS)


def home(number: int, speaker: str, at: int = 0) -> Home:
    """Return a home of a number."""
    return Home(number, f"{number:040X}", 123455, Edition.CSIP_AUS, at, aggregator=speaker)


moves = st.lists(
    st.tuples(st.integers(2, 9), st.none() | st.sampled_from(SPEAKERS), st.integers(0, 3)),
    max_size=30,
)


def followed(
    changes: Sequence[tuple[int, str | None, int]], step: int
) -> tuple[Rolls, dict[int, Home]]:
    """Return the rolls after changes that were told `step` at a time, and what is there."""
    rolls, there = Rolls(), dict[int, Home]()
    for start in range(0, len(changes), step):
        told: dict[int, Changed[Home]] = {}
        for number, speaker, at in changes[start : start + step]:
            before = told[number].before if number in told else there.get(number)
            after = None if speaker is None else home(number, speaker, at)
            told[number] = Changed(f"{number:040X}", before, after)
        for number, change in told.items():
            if change.after is None:
                there.pop(number, None)
            else:
                there[number] = change.after
        rolls.take(list(told.values()))
    return rolls, there


@given(moves, st.integers(1, 30))
def test_rolls_are_what_a_search_of_all_homes_finds(
    changes: Sequence[tuple[int, str | None, int]], step: int
) -> None:
    rolls, there = followed(changes, step)
    for number in range(12):
        assert rolls.numbered(number) == there.get(number)
    for speaker in AGGREGATORS:
        mine = [each for each in there.values() if each.aggregator == speaker]
        mine.sort(key=lambda each: (-each.registered_at, each.lfdi))
        assert list(rolls.managed(speaker)) == mine


@given(
    moves,
    st.integers(0, 3),
    st.integers(0, 12),
    st.integers(0, 12),
    st.none() | st.integers(-1, 4),
)
def test_a_page_is_that_part_of_itself_and_its_homes(
    changes: Sequence[tuple[int, str | None, int]],
    at: int,
    start: int,
    limit: int,
    after: int | None,
) -> None:
    rolls, there = followed(changes, 3)
    own = Home(1, AGGREGATORS[1], 123455, Edition.CSIP_AUS, at)
    whole = [own, *(each for each in there.values() if each.aggregator == own.lfdi)]
    whole.sort(key=lambda each: (-each.registered_at, each.lfdi))
    wanted = [each for each in whole if after is None or each.registered_at > after]
    part = rolls.part(own, Query(start, limit, after))
    assert list(part.items) == wanted[start : start + limit]
    assert part.all == len(whole)


PROGRAMS = (
    Program(1, "all", "A" * 32, 1, ProgramKind.DER),
    Program(2, "group", "B" * 32, 1, ProgramKind.DER, group="g"),
    Program(3, "one", "C" * 32, 1, ProgramKind.DER, home=f"{3:040X}"),
)


class World:
    """What homes are assigned to and served; counts how often that is asked."""

    def __init__(self) -> None:
        self.rolls = Rolls()
        self.homes: dict[str, Home] = {}
        self.members: set[str] = set()
        self.access: dict[str, Access] = {}
        self.limited: set[str] = set()
        self.change = 0
        self.asked = 0
        self.reach = Reach(
            self.rolls,
            self.assigned,
            served=lambda lfdi: self.access.get(lfdi, Access.NOTHING),
            change=lambda: self.change,
            home=self.homes.get,
            limited=self.limited.__contains__,
        )

    def assigned(self, program: Program, lfdi: str) -> bool:
        self.asked += 1
        if program.home is not None:
            return program.home == lfdi
        return program.group is None or lfdi in self.members

    def put(
        self, number: int, speaker: str, access: Access, *, member: bool, limited: bool = False
    ) -> None:
        after = home(number, speaker)
        self.rolls.take([Changed(after.lfdi, self.homes.get(after.lfdi), after)])
        self.homes[after.lfdi] = after
        self.access[after.lfdi] = access
        (self.members.add if member else self.members.discard)(after.lfdi)
        (self.limited.add if limited else self.limited.discard)(after.lfdi)
        self.change += 1

    def truth(self, aggregator: str, program: Program, need: Access) -> bool:
        return any(
            each.aggregator == aggregator
            and self.assigned(program, each.lfdi)
            and need in self.access[each.lfdi]
            and (program.home is not None or each.lfdi not in self.limited)
            for each in self.homes.values()
        )


@given(
    st.lists(
        st.tuples(
            st.integers(2, 6),
            st.sampled_from(SPEAKERS),
            st.sampled_from([Access.NOTHING, Access.OWN | Access.DEFAULTS, ALL]),
            st.booleans(),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_an_aggregator_sees_what_any_home_of_its_own_sees(
    changes: Sequence[tuple[int, str, Access, bool, bool]],
) -> None:
    """But for a home with a contract: that sees copies, and speaks for nothing else."""
    world = World()
    for number, speaker, access, member, limited in changes:
        world.put(number, speaker, access, member=member, limited=limited)
        for aggregator, program, need in itertools.product(
            AGGREGATORS, PROGRAMS, (Access.DEFAULTS, Access.EVENTS)
        ):
            seen = world.reach.sees(aggregator, program, need)
            assert seen == world.truth(aggregator, program, need)


@given(
    st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 9_999_999)), min_size=2, unique=True)
)
def test_each_home_s_copy_of_a_programme_is_one_of_its_own(
    places: Sequence[tuple[int, int]],
) -> None:
    """And is found again by its index, while it is there."""
    rolls, limited = Rolls(), {f"{number:040X}" for number, _ in places}
    numbers = {number for number, _ in places}
    for number in numbers:
        rolls.take([Changed(f"{number:040X}", None, home(number, AGGREGATORS[0]))])
    programs = {index: replace(PROGRAMS[0], index=index) for _, index in places}
    twins = Twins(rolls, programs.get, limited.__contains__)
    made = [twin(programs[index], home(number, AGGREGATORS[0])) for number, index in places]
    assert len({each.index for each in made}) == len(places)
    assert not {each.index for each in made} & programs.keys()
    assert all(len(str(each.index)) <= 18 for each in made), "as long as paths may have them"
    for (number, index), each in zip(places, made, strict=True):
        assert twins.at(each.index) == each
        assert (each.root, each.home) == (index, f"{number:040X}")
        assert list(twins.of(home(number, AGGREGATORS[0]), [programs[index]])) == [each]
        assert list(twins.of(home(number, ""), [programs[index]])) == [programs[index]]
    limited.clear()
    assert [twins.at(each.index) for each in made] == [None] * len(made)


def test_what_it_is_asked_does_not_grow_with_its_homes() -> None:
    world = World()
    speaker = AGGREGATORS[0]
    for number in range(2, 10_002):
        world.put(number, speaker, ALL, member=number == 9_000)
    for program in PROGRAMS:
        assert world.reach.sees(speaker, program, Access.EVENTS)
    foreign = replace(PROGRAMS[1], index=4, group="h")
    world.members.clear()
    assert not world.reach.sees(speaker, foreign, Access.EVENTS)
    world.members.add(f"{9_000:040X}")
    world.asked = 0
    for _ in range(100):
        for program in PROGRAMS:
            assert world.reach.sees(speaker, program, Access.EVENTS)
        assert not world.reach.sees(speaker, foreign, Access.EVENTS), "nothing has changed since"
        page = world.rolls.part(home(1, ""), Query(5_000, 255))
        assert page.all == 1, "home 1 is no aggregator"
    assert world.asked <= 300


# The desk, on a real database


async def desk(path: Path) -> tuple[Store, Book, Aggregators]:
    store = await Store.open(path)
    clock = SystemClock()
    book = Book(store, Programmes(store, PROGRAMS[:1], clock, 1), clock, 1)
    granted = Calendar(Shelf(store, "grant", Grant), clock, "grant")
    flows = FlowBook(Shelf(store, "request", FlowRequest), granted, clock, 1)
    made = Aggregators(store, book, flows)
    await store.load()
    return store, book, made


async def test_who_may_speak_for_whom(tmp_path: Path) -> None:
    store, book, aggregators = await desk(tmp_path / "a.sqlite")
    one, two = AGGREGATORS
    edition = Edition.CSIP_AUS
    await book.register("D" * 40, 123455, Edition.Y2023, in_band=False)
    await book.register(B, 123455, edition, in_band=False)
    await aggregators.enter(Aggregator(one, most=2), 123455, edition)
    await aggregators.enter(Aggregator(two), 123455, edition)
    with pytest.raises(ConflictError, match="an aggregator already"):
        await aggregators.enter(Aggregator(one), 123455, edition)
    await aggregators.give(one, [Wanted(A), Wanted(B)])
    await aggregators.give(one, [Wanted(B)])
    assert {each.lfdi for each in book.rolls.managed(one)} == {A, B}
    refusals: Mapping[str, Sequence[Wanted]] = {
        "an aggregator itself": [Wanted(two)],
        f"aggregator {one} speaks for home {A}": [Wanted("E" * 40), Wanted(A)],
        "speaks 2023, its aggregator csip-aus": [Wanted("D" * 40)],
    }
    for said, wanted in refusals.items():
        with pytest.raises(ConflictError, match=said):
            await aggregators.give(two, wanted)
    assert not book.rolls.managed(two), "all or none"
    assert book.home("E" * 40) is None
    with pytest.raises(ConflictError, match="2 homes at most"):
        await aggregators.give(one, [Wanted("E" * 40)])
    with pytest.raises(ConflictError, match="2 homes already"):
        await aggregators.change(Aggregator(one, most=1))
    with pytest.raises(ConflictError, match="speaks for home"):
        await aggregators.enter(Aggregator(A), 123455, edition)
    with pytest.raises(ConflictError, match="speaks 2023, not csip-aus"):
        await aggregators.enter(Aggregator("D" * 40), 123455, edition)
    with pytest.raises(ConflictError, match="release them"):
        await aggregators.drop(one)
    with pytest.raises(UnknownItemError):
        await aggregators.release(two, A)
    for of in (A, B):
        await aggregators.release(one, of)
    await aggregators.drop(one)
    assert aggregators.find(one) is None
    assert book.home(one) is not None
    await store.close()


async def test_a_home_that_the_fleet_does_not_serve_is_not_entered(tmp_path: Path) -> None:
    store, book, aggregators = await desk(tmp_path / "a.sqlite")
    one = AGGREGATORS[0]
    await aggregators.enter(Aggregator(one, may_register=True), 123455, Edition.CSIP_AUS)
    book.served = lambda lfdi: Access.NOTHING if lfdi == A else ALL
    with pytest.raises(ForbiddenError, match="as its hub stands"):
        await aggregators.register(one, A)
    made = await aggregators.register(one, B)
    assert (made.aggregator, made.in_band) == (one, True)
    await store.close()


async def test_what_one_worker_hands_over_another_knows(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    first, second = await desk(path), await desk(path)
    one = AGGREGATORS[0]
    await first[2].enter(Aggregator(one), 123455, Edition.CSIP_AUS)
    await first[2].give(one, [Wanted(A), Wanted(B)])
    await second[0].catch_up()
    assert {each.lfdi for each in second[1].rolls.managed(one)} == {A, B}
    await second[2].release(one, A)
    await first[0].catch_up()
    assert [each.lfdi for each in first[1].rolls.managed(one)] == [B]
    await asyncio.gather(
        first[2].give(one, [Wanted("E" * 40, 123455)]),
        second[2].give(one, [Wanted("E" * 40, 123455)]),
    )
    await first[0].catch_up()
    assert len(first[1].rolls.managed(one)) == 2
    third = await desk(path)
    assert list(third[1].rolls.managed(one)) == list(first[1].rolls.managed(one))
    for store, _, _ in (first, second, third):
        await store.close()

"""When the walk comes by each resource: poll rates, failures, renames, notifications."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.sep2 import resources as res
from hems.sep2.errors import BusyError, NotFoundError, PinError, Sep2Error, UnreachableError
from hems.sep2.transport.troubles import Troubles
from hems.sep2.walk.notices import LONGEST_S, PROOF_S, SLOWER, Mark, Notices
from hems.sep2.walk.walker import Pace, Stop, Visit, Walker
from tests.hems.sep2.virtual_time import run

pytestmark = pytest.mark.requirement("PRO-2030.5")

PACE = Pace(least_poll_s=10, default_poll_s=900, first_retry_s=1, longest_retry_s=300)
SPAN_S = 7200.0


@dataclass
class Resource:
    """A resource of the server that is walked.

    Attributes:
        poll_s: Its own poll rate.
        links: What it leads to.
        error: What a visit ends with.
        mark: What it holds.
        asked: Whether a visit asks the server anything.
        seen: When it was visited, on the loop's clock.
    """

    poll_s: float | None = None
    links: Sequence[str] = ()
    error: Sep2Error | None = None
    mark: Mark | None = None
    asked: bool = True
    seen: list[float] = field(default_factory=list)

    @property
    def gaps(self) -> list[float]:
        return [b - a for a, b in zip(self.seen, self.seen[1:], strict=False)]


class Tree:
    """A server and the walk through it.

    Attributes:
        at: The resources by href; what is not there is a 404.
        missed: Hrefs that were not there, in order.
    """

    def __init__(self, resources: dict[str, Resource], notices: Notices | None = None) -> None:
        self.at = resources
        self.missed: list[str] = []
        self.failures: list[tuple[str, str]] = []
        self.subscribable = 0
        self.news = asyncio.Event()
        self.walker = Walker(
            Place(self, "/dcap"),
            PACE,
            random.Random(7),  # noqa: S311 - jitter
            Troubles(),
            on_answer=self.news.set,
            on_failure=lambda stop, error, _n, _new: self.failures.append((stop.href, str(error))),
            on_subscribable=self._doubted,
            notices=notices,
        )

    def _doubted(self) -> None:
        self.subscribable += 1

    async def walk(self, *acts: Callable[[], object], every_s: float) -> None:
        """Walk, do one act each `every_s`, and stop after as long again."""
        task = asyncio.create_task(self.walker.run())
        try:
            for act in acts:
                await asyncio.sleep(every_s)
                act()
            await asyncio.sleep(every_s)
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@dataclass(frozen=True)
class Place:
    """A stop of a `Tree`."""

    tree: Tree
    href: str

    async def visit(self) -> Visit:
        await asyncio.sleep(0)
        found = self.tree.at.get(self.href)
        if found is None:
            self.tree.missed.append(self.href)
            raise NotFoundError(f"{self.href}: 404")
        found.seen.append(asyncio.get_running_loop().time())
        if found.error is not None:
            raise found.error
        children: list[Stop] = [Place(self.tree, href) for href in found.links]
        return Visit(children, found.poll_s, subscribable=True, mark=found.mark, asked=found.asked)

    async def take(self, resource: res.Resource) -> bool:
        del resource
        return True


@settings(deadline=None, max_examples=10)
@given(
    top=st.sampled_from([None, 0, 5, 60, 900]),
    middle=st.sampled_from([None, 0, 30, 300]),
    low=st.sampled_from([None, 20, 3600]),
)
def test_each_resource_at_its_own_rate_or_at_its_parents(
    top: float | None, middle: float | None, low: float | None
) -> None:
    tree = Tree(
        {
            "/dcap": Resource(top, ["/derp"]),
            "/derp": Resource(middle, ["/derc"]),
            "/derc": Resource(low),
        }
    )
    run(tree.walk(every_s=SPAN_S))
    rate = PACE.default_poll_s
    for own, href in ((top, "/dcap"), (middle, "/derp"), (low, "/derc")):
        rate = max(PACE.least_poll_s, rate if own is None else own)
        gaps = tree.at[href].gaps
        assert len(gaps) >= SPAN_S / (rate * 1.1) - 2, "no poll is left out"
        assert all(rate <= gap <= rate * 1.1 + 0.1 for gap in gaps), "none comes early"
        assert len(set(gaps)) >= len(gaps) // 2, "with jitter"


def test_a_rate_that_changes_holds_at_once_for_all_that_inherit_it() -> None:
    tree = Tree(
        {
            "/dcap": Resource(600, ["/derp"]),
            "/derp": Resource(None, ["/derc", "/own"]),
            "/derc": Resource(None),
            "/own": Resource(5000),
        }
    )

    def change() -> None:
        tree.at["/dcap"].poll_s = 60
        assert tree.walker.poke("/dcap")

    run(tree.walk(change, every_s=300))
    for href in ("/derp", "/derc"):
        first, second, third = tree.at[href].seen[:3]
        assert 299 <= second - first < 301, "it was due long ago by the new rate"
        assert 60 <= third - second <= 67
    assert len(tree.at["/own"].seen) == 1, "its own rate did not change"


def test_a_slower_rate_holds_at_once_as_well() -> None:
    tree = Tree({"/dcap": Resource(600, ["/derc"]), "/derc": Resource(None)})

    def change() -> None:
        tree.at["/dcap"].poll_s = 3000
        tree.walker.poke("/dcap")

    run(tree.walk(change, every_s=2800))
    gaps = tree.at["/derc"].gaps
    assert all(600 <= gap <= 660.1 for gap in gaps[:-1])
    assert 3000 <= gaps[-1] <= 3300.1


def test_a_rename_is_looked_for_upwards_as_far_as_it_goes() -> None:
    """Three levels changed their addresses; only the entry point is where it was."""
    tree = Tree(
        {
            "/dcap": Resource(900, ["/edev"]),
            "/edev": Resource(900, ["/fsa"]),
            "/fsa": Resource(900, ["/derp"]),
            "/derp": Resource(60),
        }
    )

    def rename() -> None:
        tree.at = {
            "/dcap": Resource(900, ["/v2/edev"]),
            "/v2/edev": Resource(900, ["/v2/fsa"]),
            "/v2/fsa": Resource(900, ["/v2/derp"]),
            "/v2/derp": Resource(60),
        }

    run(tree.walk(rename, every_s=200))
    assert tree.missed == ["/derp", "/fsa", "/edev"], "each once, from below"
    seen = tree.at["/v2/derp"].seen
    assert len(seen) >= 2, "found as soon as the first 404 came, and followed from there"
    assert len(tree.at["/v2/fsa"].seen) == 1


def test_an_entry_point_that_is_gone_is_tried_again_soon() -> None:
    tree = Tree({})

    def appear() -> None:
        tree.at["/dcap"] = Resource(900)

    run(tree.walk(appear, every_s=600))
    assert 3 <= len(tree.missed) <= 40
    assert tree.at["/dcap"].seen


def test_a_link_that_disappears_is_left_alone_and_comes_back() -> None:
    tree = Tree({"/dcap": Resource(60, ["/a", "/b"]), "/a": Resource(60), "/b": Resource(60)})

    def drop() -> None:
        tree.at["/dcap"].links = ["/a"]

    def bring_back() -> None:
        tree.at["/dcap"].links = ["/a", "/b"]

    run(tree.walk(drop, bring_back, every_s=600))
    a, b = tree.at["/a"], tree.at["/b"]
    assert max(b.gaps) > 500
    assert max(a.gaps) <= 66.1
    assert len(b.seen) > 12


def test_one_that_asks_to_wait_stops_no_other() -> None:
    busy = BusyError("503", retry_after_s=3000)
    tree = Tree(
        {
            "/dcap": Resource(60, ["/a", "/b"]),
            "/a": Resource(60, error=busy),
            "/b": Resource(60),
        }
    )
    run(tree.walk(every_s=SPAN_S))
    assert min(tree.at["/a"].gaps) >= 3000
    assert max(tree.at["/b"].gaps) <= 66.1


def test_back_off_starts_anew_with_another_trouble() -> None:
    tree = Tree({"/dcap": Resource(900, error=UnreachableError("refused"))})

    def answers() -> None:
        tree.at["/dcap"].error = BusyError("503")

    run(tree.walk(answers, every_s=3600))
    seen = tree.at["/dcap"].seen
    before = len(seen)
    first = [a for a, (h, why) in zip(seen, tree.failures, strict=True) if why == "503"]
    assert before > len(first) >= 8
    assert first[3] - first[0] < 1 + 2 + 4, "the first waits are short again"
    assert max(tree.at["/dcap"].gaps) <= 300.1


def test_a_visit_that_asks_nothing_is_no_sign_of_the_server() -> None:
    tree = Tree({"/dcap": Resource(60, ["/quiet"]), "/quiet": Resource(60, asked=False)})

    async def story() -> None:
        walking = asyncio.create_task(tree.walker.run())
        await asyncio.sleep(300)
        assert tree.news.is_set()
        tree.at["/dcap"].error = UnreachableError("nobody answers")
        await asyncio.sleep(1)
        tree.news.clear()
        await asyncio.sleep(3600)
        walking.cancel()

    run(story())
    assert len(tree.at["/quiet"].seen) > 30, "it is visited all the while"
    assert not tree.news.is_set()


def test_the_wrong_server_ends_the_walk() -> None:
    tree = Tree({"/dcap": Resource(60, ["/rg"]), "/rg": Resource(error=PinError("not ours"))})
    with pytest.raises(PinError, match="not ours"):
        run(tree.walker.run())


def test_what_is_notified_is_polled_slowly_until_a_poll_finds_what_nobody_told() -> None:
    notices = Notices(grace_s=60)
    tree = Tree({"/dcap": Resource(60, mark={"A": 1})}, notices)
    notices.stand(frozenset({"/dcap"}))
    marks: list[int] = []

    async def tell() -> None:
        assert await tree.walker.notified("/dcap", None)

    def told() -> None:
        marks.append(len(tree.at["/dcap"].seen))
        tasks.append(asyncio.create_task(tell()))

    def change() -> None:
        marks.append(len(tree.at["/dcap"].seen))
        tree.at["/dcap"].mark = {"A": 2}

    def look() -> None:
        marks.append(len(tree.at["/dcap"].seen))

    tasks: list[asyncio.Task[None]] = []
    run(tree.walk(told, look, change, look, every_s=3000))
    gaps = tree.at["/dcap"].gaps
    unproven, proven, after = gaps[: marks[0] - 1], gaps[marks[0] + 2 : marks[2] - 1], gaps[-20:]
    assert all(60 <= g <= 66.1 for g in unproven)
    assert all(60 * SLOWER <= g <= 66.1 * SLOWER for g in proven)
    assert all(60 <= g <= 66.1 for g in after), "at its full rate since the change was found"
    assert tree.subscribable == 2, "once that it is there, once that it is in doubt"


async def test_a_notification_that_lacks_what_was_known_has_the_list_read() -> None:
    tree = Tree({"/dcap": Resource(900, mark={"E1": (1, False), "E2": (1, False)})})
    task = asyncio.create_task(tree.walker.run())
    await tree.news.wait()
    full = res.DERControlList(all=0, results=0)
    tree.news.clear()
    assert await tree.walker.notified("/dcap", full)
    await tree.news.wait()
    assert len(tree.at["/dcap"].seen) == 2
    assert not await tree.walker.notified("/nowhere", full)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_proof_grows_old() -> None:
    notices = Notices()
    notices.stand(frozenset({"/a"}))
    assert notices.poll_s("/a", 60, 0) == 60
    notices.told("/a", 0)
    notices.told("/b", 0)
    assert notices.poll_s("/b", 60, 0) == 60
    assert notices.poll_s("/a", 60, PROOF_S) == 60 * SLOWER
    assert notices.poll_s("/a", 600, PROOF_S) == LONGEST_S
    assert notices.poll_s("/a", 3600, PROOF_S) == 3600
    assert notices.poll_s("/a", 60, PROOF_S + 1) == 60


def test_a_notification_in_time_clears_the_doubt() -> None:
    notices = Notices(grace_s=60)
    notices.stand(frozenset({"/a", "/b"}))
    assert notices.due_s(0) is None
    assert notices.found("/a", 0)
    assert not notices.found("/a", 10), "it is in doubt since then"
    assert not notices.found("/other", 0)
    assert notices.found("/b", 20)
    assert (notices.due_s(20), notices.untold(59)) == (40, [])
    notices.told("/a", 59)
    assert (notices.due_s(60), notices.untold(79)) == (20, [])
    assert notices.untold(80) == ["/b"]
    notices.begin("/b")
    assert notices.untold(999) == []
    notices.stand(frozenset())
    assert not notices.found("/a", 0)

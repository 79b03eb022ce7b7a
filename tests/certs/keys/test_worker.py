"""Whoever asks hardware that hangs waits for a while, and no longer."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from certs.keys.errors import KeyStoreError, KeyStoreGoneError
from certs.keys.worker import Worker


def test_calls_are_done_one_at_a_time_and_each_gets_its_own_answer() -> None:
    worker, inside, most = Worker("it"), [0], [0]

    def call(number: int) -> int:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.002)
        inside[0] -= 1
        return number

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: worker.do(lambda: call(n), 30), range(40)))
    assert answers == list(range(40))
    assert most == [1]


def test_what_a_call_raises_is_raised_to_who_asked() -> None:
    worker = Worker("it")

    def fail() -> None:
        raise KeyStoreError("no")

    with pytest.raises(KeyStoreError, match="no"):
        worker.do(fail, 30)
    assert worker.do(lambda: 7, 30) == 7


def test_a_hung_call_is_given_up_and_the_next_not_waited_for() -> None:
    worker, go_on = Worker("the TPM"), threading.Event()
    with pytest.raises(KeyStoreGoneError, match="the TPM does not answer"):
        worker.do(lambda: go_on.wait(60), 0.05)
    done: list[int] = []
    with pytest.raises(KeyStoreGoneError):
        worker.do(lambda: done.append(1), 60)  # would take a minute if it were waited for
    go_on.set()
    deadline = time.monotonic() + 30
    while True:
        try:
            assert worker.do(lambda: 5, 30) == 5
            break
        except KeyStoreGoneError:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert done == []


def test_a_process_that_was_forked_has_a_thread_of_its_own() -> None:
    worker = Worker("it")
    assert worker.do(lambda: 1, 30) == 1
    child = os.fork()
    if child == 0:
        answer = 1
        try:
            answer = worker.do(lambda: 0, 20)
        finally:
            os._exit(answer)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0

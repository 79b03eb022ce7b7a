"""One thread for hardware that may hang: who asks it waits for a while, and no longer."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from certs.keys.errors import KeyStoreGoneError

T = TypeVar("T")


@dataclass(slots=True)
class _Task(Generic[T]):
    """A call that is waited for.

    Attributes:
        call: What is to be done.
        done: Set once it was.
        given_up: Whether nobody waits for it any more.
    """

    call: Callable[[], T]
    done: threading.Event = field(default_factory=threading.Event)
    given_up: bool = False
    result: T | None = None
    error: BaseException | None = None


class Worker:
    """Does calls one after the other, in a thread that does not keep the process from ending.

    Args:
        name: What hangs if it hangs, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: queue.SimpleQueue[_Task[object]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._hung: _Task[object] | None = None

    def do(self, call: Callable[[], T], within_s: float) -> T:
        """Return what a call returns, or raise what it raises.

        Args:
            call: What is to be done.
            within_s: How long it is waited for.

        Raises:
            KeyStoreGoneError: It takes longer, or one before it did and still does: then it is
                not waited for at all, for whoever asks has a home to control.
        """
        task: _Task[T] = _Task(call)
        with self._lock:
            if self._hung is not None and not self._hung.done.is_set():
                raise self._gone()
            self._hung = None
            if self._thread is None or not self._thread.is_alive():  # a fork leaves it behind
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._tasks.put(task)  # type: ignore[arg-type]
        if not task.done.wait(within_s):
            with self._lock:
                if not task.done.is_set():
                    task.given_up = True
                    self._hung = task  # type: ignore[assignment]
                    raise self._gone()
        if task.error is not None:
            raise task.error
        return task.result  # type: ignore[return-value]

    def _run(self) -> None:
        while True:
            task = self._tasks.get()
            if not task.given_up:
                try:
                    task.result = task.call()
                except BaseException as error:  # noqa: BLE001 - raised again by who waits for it
                    task.error = error
            task.done.set()

    def _gone(self) -> KeyStoreGoneError:
        return KeyStoreGoneError(f"{self._name} does not answer")

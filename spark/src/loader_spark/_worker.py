"""What runs on the workers of the cluster: one child process for each Python worker.

The child is ``loader work``. It lives as long as the Python worker, which Spark uses again for the
tasks of a job, so plugins stay compiled. It ends when its stdin does. A trap of WebAssembly, or a
memory that grows too large, ends the child at most, and never the Python worker.
"""

import atexit
import hashlib
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional

from . import _frames
from ._program import program


class TaskFailed(Exception):
    """A task could not be done. Spark does it again: see ``spark.task.maxFailures``."""

    MARK = "loader-task-failed: "

    def __init__(self, failure: str) -> None:
        super().__init__(self.MARK + failure)
        self._failure = failure

    def message(self) -> str:
        """What the program has said."""
        return str(json.loads(self._failure)["message"])


class Child:
    """The program, and the spec that it has."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [program(), "work"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._spec: Optional[str] = None

    def do(self, spec: bytes, task: bytes) -> bytes:
        """The outcome of a task. Raises ``TaskFailed``."""
        digest = hashlib.sha256(spec).hexdigest()
        if digest != self._spec:
            self._send(_frames.SPEC, spec)
            self._spec = digest
        return self.ask(_frames.TASK, task)

    def ask(self, kind: int, *content: bytes) -> bytes:
        """The answer to a frame. Raises ``TaskFailed``."""
        self._send(kind, *content)
        assert self._process.stdout is not None
        frame = _frames.read(self._process.stdout)
        if frame is None:
            raise self._gone()
        if frame.kind == _frames.ERROR:
            raise TaskFailed(frame.content.decode("utf-8", "replace"))
        return frame.content

    def _send(self, kind: int, *content: bytes) -> None:
        assert self._process.stdin is not None
        try:
            _frames.write(self._process.stdin, kind, *content)
        except OSError as error:
            raise self._gone() from error

    def _gone(self) -> TaskFailed:
        try:
            code = self._process.wait(_MOMENT)
        except subprocess.TimeoutExpired:
            code = self.end()
        fact = f"the program of a worker ended with code {code}"
        return TaskFailed(json.dumps({"kind": "Transient", "message": fact}))

    def end(self) -> int:
        """Ends the program, whatever it does, and gives its exit code."""
        self._process.kill()
        return self._process.wait()

    def is_alive(self) -> bool:
        """Whether the program can be asked."""
        return self._process.poll() is None


# How long a program may take to end once it has closed its output, in seconds.
_MOMENT = 5
_idle: list[Child] = []
_lock = threading.Lock()


@contextmanager
def child() -> Iterator[Child]:
    """A child of this process, for one task at a time.

    Spark gives a Python worker one task after the other, so there is one child. Where an engine
    runs Python on several threads, each task that runs has its own.
    """
    with _lock:
        taken = _idle.pop() if _idle else None
    if taken is None or not taken.is_alive():
        taken = Child()
    try:
        yield taken
    except BaseException:
        # An answer may still come, and would be taken for that of the next task.
        taken.end()
        raise
    with _lock:
        _idle.append(taken)


def _end_all() -> None:
    with _lock:
        while _idle:
            _idle.pop().end()


atexit.register(_end_all)

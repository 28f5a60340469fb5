"""What runs on the workers of the cluster: one child process for each Python worker.

The child is ``loader work``. It lives as long as the Python worker, which Spark uses again for the
tasks of a job, so plugins stay compiled. It ends when its stdin does. A trap of WebAssembly, or a
memory that grows too large, ends the child at most, and never the Python worker.
"""

import atexit
import hashlib
import json
import subprocess
from typing import Optional

from . import _frames
from ._program import program


class TaskFailed(Exception):
    """A task could not be done; Spark does it again, as often as ``spark.task.maxFailures`` says."""

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
        """Whatever has ended the child, the next attempt gets another one."""
        end()
        code = self._process.returncode
        fact = f"the program of a worker ended with code {code}"
        return TaskFailed(json.dumps({"kind": "Transient", "message": fact}))

    def end(self) -> None:
        """Ends the program, whatever it does."""
        self._process.kill()
        self._process.wait()


_child: Optional[Child] = None


def child() -> Child:
    """The child of this Python worker, whose tasks come one after the other."""
    global _child
    if _child is None:
        _child = Child()
        atexit.register(end)
    return _child


def end() -> None:
    """Ends the child of this Python worker."""
    global _child
    if _child is not None:
        ending, _child = _child, None
        ending.end()

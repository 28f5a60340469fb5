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
from typing import Optional

from . import _frames
from ._program import program


class TaskFailed(Exception):
    """A task could not be done; Spark does it again, as often as ``spark.task.maxFailures`` says."""

    MARK = "loader-task-failed: "

    def __init__(self, failure: str) -> None:
        super().__init__(self.MARK + failure)


class _Child:
    """The program, and the spec that it has."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [program(), "work"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._spec: Optional[str] = None

    def do(self, spec: bytes, task: bytes) -> bytes:
        """The outcome of a task. Raises ``TaskFailed`` and ``OSError``, which end the child."""
        to, come_back = self._process.stdin, self._process.stdout
        assert to is not None and come_back is not None
        digest = hashlib.sha256(spec).hexdigest()
        if digest != self._spec:
            _frames.write(to, _frames.SPEC, spec)
            self._spec = digest
        _frames.write(to, _frames.TASK, task)
        frame = _frames.read(come_back)
        if frame is None:
            code = self._process.wait()
            raise OSError(f"the program of the worker ended with code {code}")
        if frame.kind == _frames.ERROR:
            raise TaskFailed(frame.content.decode("utf-8", "replace"))
        return frame.content

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


_child: Optional[_Child] = None
_lock = threading.Lock()


def do(spec: bytes, task: bytes) -> bytes:
    """Does a task in the child of this Python worker, and gives its outcome."""
    global _child
    with _lock:
        if _child is None:
            _child = _Child()
            atexit.register(_end)
        try:
            return _child.do(spec, task)
        except TaskFailed:
            raise
        except OSError as error:
            # Whatever has ended the child, the next attempt gets another one.
            _end()
            failure = {"kind": "Transient", "message": str(error)}
            raise TaskFailed(json.dumps(failure)) from error


def _end() -> None:
    global _child
    if _child is not None:
        _child.end()
        _child = None

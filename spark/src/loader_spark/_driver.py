"""The driver: starts the program, and has Spark do the tasks that it asks for."""

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Optional

from . import _cluster, _frames
from ._program import check_version, program

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_log = logging.getLogger("loader_spark")

_EXIT_CONFIG = 2
_LOOK_EVERY = 0.1
_LONGEST_FOLDER = 70


class LoadFailed(RuntimeError):
    """A load has failed. ``exit_code`` is that of the program, which has said why."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"loader ended with exit code {exit_code}; its log says why")
        self.exit_code = exit_code


def run(
    arguments: Sequence[str],
    *,
    spark: Optional["SparkSession"] = None,
    env: Optional[Mapping[str, str]] = None,
    cwd: Optional[str] = None,
    stdout: Any = None,
    stderr: Any = None,
) -> int:
    """Runs a command line of ``loader``, and gives its exit code.

    ``arguments`` are those of the program: ``["run", "orders"]``. Where they begin with a flag, as
    those of a Glue job do, ``run`` is meant. ``spark``: the session that does the work; without it
    one is made from the settings of ``spark-submit``. The report is printed to stdout, and the log
    to stderr. The other arguments are those of ``subprocess.Popen``, for the program of the driver;
    ``env`` is added to the variables of this process.
    """
    arguments = list(arguments)
    if not arguments or arguments[0].startswith("-"):
        arguments.insert(0, "run")
    try:
        check_version()
        session = spark if spark is not None else _session()
        _cluster.refuse(session)
    except (ValueError, RuntimeError, OSError, subprocess.CalledProcessError) as error:
        _say(f"loader: {error}\n", stderr)
        return _EXIT_CONFIG
    return _Driver(session).run(
        arguments, env or {}, {"cwd": cwd, "stdout": stdout, "stderr": stderr}
    )


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """The whole of a Glue job: loads by the arguments that the job was started with.

    Raises ``LoadFailed``, so that Glue shows a failed load as a failed run.
    """
    code = run(sys.argv[1:] if arguments is None else arguments)
    if code != 0:
        raise LoadFailed(code)


def _say(text: str, to: Any) -> None:
    """Writes to where the log goes."""
    if hasattr(to, "fileno"):
        os.write(to.fileno(), text.encode())
    else:
        sys.stderr.write(text)


def _session() -> "SparkSession":
    from pyspark.sql import SparkSession

    return SparkSession.builder.appName("loader").getOrCreate()


class _Driver:
    """One run of the program. Maps that it asks for at once are done at once."""

    def __init__(self, spark: "SparkSession") -> None:
        self._spark = spark
        self._write_lock = threading.Lock()
        self._to: Optional[_frames.Writes] = None
        self._maps: dict[int, threading.Thread] = {}

    def run(self, arguments: list[str], env: Mapping[str, str], options: dict[str, Any]) -> int:
        # Nobody else can reach the socket: the folder is its owner's alone.
        with tempfile.TemporaryDirectory(prefix="loader-", dir=_folder()) as folder:
            path = os.path.join(folder, "frames")
            environment = {**os.environ, **env, "LOADER_FRAMES": path}
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
                listener.listen(1)
                listener.settimeout(_LOOK_EVERY)
                # In a session of its own: what a terminal sends reaches it once, from here.
                process = subprocess.Popen(
                    [program(), *arguments], env=environment, start_new_session=True, **options
                )
                with _signals_passed_on(process):
                    connection = self._connection(listener, process)
            try:
                with _signals_passed_on(process):
                    if connection is not None:
                        self._serve(connection)
                    code = process.wait()
                return 128 - code if code < 0 else code
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait()

    def _connection(
        self, listener: socket.socket, process: "subprocess.Popen[bytes]"
    ) -> Optional[socket.socket]:
        """The program's connection; ``None`` where it ends without one."""
        while process.poll() is None:
            try:
                connection, _ = listener.accept()
                connection.setblocking(True)
                return connection
            except socket.timeout:
                continue
        return None

    def _serve(self, connection: socket.socket) -> None:
        """Does the maps of the program until it ends."""
        with connection, connection.makefile("rwb") as frames:
            self._to = frames
            try:
                self._write(_frames.HELLO, _frames.hello(_cluster.tasks_at_once(self._spark)))
                while True:
                    frame = _frames.read(frames)
                    if frame is None:
                        break
                    self._take(frame)
            except OSError:
                # It ended before it had read all that was sent to it.
                _log.debug("the program has ended", exc_info=True)
            finally:
                for number in list(self._maps):
                    self._cancel(number)
                with self._write_lock:
                    self._to = None

    def _take(self, frame: _frames.Frame) -> None:
        if frame.kind == _frames.MAP:
            number, spec, tasks = _frames.read_map(frame.content)
            thread = threading.Thread(target=self._map, args=(number, spec, tasks), daemon=True)
            self._maps[number] = thread
            thread.start()
        elif frame.kind == _frames.CANCEL:
            self._cancel(int.from_bytes(frame.content[:8], "little"))

    def _map(self, number: int, spec: bytes, tasks: list[bytes]) -> None:
        left = set(range(len(tasks)))

        def take(place: int, outcome: bytes) -> None:
            left.discard(place)
            self._write(_frames.OUTCOME, _frames.outcome(number, place), outcome)

        failure = "Spark has ended a map without the outcomes of all of its tasks"
        try:
            _cluster.do(self._spark, self._name(number), spec, tasks, take)
        except Exception as error:
            _log.debug("map %s failed", number, exc_info=True)
            failure = _cluster.failure_of(error)
        finally:
            self._maps.pop(number, None)
            # Whoever waits for an outcome that never comes would wait for ever.
            if left:
                said = failure.encode("utf-8", "replace")
                self._write(_frames.FAILED, _frames.number(number), said)

    def _cancel(self, number: int) -> None:
        if number not in self._maps:
            return
        try:
            _cluster.cancel(self._spark, self._name(number))
        except Exception:
            # The tasks go on to their end, and count for nothing.
            _log.warning("the tasks of map %s could not be cancelled", number, exc_info=True)

    def _name(self, number: int) -> str:
        return f"loader-{os.getpid()}-{id(self)}-{number}"

    def _write(self, kind: int, *content: bytes) -> None:
        with self._write_lock:
            try:
                if self._to is not None:
                    _frames.write(self._to, kind, *content)
            except (OSError, ValueError):
                # The program has ended, and waits for nothing.
                _log.debug("the program has ended")


def _folder() -> Optional[str]:
    """The folder for sockets, whose paths have some 100 characters at most."""
    return None if len(tempfile.gettempdir()) < _LONGEST_FOLDER else "/tmp"


@contextmanager
def _signals_passed_on(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Passes on what asks this process to stop: the program stops in order, and cleans up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def pass_on(number: int, _frame: object) -> None:
        if process.poll() is None:
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: it was not made by Python, which cannot bring it back.
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

#!/usr/bin/env python3
"""Stands between a worker of Spark and its program, and does harm once.

MISCHIEF says what: `kill learn before` kills the executor and the worker of Spark once a task of that kind
has come; `after`: once it was done, and nobody knows. `hold stage after` waits for a test to go on. In
MISCHIEF_DIR is a line for each task that came, and what the two sides tell each other.
"""

import os
import signal
import struct
import subprocess
import sys
import time

SPEC, TASK = 6, 7
KINDS = ["learn", "stage"]
FOLDER = os.environ["MISCHIEF_DIR"]
WHAT, KIND, WHEN = (os.environ.get("MISCHIEF") or "none none none").split()


def read(stream):
    head = stream.read(5)
    if len(head) < 5:
        return None
    length, kind = struct.unpack("<IB", head)
    return kind, stream.read(length - 1)


def write(stream, kind, content):
    stream.write(struct.pack("<IB", 1 + len(content), kind) + content)
    stream.flush()


def varint(content, at):
    value = shift = 0
    while True:
        byte = content[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def kind_of(spec):
    """The kind of the tasks of a spec: behind the version, two texts that may be missing, and a time."""
    length, at = varint(spec, 0)
    at += length
    for _ in range(2):
        is_there, at = varint(spec, at)
        if is_there:
            length, at = varint(spec, at)
            at += length
    for _ in range(2):
        _, at = varint(spec, at)
    return KINDS[varint(spec, at)[0]]


def path(name):
    return os.path.join(FOLDER, name)


def is_first():
    """Whether no other process has done the harm."""
    try:
        os.close(os.open(path("done"), os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def ancestors():
    pid = os.getpid()
    while pid > 1:
        with open(f"/proc/{pid}/stat") as stat:
            pid = int(stat.read().rsplit(")", 1)[1].split()[1])
        with open(f"/proc/{pid}/cmdline") as line:
            yield pid, line.read()


def harm(kind, when):
    if (kind, when) != (KIND, WHEN) or not is_first():
        return
    if WHAT == "kill":
        found = list(ancestors())
        for name in ["deploy.worker.Worker", "CoarseGrainedExecutorBackend"]:
            for pid, line in found:
                if name in line:
                    os.kill(pid, signal.SIGKILL)
        sys.exit(1)
    while not os.path.exists(path("go-on")):
        time.sleep(0.02)


def main():
    program = subprocess.Popen(
        [os.environ["MISCHIEF_PROGRAM"], *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    kind = "none"
    while True:
        frame = read(sys.stdin.buffer)
        if frame is None:
            break
        if frame[0] == SPEC:
            kind = kind_of(frame[1])
        else:
            with open(path("tasks"), "a") as tasks:
                tasks.write(kind + "\n")
            harm(kind, "before")
        write(program.stdin, *frame)
        if frame[0] == TASK:
            answer = read(program.stdout)
            if answer is None:
                break
            harm(kind, "after")
            write(sys.stdout.buffer, *answer)
    program.stdin.close()
    sys.exit(program.wait())


main()

"""Where the program ``loader`` is."""

import os
import shutil
import subprocess
import sysconfig
from functools import lru_cache
from pathlib import Path

VERSION = "0.1.0"
"""The version of this package, which is that of the program."""

_VARIABLE = "LOADER_PROGRAM"


@lru_cache(maxsize=1)
def program() -> str:
    """The path of the program: that of this package, unless LOADER_PROGRAM names another one.

    A wheel puts it where scripts go: of the environment, of the user, or beside this package where
    ``pip install --target`` was used.
    """
    named = os.environ.get(_VARIABLE)
    if named:
        return named
    here = Path(__file__).resolve()
    folders = [
        sysconfig.get_path("scripts"),
        # Python 3.9 does not tell the scheme of a user.
        sysconfig.get_path("scripts", scheme="posix_user"),
        str(here.parents[1] / "bin"),
        str(here.parents[4] / "bin") if len(here.parents) > 4 else None,
    ]
    for folder in folders:
        path = Path(folder) / "loader" if folder else None
        if path is not None and path.is_file():
            return str(path)
    found = shutil.which("loader")
    if found is None:
        raise FileNotFoundError(
            "the program `loader` is not on this machine: install the wheel of loader-spark on the "
            "driver and on all workers (Glue: --additional-python-modules), or name the program by "
            f"{_VARIABLE}"
        )
    return found


@lru_cache(maxsize=1)
def check_version() -> None:
    """Raises ``RuntimeError`` where the program has another version than this package."""
    said = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True)
    version = said.stdout.split()[-1]
    if version != VERSION:
        raise RuntimeError(
            f"loader-spark {VERSION} needs the program of its own version, and {program()} is "
            f"{version}: install one wheel, and take other programs out of PATH and {_VARIABLE}"
        )

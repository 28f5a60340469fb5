"""``python -m loader_spark run --src-bucket …``: the command line of ``loader``, on Spark."""

import sys

from ._driver import run


def run_and_exit() -> None:
    """Runs the command line, and exits with the code of the program."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    run_and_exit()

"""``python -m loader_spark run --src-bucket …``: the command line of ``loader``, on Spark."""

import sys

from ._driver import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))

"""Loads CSV, JSON Lines and Parquet from S3 into Amazon Redshift on an Apache Spark cluster.

The load itself is the program ``loader``, which comes with this package: it plans, commits and
reports on the driver, and its workers read, transform and stage the file. Spark schedules them,
tries them again, and speculates. Rows of a load never pass through Python.

``run`` and ``main`` load files; ``transform`` takes a DataFrame through plugins.
"""

from ._dataframe import transform
from ._driver import LoadFailed, main, run
from ._program import VERSION as __version__

__all__ = ["LoadFailed", "__version__", "main", "run", "transform"]

"""The script of a Glue job, or of `spark-submit`: it takes the arguments of the load."""

from loader_spark import main

main()

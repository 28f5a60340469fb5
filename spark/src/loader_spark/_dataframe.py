"""DataFrames through plugins."""


def transform(*_args, **_kwargs):
    raise NotImplementedError

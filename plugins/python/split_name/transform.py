"""Splits a full name into first and last name, by rules that are simple enough to be predicted."""

import json
import re
from pathlib import Path

from loader_sdk import plugin

CONFIG_SCHEMA = Path(__file__).with_name("config.schema.json").read_text()
DEFAULTS = {key: value["default"] for key, value in json.loads(CONFIG_SCHEMA)["properties"].items()}
# White space as Unicode and Rust define it. Python's own `str.split` also splits at U+001C to U+001F, for example.
SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
WORD = re.compile(f"[^{SPACE}]+")
AROUND = re.compile(rf"\A[{SPACE}]+|[{SPACE}]+\Z")


def steps(config, rows):
    config = DEFAULTS | config
    column, rules = config["column"], (config["particles"], config["suffixes"])
    for index, new in enumerate([config["first"], config["last"]]):
        rows.derive(
            new, [column], lambda name, index=index: None if name is None else split(name, *rules)[index], texts=True
        )
    if not config["keep"]:
        rows.drop(column)


Transform, Session = plugin(steps, CONFIG_SCHEMA)


def split(name, particles=DEFAULTS["particles"], suffixes=DEFAULTS["suffixes"]):
    """First and last name. With a comma, the last name stands before it; else it is the last word, with particles and suffixes."""
    last, comma, first = name.partition(",")
    if comma and AROUND.sub("", first) not in suffixes:
        return joined(words(first)), joined(words(last))
    every = words(name)
    start = max(len(every) - 1, 0)
    while start > 0 and every[start] in suffixes:
        start -= 1
    while start > 0 and every[start - 1] in particles:
        start -= 1
    return joined(every[:start]), joined(every[start:])


def words(text):
    return WORD.findall(text)


def joined(words):
    return " ".join(words) or None

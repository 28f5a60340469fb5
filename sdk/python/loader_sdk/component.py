"""The component around a transform. The bindings exist only when a component is built, and not in native tests."""

from contextlib import contextmanager
from traceback import extract_tb
from typing import Callable

from .rows import OpenSession, Refusal, make_plan

try:
    from componentize_py_types import Err
    from wit_world.exports import transform as wire
except ImportError:
    Err = wire = None


def plugin(steps: Callable, config_schema: str = "") -> tuple[type, type]:
    """Makes what a plugin's module offers as `Transform` and `Session`.

    `steps(config, rows)` is called for the plan, and again for every session, so the same config and columns must give
    the same steps. `config_schema` is the config's JSON Schema, by which the host checks the config. An empty text, the
    default, means that there is no config.
    """

    class Transform:
        def config_schema(self):
            return config_schema

        def make_plan(self, context, schema):
            with _told():
                plan = make_plan(steps, context.table, context.keys, context.config, schema)
            return wire.Plan(plan.inputs, plan.schema, [_expr(*output) for output in plan.outputs], plan.state)

    class Session:
        @classmethod
        def open(cls, state, schema):
            session = cls()
            with _told():
                session.session = OpenSession(steps, state)
            return session

        def process(self, batch):
            with _told(is_quiet=True):
                message, rejects = self.session.process(batch)
            rows, reasons, messages = rejects.parts()
            return wire.Output(message, rows, reasons, [wire.Error(*message, None) for message in messages])

        def finish(self):
            return [wire.Counter(counter.name, counter.count) for counter in self.session.counters()]

    return Transform, Session


def _expr(tag, value):
    kinds = {
        "passthrough": "Expr_Passthrough",
        "cast": "Expr_Cast",
        "host-value": "Expr_HostValue",
        "computed": "Expr_Computed",
    }
    return getattr(wire, kinds[tag])(value)


@contextmanager
def _told(is_quiet=False):
    """Turns exceptions into errors of the contract. A mistake in the plugin is reported with the exception's name and
    place. `is_quiet` leaves its message out, because it may quote a value when rows are at hand. (For example, the
    message of `int("n/a")` quotes `n/a`.)"""
    try:
        yield
    except Refusal as refusal:
        raise Err(wire.Error(refusal.code, refusal.message, refusal.column, None)) from None
    except Exception as error:
        place = extract_tb(error.__traceback__)[-1]
        message = "" if is_quiet else f": {error}"
        told = f"{type(error).__name__}{message} at {place.name}, {place.filename}:{place.lineno}"
        raise Err(wire.Error("exception", told, None, None)) from None

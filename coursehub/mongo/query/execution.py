"""Sending a plan to the server."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from bson import json_util

from coursehub.mongo.errors import translated
from coursehub.mongo.query.plans import Plan
from coursehub.mongo.types import Document, Pipeline


def all_rows(connection: Any, plan: Plan, *, log: bool) -> list[tuple[Any, ...]]:
    """The rows that the plan's documents make."""
    projected, read = plan.reading()
    cursor = _open(connection, plan, projected, log)
    with translated():
        return [read(document) for document in cursor.to_list()]  # by batches: a cursor's own loop costs more


@contextmanager
def documents(
    connection: Any, plan: Plan, batch_size: int
) -> Iterator[tuple[Any, Callable[[Document], tuple[Any, ...]]]]:
    """Context: a cursor over the plan's documents, and the function that makes a row of one."""
    projected, read = plan.reading()
    with closing(_open(connection, plan, projected, True, batch_size)) as cursor:
        yield cursor, read


def _open(connection: Any, plan: Plan, projected: Document, log: bool, batch_size: int = 0) -> Any:
    arguments = plan.find_arguments(projected)
    stages = [] if arguments is not None else [*plan.stages, {"$project": projected}]

    def text() -> str:
        command = f"find({arguments})" if arguments is not None else f"aggregate({stages})"
        return f"SELECT db.{plan.table}.{command}"

    if not log or not connection.queries_logged:
        return _send(connection, plan, stages, arguments, batch_size)
    with connection.logged(text, ()):
        return _send(connection, plan, stages, arguments, batch_size)


def _send(connection: Any, plan: Plan, stages: Pipeline, arguments: Document | None, batch_size: int) -> Any:
    with translated():
        if plan.table is None:
            return connection.database.aggregate(stages)
        collection = connection.collection(plan.table)
        if arguments is not None:
            return collection.find(**arguments, batch_size=batch_size)
        return collection.aggregate(stages, allowDiskUse=True, **({"batchSize": batch_size} if batch_size else {}))


def explained(compiler: Any, plan: Plan) -> list[str]:
    """The server's own account of how it would run the plan, as JSON."""
    info, connection = compiler.query.explain_info, compiler.connection
    prefix = connection.ops.explain_query_prefix(info.format, **info.options)
    projected, _ = plan.reading()
    pipeline = [*plan.stages, {"$project": projected}]
    command: Document = {"aggregate": plan.table, "pipeline": pipeline, "cursor": {}}
    with translated(), connection.logged(lambda: f"{prefix} SELECT {command}", ()):
        answer = connection.database.command("explain", command, verbosity="queryPlanner")
    return [json_util.dumps(answer)]

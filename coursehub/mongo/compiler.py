"""What `ops.compiler_module` names: Django looks its compiler classes up here."""

from coursehub.mongo.query.select import SQLAggregateCompiler, SQLCompiler
from coursehub.mongo.write.writes import SQLDeleteCompiler, SQLInsertCompiler, SQLUpdateCompiler

__all__ = ["SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]

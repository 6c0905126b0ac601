"""What `ops.compiler_module` names: Django looks its compiler classes up here."""

from .select import SQLAggregateCompiler, SQLCompiler
from .writes import SQLDeleteCompiler, SQLInsertCompiler, SQLUpdateCompiler

__all__ = ["SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]

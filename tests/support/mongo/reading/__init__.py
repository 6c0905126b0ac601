"""A small app whose models exercise the engine: self joins, nullable columns, many-to-many, two ways to one table."""

"""What Django asks about tables and indexes that exist."""

from __future__ import annotations

from typing import Any

from django.db.models import Index
from djongo import introspection as djongo_introspection

from coursehub.mongo.ddl.sequences import SCHEMA


class DatabaseIntrospection(djongo_introspection.DatabaseIntrospection):
    """Djongo's, with constraints as Django 5 wants them and tables that `__schema__` does not know."""

    data_types_reverse = {
        **djongo_introspection.DatabaseIntrospection.data_types_reverse,
        "binData": "BinaryField",
        "bool": "BooleanField",
        "decimal": "DecimalField",
        "double": "FloatField",
        "int": "IntegerField",
        "long": "BigIntegerField",
        "object": "JSONField",
    }

    def get_table_list(self, cursor: Any) -> list[djongo_introspection.TableInfo]:
        return [
            djongo_introspection.TableInfo(name, "t")
            for name in cursor.db_conn.list_collection_names()
            if name != SCHEMA and not name.startswith("system.")
        ]

    def get_constraints(self, cursor: Any, table_name: str) -> dict[str, dict[str, Any]]:
        """By name of the index: its columns, and whether it is the key, unique, a plain index."""
        constraints = {}
        for name, info in cursor.db_conn[table_name].index_information().items():
            if name == "_id_":
                continue
            unique = bool(info.get("unique", False))
            constraints[name] = {
                "columns": [column for column, _ in info["key"]],
                "orders": ["ASC" if direction == 1 else "DESC" for _, direction in info["key"]],
                "primary_key": name == "__primary_key__",
                "unique": unique,
                "index": not unique,
                "foreign_key": None,
                "check": False,
                "type": Index.suffix,
                "definition": None,
            }
        return constraints

    def get_table_description(self, cursor: Any, table_name: str) -> list[djongo_introspection.FieldInfo]:
        """The columns that `__schema__` records, none for a table that it does not know."""
        schema = cursor.db_conn[SCHEMA].find_one({"name": table_name}, {"fields": True}) or {}
        return [
            djongo_introspection.FieldInfo(
                name=name,
                type_code=properties["type_code"],
                display_size=None,
                internal_size=None,
                precision=None,
                scale=None,
                null_ok=None,
                default=None,
                collation=None,
            )
            for name, properties in schema.get("fields", {}).items()
        ]

    def get_primary_key_columns(self, cursor: Any, table_name: str) -> list[str] | None:
        for constraint in self.get_constraints(cursor, table_name).values():
            if constraint["primary_key"]:
                columns: list[str] = constraint["columns"]
                return columns
        return None

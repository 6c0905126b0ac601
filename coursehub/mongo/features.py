"""What MongoDB and this engine can and cannot do, as Django asks it."""

from typing import Any

from django.db.backends.base.features import BaseDatabaseFeatures
from django.utils.functional import cached_property


class DatabaseFeatures(BaseDatabaseFeatures):
    """Django's flags; those with a reason that is not obvious carry it."""

    empty_fetchmany_value: list[Any] = []

    # Writing.
    has_bulk_insert = True
    can_return_columns_from_insert = True
    can_return_rows_from_bulk_insert = True
    supports_ignore_conflicts = True
    supports_update_conflicts = True
    supports_update_conflicts_with_target = True
    supports_unspecified_pk = True
    supports_expression_defaults = False
    supports_default_keyword_in_insert = False
    supports_default_keyword_in_bulk_insert = False
    supports_stored_generated_columns = False
    supports_virtual_generated_columns = False
    supports_sequence_reset = False

    # Transactions: the server has no savepoints, and its data definition takes part in none.
    uses_savepoints = False
    can_rollback_ddl = False
    has_select_for_update = False

    # Types.
    has_native_uuid_field = False  # 32 hex digits, as Djongo stored them
    has_native_json_field = True
    supports_timezones = False  # dates hold UTC instants
    supports_collation_on_charfield = False
    supports_collation_on_textfield = False
    supports_non_deterministic_collations = False
    supports_comments = False

    # Constraints and indexes.
    supports_foreign_keys = False
    can_create_inline_fk = False
    supports_column_check_constraints = False
    supports_table_check_constraints = False
    can_introspect_check_constraints = False
    can_introspect_foreign_keys = False
    can_introspect_default = False
    supports_nullable_unique_constraints = True
    supports_nulls_distinct_unique_constraints = True
    supports_partial_indexes = True
    supports_functions_in_partial_indexes = False
    supports_expression_indexes = False
    supports_covering_indexes = False
    can_rename_index = False

    # Queries.
    update_can_self_select = False  # an update over several tables selects its keys first
    allows_group_by_select_index = False
    allows_group_by_selected_pks = True
    supports_boolean_expr_in_select_clause = True
    supports_logical_xor = True
    supports_temporal_subtraction = True
    supports_aggregate_filter_clause = True
    supports_order_by_nulls_modifier = True
    order_by_nulls_first = True
    greatest_least_ignores_nulls = True
    supports_over_clause = False
    supports_select_intersection = False
    supports_select_difference = False
    has_json_object_function = False
    supports_json_field_contains = False
    supports_primitives_in_json_field = True
    supports_explaining_query_execution = True

    # Tests.
    can_clone_databases = False
    test_db_allows_multiple_connections = True

    @cached_property
    def supports_transactions(self) -> bool:
        """Whether a failing `atomic()` block undoes its writes."""
        enabled: bool = self.connection.transactions_enabled
        return enabled

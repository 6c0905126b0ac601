"""From Django's expressions, lookups and functions to aggregation expressions."""

"""From bytes to rows: no database, no settings."""

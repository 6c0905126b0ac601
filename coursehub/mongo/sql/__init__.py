"""The few SQL statements that the engine answers."""

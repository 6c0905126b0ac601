"""Tables, columns, indexes, constraints and the numbers of keys."""

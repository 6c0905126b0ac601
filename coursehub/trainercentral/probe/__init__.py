"""What one asks an academy nobody has seen, to learn how it answers."""

"""What is read of batches and their rows; nothing here writes."""

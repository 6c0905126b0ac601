"""From a workbook's bytes to text, and back with results: in a process of its own, under limits. No Django."""

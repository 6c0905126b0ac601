"""Pages of courses and learners."""

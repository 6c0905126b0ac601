"""Which learners are at risk, by rules of each course."""

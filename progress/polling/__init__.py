"""Reading a course's members: when, how much, by whom, and storing what changed."""

"""What became of calls whose answer nobody heard: scans of a course's members, and the rule they settle rows by."""

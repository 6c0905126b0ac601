"""Who may act: the claim on a learner of a course, and the lease on a row."""

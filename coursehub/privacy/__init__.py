"""Erasing a learner everywhere, and the pseudonyms that stand for learners in the audit trail."""

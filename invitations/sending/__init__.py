"""From a confirmed batch to calls: the look that comes first, the one way to post, and what came of it."""

"""How long the sets last: the model, the use that was measured, and its chart."""

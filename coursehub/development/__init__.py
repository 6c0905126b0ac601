"""What a checkout needs to run by itself: an embedded MongoDB, generated secrets, `make run`.

Not used by a deployment; nothing else in the project imports it (tests do).
"""

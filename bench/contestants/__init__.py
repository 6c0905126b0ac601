"""The same operations through four ways to MongoDB, each in a process and an environment of its own.

Only what Python and the contestant's own environment bring is imported here: `python -m bench.contestants
NAME URI` runs under Pythons that have nothing of CourseHub installed.
"""

"""A stand-in for a TrainerCentral academy and the Zoho accounts server, for demos, tests and training.

It speaks the documented HTTP interfaces, has learners who accept invitations and make progress by
themselves, and can be told to misbehave (`switches.py`). It knows nothing of CourseHub: no Django,
no models, no client code, so that a misreading of the interface on one side cannot hide one on the
other. Start it with `python -m coursehub.sandbox` or `manage.py sandbox`; from Python with
`coursehub.sandbox.process.SandboxProcess`.
"""

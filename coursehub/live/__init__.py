"""The machinery of live pages; it knows no app.

`streams` follows MongoDB's change streams, `sockets` is the consumer that apps derive from,
`guard` decides who may (still) watch, `outstanding` tells slow readers, `closing` ends a process.
"""

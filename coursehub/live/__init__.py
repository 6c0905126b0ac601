"""The machinery of live pages; it knows no app.

`change_streams` follows MongoDB's change streams, `consumer` is what apps derive from,
`permissions` decides who may (still) watch, `flow_control` tells slow readers, `shutdown` ends a process.
"""

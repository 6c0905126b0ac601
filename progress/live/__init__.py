"""From MongoDB's change streams to the sockets of courses and of their list."""

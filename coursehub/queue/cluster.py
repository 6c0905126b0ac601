"""`python -m coursehub.queue.cluster`: a group of worker processes, as the supervisor starts it.

A fresh interpreter, not a fork of the supervisor: it has no threads, and after a deployment the next group
runs the new code.
"""

import argparse

import django

from coursehub.queue import parent_death
from coursehub.queue.broker import Identity
from coursehub.queue.heartbeat import Signs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", required=True, help="name of the worker, unique in the deployment")
    parser.add_argument("--run", type=int, required=True, help="which group of this worker")
    parser.add_argument("--signs", type=int, required=True, help="descriptor of the pipe to the supervisor")
    parser.add_argument("--parent", type=int, required=True, help="process id of the supervisor")
    options = parser.parse_args()
    parent_death.tie_to_parent(options.parent)
    parent_death.name_process("guard")
    django.setup()
    from coursehub.queue.process_group import lead

    lead(Identity(options.worker, options.run), Signs(options.signs))


if __name__ == "__main__":
    main()

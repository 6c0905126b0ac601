"""The queue is a doorbell: a task only says "look now"; what is to be done stands in our documents.

The only part of the project that knows django-q2. Public names:

- `enqueue(task, *ids, turn=...)`: ring for a function in a module, with ids;
- `Turn`, `Lane`: where a task takes its place among those that wait;
- `register_tick(path, seconds=...)`: have a function look for due work again and again (`TICKS`);
- `status()`: living workers and waiting tasks, for health and metrics;
- `hide_queue_models(site)`: take django-q2's models out of an admin site;
- `Broker`: what `Q_CLUSTER["broker_class"]` names.

What runs where (`manage.py work`):

- `supervisor`: the process of `manage.py work`; starts one group of processes, listens to its signs of
  life, ends it as a whole and starts the next. Has no connection to MongoDB and nothing that can hang.
- `process_group`, the leader of the group: forks the others and ends all when one of them dies. No connection either.
- `pusher`, `worker` (several), `monitor`: django-q2's own, on our broker.
- `scheduler`: holds the lease of the one ticker of all hosts, or waits for it; rings the heartbeat.

A task may run twice, late, or (if nobody rings again) not at all: three deliveries are tried, each lost
one is found within half a minute. Whatever matters is found again by a registered tick.
"""

from coursehub.queue.admin import hide_queue_models
from coursehub.queue.broker import Broker
from coursehub.queue.producer import enqueue
from coursehub.queue.ticks import TICKS, register_tick
from coursehub.queue.turns import Lane, Turn
from coursehub.queue.workers import status

__all__ = ["TICKS", "Broker", "Lane", "Turn", "enqueue", "hide_queue_models", "register_tick", "status"]

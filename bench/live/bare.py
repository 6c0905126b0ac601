"""Daphne and Channels with nothing around them: `python -m bench.live.bare PORT`.

Every socket joins one group and gets what comes to it; what is sent over the socket at /tell/ goes to the group.
"""

import sys

import django
from django.conf import settings

settings.configure(CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}})
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from daphne.endpoints import build_endpoint_description_strings  # noqa: E402
from daphne.server import Server  # noqa: E402

GROUP = "everybody"


class Consumer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()
        await self.send(text_data='{"type":"snapshot"}')

    async def disconnect(self, code) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def told(self, message) -> None:
        await self.send(text_data=message["text"])


class Teller(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None) -> None:
        await self.channel_layer.group_send(GROUP, {"type": "told", "text": text_data})


async def application(scope, receive, send) -> None:
    consumer = Teller if scope["path"] == "/tell/" else Consumer
    await consumer.as_asgi()(scope, receive, send)


if __name__ == "__main__":
    endpoints = build_endpoint_description_strings(host="127.0.0.1", port=int(sys.argv[1]))
    Server(application=application, endpoints=endpoints, websocket_timeout=-1).run()

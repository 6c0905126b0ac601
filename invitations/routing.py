from django.urls import path

from invitations.consumers import BatchConsumer, BatchesConsumer

websocket_urlpatterns = [
    path("ws/invitations/", BatchesConsumer.as_asgi()),
    path("ws/invitations/<uuid:batch_id>/", BatchConsumer.as_asgi()),
]

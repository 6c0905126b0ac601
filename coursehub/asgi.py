"""HTTP goes to Django, sockets to the apps' consumers."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coursehub.settings")
# Before the imports below: consumers import models, which need Django set up.
http_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier  # noqa: E402
from django.urls import re_path  # noqa: E402

from coursehub.content_types import ReadableContentType  # noqa: E402
from invitations.routing import websocket_urlpatterns as of_invitations  # noqa: E402
from progress.routing import websocket_urlpatterns as of_progress  # noqa: E402

_anything_else = re_path("", WebsocketDenier.as_asgi())

application = ProtocolTypeRouter(
    {
        "http": ReadableContentType(http_application),
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter([*of_invitations, *of_progress, _anything_else]))
        ),
    }
)

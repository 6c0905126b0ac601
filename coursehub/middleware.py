"""Whose forwarding headers count (only those of the proxies named in TRUSTED_PROXIES), and forms that are too large."""

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat

_FORWARDING_HEADERS = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST")


class FormSizeMiddleware:
    """A form with more text than DATA_UPLOAD_MAX_MEMORY_SIZE leads back to its page, which says so in one sentence.

    Stands before whatever else reads the form.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        if request.method != "POST" or getattr(view, "csrf_exempt", False):  # what machines post is read by its view
            return None
        try:
            request.POST  # noqa: B018  (the form is read here)
        except RequestDataTooBig:
            size = filesizeformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            messages.error(request, f"That is more text than {size}: upload it as a file instead.")
            return redirect(request.path)
        return None


class TrustedProxyMiddleware:
    """Drops forwarding headers of anybody else, before Django looks at them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.trusted = [ip_network(network) for network in settings.TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self._is_trusted(request.META.get("REMOTE_ADDR", "")):
            for header in _FORWARDING_HEADERS:
                request.META.pop(header, None)
        return self.get_response(request)

    def _is_trusted(self, address: str) -> bool:
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self.trusted)

"""The look of all pages: unfold's settings. The stylesheets are in coursehub/static/coursehub/css/."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.urls import reverse_lazy

if TYPE_CHECKING:
    from django.http import HttpRequest

SITE_NAME = "CourseHub"
STYLESHEETS = ("coursehub/css/shell.css", "coursehub/css/parts.css", "coursehub/css/pages.css")
ICON = "coursehub/icon.svg"


def stylesheet(path: str) -> "Callable[[HttpRequest], str]":
    """The address of a static file, found per request: its name carries a hash that is not known at start."""

    def address(request: "HttpRequest") -> str:
        from django.templatetags.static import static

        return static(path)

    return address


# A blue whose 600 carries white text at 5.9:1 and whose 400 is read on the dark background at 7:1.
COLORS = {
    "primary": {
        "50": "oklch(97.2% .014 258)",
        "100": "oklch(94% .032 258)",
        "200": "oklch(88.5% .06 257)",
        "300": "oklch(80.5% .103 256)",
        "400": "oklch(71.5% .145 256)",
        "500": "oklch(63% .175 258)",
        "600": "oklch(51.5% .185 260)",
        "700": "oklch(45.5% .175 261)",
        "800": "oklch(40% .145 262)",
        "900": "oklch(35% .115 263)",
        "950": "oklch(26% .08 264)",
    },
}

UNFOLD = {
    "SITE_TITLE": SITE_NAME,
    "SITE_HEADER": SITE_NAME,
    "SITE_SUBHEADER": "Invitations and progress",
    "SITE_URL": reverse_lazy("home"),
    "SITE_SYMBOL": "school",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": stylesheet(ICON)}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "COLORS": COLORS,
    "STYLES": [stylesheet(path) for path in STYLESHEETS],
    "DASHBOARD_CALLBACK": "coursehub.console.navigation.dashboard",
}

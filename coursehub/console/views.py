"""Pages that belong to no app: home, health, and the source that the licence promises."""

import tarfile
import tempfile
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render

from coursehub import roles
from coursehub.models import Course

_SOURCE_FOLDERS = ("coursehub", "invitations", "oauthtokens", "progress", "templates", "docs")
_SOURCE_FILES = ("manage.py", "pyproject.toml", "requirements.txt", "LICENSE", "README.md", "Dockerfile")


def home(request: HttpRequest) -> HttpResponse:
    """What this role does most, at a glance."""
    from invitations.models import Batch
    from oauthtokens.models import TokenSet

    context: dict[str, Any] = {"title": "Home"}
    if roles.of(request.user) & roles.TEACHING:
        context["courses"] = list(Course.objects.visible_to(request.user)[:12])
        context["batches"] = list(Batch.objects.visible_to(request.user)[:5])
    if roles.of(request.user) & roles.CONSOLE_ROLES:
        context["token_sets"] = list(TokenSet.objects.all())
    return render(request, "coursehub/home.html", context)


def healthz(request: HttpRequest) -> HttpResponse:
    """This process is alive; no I/O."""
    return HttpResponse("ok", content_type="text/plain")


def source(request: HttpRequest) -> FileResponse:
    """The running source as a tar archive: what the AGPL promises to everybody who uses the service."""
    archive = tempfile.TemporaryFile()  # noqa: SIM115  (FileResponse closes it)
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name in (*_SOURCE_FOLDERS, *_SOURCE_FILES):
            path = settings.BASE_DIR / name
            if path.exists():
                tar.add(path, arcname=f"coursehub/{name}", filter=_without_caches)
    archive.seek(0)
    return FileResponse(archive, as_attachment=True, filename="coursehub-source.tar.gz")


def _without_caches(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name else member

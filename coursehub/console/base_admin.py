"""What every ModelAdmin of the console does alike: answers nonsense with one sentence, and writes only what changed."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db import DataError, NotSupportedError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from coursehub.mongo import is_write_conflict

SEARCH_LENGTH_MAX = 1_000  # characters; nobody types more, and each one is matched against every row
SEARCH_TOO_LONG = f"A search term has at most {SEARCH_LENGTH_MAX:,} characters; this one found nothing."
NO_SUCH_FILTER = "That filter makes no sense here, so it was left out."
NO_SUCH_SELECTION = "Nothing was done: the selected rows could not be understood."
CHANGED_MEANWHILE = "Nothing was saved: somebody else was changing the same thing. Please try again."


class ConsoleAdmin(ModelAdmin):
    """The base of all our admin classes, registered by those only (tests/coursehub/mongo/test_injection.py)."""

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if len(search_term) <= SEARCH_LENGTH_MAX:
            return super().get_search_results(request, queryset, search_term)
        if request.resolver_match and request.resolver_match.url_name != "autocomplete":  # which shows no messages
            messages.error(request, SEARCH_TOO_LONG)
        return queryset.none(), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list as the query string asks for it; Django leaves out what raises IncorrectLookupParameters."""
        try:
            return super().get_changelist_instance(request)
        except (DataError, NotSupportedError, IncorrectLookupParameters, OverflowError) as error:
            messages.error(request, NO_SUCH_FILTER)
            raise IncorrectLookupParameters(str(error)) from error

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        try:
            return super().response_action(request, *args, **kwargs)
        except (ValueError, ValidationError, OverflowError):  # keys that are none
            messages.error(request, NO_SUCH_SELECTION)
            return HttpResponseRedirect(request.get_full_path())

    def changeform_view(  # type: ignore[override]  # every caller goes by the arguments of Django's own
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With transactions of the server, the second of two writers of a row is told to try again."""
        try:
            page: HttpResponse = super().changeform_view(request, *args, **kwargs)
            return page
        except OperationalError as error:
            if not is_write_conflict(error):
                raise
            messages.error(request, CHANGED_MEANWHILE)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write the fields that the person changed, and no others: a worker may have written those since."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in obj._meta.concrete_fields}
        changed = [name for name in form.changed_data if name in columns]
        if changed:
            obj.save(update_fields=changed)

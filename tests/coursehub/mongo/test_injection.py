"""Text that could be an operator, a pattern or too much: right rows or a clear error, on every page of the admin."""

import html

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import DataError
from django.test import Client
from django.urls import reverse

from coursehub.console.base_admin import (
    NO_SUCH_FILTER,
    NO_SUCH_SELECTION,
    SEARCH_LENGTH_MAX,
    SEARCH_TOO_LONG,
    ConsoleAdmin,
)
from coursehub.models import Course

HOSTILE = ['{"$ne": null}', ".*", "a+b", "(", "\\", "$where", "[$ne]", "%", "_", "\0", "x\0y"]
MEGABYTE = "x" * 1_000_000
NONSENSE = [("", '{"$ne": null}'), ("__gte", "9" * 30), ("__regex", "(")]
REGISTERED = dict(admin.site._registry)
ADMINS = sorted(REGISTERED, key=lambda model: model._meta.label)
SEARCHED = [model for model in ADMINS if admin.site._registry[model].search_fields]


def ids(value) -> str:
    return value._meta.label if hasattr(value, "_meta") else repr(value)[:20]


@pytest.fixture
def rows(database):
    """A row per hostile text, and one that a pattern or an operator would find with it."""
    Course.objects.bulk_create(Course(course_id=f"c{n}", name=text) for n, text in enumerate([*HOSTILE, "plain aab"]))


@pytest.fixture
def administrator(client_for) -> Client:
    return client_for("administrator")


def list_url(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def shown(answer) -> list[str]:
    return [course.name for course in answer.context["cl"].result_list]


def said(answer) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_every_admin_class_has_the_common_base():
    assert [model._meta.label for model in ADMINS if not isinstance(admin.site._registry[model], ConsoleAdmin)] == []


@pytest.mark.parametrize("text", HOSTILE, ids=ids)
@pytest.mark.parametrize("lookup", ["exact", "iexact", "contains", "icontains", "startswith", "iendswith", "in"])
def test_lookups_of_the_orm_find_the_text_itself(rows, text, lookup):
    value = [text] if lookup == "in" else text
    wanted = {name for name in [*HOSTILE, "plain aab"] if _matches(lookup, name, text)}
    assert set(Course.objects.filter(**{f"name__{lookup}": value}).values_list("name", flat=True)) == wanted
    assert Course.objects.exclude(**{f"name__{lookup}": value}).count() == len(HOSTILE) + 1 - len(wanted)


def _matches(lookup: str, name: str, text: str) -> bool:
    if lookup.endswith("contains"):
        return text in name
    if lookup == "startswith":
        return name.startswith(text)
    return name.endswith(text) if lookup == "iendswith" else name == text


def test_an_operator_is_no_value_of_the_orm(rows):
    assert not Course.objects.filter(name={"$ne": None}).exists()
    assert not Course.objects.filter(name__in=[{"$ne": None}]).exists()
    assert Course.objects.filter(name__contains={"$ne": None}).count() == 0
    with pytest.raises(TypeError):
        Course.objects.filter(pk={"$gt": 0}).exists()


def test_a_megabyte_is_compared_as_it_is_and_refused_as_a_pattern(rows):
    assert Course.objects.filter(name=MEGABYTE).count() == 0
    with pytest.raises(DataError, match="32000"):
        Course.objects.filter(name__contains=MEGABYTE).count()


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\0" not in text])
def test_a_search_in_the_admin_finds_the_text_itself(rows, administrator, text):
    assert shown(administrator.get(list_url(Course), {"q": text})) == [text]


@pytest.mark.parametrize("model", SEARCHED, ids=ids)
def test_a_search_never_fails(rows, administrator, model):
    for text in ('{"$ne": null}', "(", "\\", "\0"):
        assert administrator.get(list_url(model), {"q": text}).status_code == 200


@pytest.mark.parametrize("model", SEARCHED, ids=ids)
@pytest.mark.parametrize("text", ["x" * (SEARCH_LENGTH_MAX + 1), MEGABYTE], ids=["1001", "1 MB"])
def test_a_search_that_is_too_long_finds_nothing_and_says_so_once(administrator, model, text):
    answer = administrator.get(list_url(model), {"q": text})
    assert (answer.status_code, answer.context["cl"].result_count) == (200, 0)
    assert html.unescape(answer.content.decode()).count(SEARCH_TOO_LONG) == 1


def test_the_longest_search_term_is_searched_for(rows, administrator):
    assert SEARCH_TOO_LONG not in said(administrator.get(list_url(Course), {"q": "x" * SEARCH_LENGTH_MAX}))


def test_a_search_for_nul_is_refused_in_words(rows, administrator):
    answer = administrator.get(list_url(Course), {"q": "x\0y"})
    assert "Null characters are not allowed." in answer.content.decode()


@pytest.mark.parametrize("text", [*HOSTILE, MEGABYTE], ids=ids)
def test_autocomplete_never_fails(rows, administrator, text):
    asked = {"app_label": "coursehub", "model_name": "courseaccess", "field_name": "course", "term": text}
    found = administrator.get(reverse("admin:autocomplete"), asked).json()["results"]
    assert {row["text"] for row in found} == {str(course) for course in Course.objects.filter(name__in=[text])} | (
        {"x\0y"} if text == "\0" else set()
    )


def _parameter(entry) -> str:
    """The name of a list filter in the address: of a field, of a field with a filter of its own, or of a filter."""
    if isinstance(entry, str):
        return entry
    return entry[0] if isinstance(entry, tuple) else entry.parameter_name


@pytest.mark.parametrize("model", ADMINS, ids=ids)
def test_filters_by_query_string_never_fail(rows, administrator, model):
    """Every filter and column of every list: a page, a way back to one, or "bad request"."""
    names = [field.attname for field in model._meta.concrete_fields]
    names += [_parameter(entry) for entry in REGISTERED[model].list_filter]
    for name in names:
        for lookup, text in NONSENSE:
            answer = administrator.get(list_url(model), {f"{name}{lookup}": text})
            assert answer.status_code in (200, 302, 400), (name, lookup, text)
    for name, text in [("o", "("), ("p", "9" * 30), ("p", "-1"), ("all", "\0"), ("_to_field", "("), ("$where", "1")]:
        assert administrator.get(list_url(model), {name: text}).status_code in (200, 302, 400), (name, text)


def test_a_filter_that_makes_no_sense_is_left_out_and_said_so(rows, administrator):
    for asked in ({"name__contains": MEGABYTE}, {"name__regex": "("}, {"synced_at__gte": '{"$ne": null}'}):
        answer = administrator.get(list_url(Course), asked, follow=True)
        assert (answer.status_code, len(shown(answer))) == (200, len(HOSTILE) + 1)
        assert html.unescape(answer.content.decode()).count(NO_SUCH_FILTER) == 1


def test_an_operator_in_a_filter_is_a_value(rows, administrator):
    assert shown(administrator.get(list_url(Course), {"name": '{"$ne": null}'})) == ['{"$ne": null}']
    assert shown(administrator.get(f"{list_url(Course)}?name[$ne]=x", follow=True)) != []


@pytest.mark.parametrize("model", ADMINS, ids=ids)
def test_pages_of_rows_that_cannot_be_are_not_found(administrator, model):
    for key in ('{"$ne": null}', ".*", "(", "\\", "_00", "9" * 30):
        for page in ("change", "history", "delete"):
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
            assert administrator.get(reverse(name, args=[key])).status_code in (302, 403, 404), (page, key)


def test_selections_that_cannot_be_are_refused_in_words(administrator, person):
    kept = person("trainer")
    for key in ('{"$ne": null}', "(", "\0", "9" * 30):
        form = {"action": "delete_selected", "_selected_action": key, "post": "yes"}
        answer = administrator.post(list_url(User), form, follow=True)
        assert answer.status_code == 200
        assert User.objects.filter(pk=kept.pk).exists()
    assert NO_SUCH_SELECTION in said(administrator.post(list_url(User), {**form, "_selected_action": "("}))


@pytest.mark.parametrize("text", ['{"$ne": null}', ".*", "\0", MEGABYTE], ids=ids)
def test_forms_take_no_operator_for_a_value(database, person, text):
    person("administrator")
    for form in ({"username": text, "password": text}, {"username[$ne]": "", "password[$ne]": ""}):
        answer = Client().post(reverse("login"), form)
        assert answer.status_code == 200
        assert not answer.wsgi_request.user.is_authenticated


@pytest.mark.parametrize("text", [*HOSTILE, MEGABYTE], ids=ids)
def test_the_form_of_a_person_keeps_the_text_or_says_what_is_wrong(administrator, person, text):
    user = person("trainer")
    url = reverse("admin:auth_user_change", args=[user.pk])
    form = {
        **{"username": "trainer", "first_name": text, "last_name": "", "email": "", "is_active": "on"},
        **{"courseaccess_set-TOTAL_FORMS": 0, "courseaccess_set-INITIAL_FORMS": 0, "groups": text},
    }
    answer = administrator.post(url, form)
    assert (answer.status_code, bool(answer.context["errors"])) == (200, True)
    answer = administrator.post(url, {**form, "groups": [group.pk for group in user.groups.all()]})
    user.refresh_from_db()
    assert user.first_name == (text if answer.status_code == 302 else "")

"""Queries that Djongo answered with wrong rows, or with search text turned into operators."""

import pytest
from django.db import NotSupportedError
from django.db.models import Avg, Case, Count, Exists, F, Func, Max, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Concat, Lower, TruncMonth

from tests.support.mongo.reading.tables import installed


@pytest.fixture(scope="module")
def _tables(_set_up_database):
    with installed():
        yield


@pytest.fixture
def models(_tables, database):
    from tests.support.mongo.reading import models

    return models


@pytest.fixture
def family(models):
    """Grandmother, mother, child; and one without relatives."""
    people = {}
    for name, parent in [("ada", None), ("bea", "ada"), ("cid", "bea"), ("dan", None)]:
        people[name] = models.Person.objects.create(name=name, parent=people.get(parent), age=len(people) or None)
    return people


def names(queryset) -> list[str]:
    return sorted(queryset.values_list("name", flat=True))


def test_each_alias_of_a_self_join_has_its_own_rows(models, family):
    child = models.Person.objects.select_related("parent__parent").get(name="cid")
    assert (child.parent.name, child.parent.parent.name) == ("bea", "ada")
    assert names(models.Person.objects.filter(parent__parent__name="ada")) == ["cid"]
    assert names(models.Person.objects.filter(children__children__name="cid")) == ["ada"]


def test_or_across_a_join_keeps_rows_without_the_joined_one(models, family):
    found = models.Person.objects.filter(Q(parent__name="ada") | Q(name="dan"))
    assert names(found) == ["bea", "dan"]


def test_null_never_equals_null_in_a_join(models, family):
    people = models.Person.objects.filter(age=F("parent__age"))
    assert names(people) == []
    assert names(models.Person.objects.filter(parent__children__name="dan")) == []


def test_exclude_over_a_nullable_join_keeps_rows_without_it(models, family):
    assert names(models.Person.objects.exclude(parent__name="ada")) == ["ada", "cid", "dan"]
    assert names(models.Person.objects.exclude(nickname="x")) == ["ada", "bea", "cid", "dan"]


def test_negated_comparison_of_two_columns_leaves_out_unknown_ones(models, family):
    # ada has no age and dan no parent: neither "greater" nor "not greater" is known of them.
    assert names(models.Person.objects.filter(~Q(age__gt=F("parent__age")))) == ["ada", "bea", "dan"]
    assert names(models.Person.objects.filter(Q(age__lte=100) ^ Q(age__gte=2))) == ["bea"]


HOSTILE = ['{"$ne": null}', ".*", "a+b", "(", "[", "\\", "%", "_", "$name", "^", "a\0b", "\0", "x" * 40_000]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("lookup", ["exact", "contains", "startswith", "endswith"])
def test_search_text_is_never_a_pattern_or_an_operator(models, text, lookup):
    models.Person.objects.create(name="plain")
    models.Note.objects.create(person=models.Person.objects.get(), text=f"{text}")
    models.Note.objects.create(person=models.Person.objects.get(), text="other")
    if lookup != "exact" and len(text) > 32_000:
        from django.db import DataError

        with pytest.raises(DataError, match="32000 bytes"):
            list(models.Note.objects.filter(**{f"text__{lookup}": text}))
        return
    assert [note.text for note in models.Note.objects.filter(**{f"text__{lookup}": text})] == [text]
    if lookup != "exact":
        assert [note.text for note in models.Note.objects.filter(**{f"text__i{lookup}": text})] == [text]


def test_iexact_matches_the_whole_text_only(models, family):
    assert names(models.Person.objects.filter(name__iexact="ADA")) == ["ada"]
    assert names(models.Person.objects.filter(name__iexact="a..")) == []
    assert names(models.Person.objects.filter(name__iexact="ad")) == []


def test_text_that_looks_like_a_field_path_stays_text(models, family):
    row = models.Person.objects.annotate(said=Value("$name"), joined=Concat(Value("$"), "name")).get(name="ada")
    assert (row.said, row.joined) == ("$name", "$ada")


def test_a_dictionary_is_no_filter_value(models, family):
    with pytest.raises(TypeError):
        list(models.Person.objects.filter(age={"$ne": None}))
    assert names(models.Person.objects.filter(name={"$ne": None})) == []


def test_aggregates_over_no_rows_are_null_and_counts_zero(models):
    result = models.Person.objects.aggregate(
        Sum("age"), Avg("age"), Max("age"), n=Count("id"), sure=Sum("age", default=0)
    )
    assert result == {"age__sum": None, "age__avg": None, "age__max": None, "n": 0, "sure": 0}
    assert models.Person.objects.filter(age__gt=1).count() == 0


def test_sum_of_only_nulls_is_null_not_zero(models, family):
    assert models.Person.objects.filter(name="ada").aggregate(total=Sum("age"))["total"] is None


def test_distinct_counts_and_counts_of_slices(models, family):
    models.Person.objects.create(name="ada")
    assert models.Person.objects.values("name").distinct().count() == 4
    assert models.Person.objects.aggregate(n=Count("name", distinct=True))["n"] == 4
    assert models.Person.objects.order_by("name")[1:3].count() == 2


def test_group_by_having_and_order(models, family):
    for name, sizes in {"bea": [1, 2], "cid": [5], "dan": []}.items():
        for size in sizes:
            models.Note.objects.create(person=family[name], text="t", size=size)
    grouped = models.Person.objects.annotate(n=Count("note"), total=Sum("note__size")).order_by("-n", "name")
    assert list(grouped.values_list("name", "n", "total")) == [
        ("bea", 2, 3),
        ("cid", 1, 5),
        ("ada", 0, None),
        ("dan", 0, None),
    ]
    assert names(grouped.filter(n__gte=1, total__lt=4)) == ["bea"]
    by_size = models.Note.objects.values("person__name").annotate(n=Count("id")).order_by("person__name")
    assert list(by_size) == [{"person__name": "bea", "n": 2}, {"person__name": "cid", "n": 1}]


def test_in_subquery_with_a_null_matches_no_negation(models, family):
    ages = models.Person.objects.values("age")  # one of them NULL
    assert names(models.Person.objects.filter(age__in=ages)) == ["bea", "cid", "dan"]
    assert names(models.Person.objects.exclude(age__in=ages)) == ["ada"]  # exclude() adds IS NOT NULL
    assert names(models.Person.objects.filter(~Q(pk__in=models.Person.objects.values("parent")))) == []


def test_correlated_subqueries(models, family):
    models.Note.objects.create(person=family["bea"], text="first", size=1)
    models.Note.objects.create(person=family["bea"], text="second", size=2)
    notes = models.Note.objects.filter(person=OuterRef("pk"))
    assert names(models.Person.objects.filter(Exists(notes))) == ["bea"]
    assert names(models.Person.objects.filter(~Exists(notes))) == ["ada", "cid", "dan"]
    latest = models.Person.objects.annotate(latest=Subquery(notes.order_by("-size").values("text")[:1]))
    assert latest.get(name="bea").latest == "second"
    assert latest.get(name="ada").latest is None
    assert names(latest.filter(latest__startswith="sec")) == ["bea"]


def test_union_keeps_one_of_equal_rows_and_union_all_both(models, family):
    first = models.Person.objects.filter(name__lte="bea").values_list("name", flat=True)
    second = models.Person.objects.filter(name__gte="bea").values_list("name", flat=True)
    assert list(first.union(second).order_by("-name")) == ["dan", "cid", "bea", "ada"]
    assert sorted(first.union(second, all=True)) == ["ada", "bea", "bea", "cid", "dan"]
    assert first.union(second).count() == 4


def test_many_to_many_and_generic_prefetch(models, family):
    for label, people in {"x": ["ada", "bea"], "y": ["bea"]}.items():
        models.Tag.objects.create(label=label).people.set(family[name] for name in people)
    assert names(models.Person.objects.filter(tag__label="x").filter(tag__label="y")) == ["bea"]
    assert names(models.Person.objects.exclude(tag__label="y")) == ["ada", "cid", "dan"]
    prefetched = {
        tag.label: sorted(p.name for p in tag.people.all()) for tag in models.Tag.objects.prefetch_related("people")
    }
    assert prefetched == {"x": ["ada", "bea"], "y": ["bea"]}


def test_case_coalesce_and_functions(models, family):
    rank = Case(
        When(age__isnull=True, then=Value("none")), When(age__gt=1, then=Lower(Value("OLD"))), default=Value("young")
    )
    rows = models.Person.objects.annotate(rank=rank, years=Coalesce("age", 0) + 1).order_by("rank", "-years")
    assert list(rows.values_list("name", "rank", "years")) == [
        ("ada", "none", 1),
        ("dan", "old", 4),
        ("cid", "old", 3),
        ("bea", "young", 2),
    ]


def test_ordering_by_a_joined_column_and_by_nulls(models, family):
    by_parent = models.Person.objects.order_by(F("parent__name").desc(nulls_last=True), "name")
    assert [person.name for person in by_parent] == ["cid", "bea", "ada", "dan"]
    assert [person.name for person in models.Person.objects.order_by("age")] == ["ada", "bea", "cid", "dan"]


def test_month_truncation_follows_the_time_zone(models, family):
    import datetime
    from zoneinfo import ZoneInfo

    late = datetime.datetime(2024, 1, 31, 23, 30, tzinfo=datetime.UTC)
    models.Note.objects.create(person=family["ada"], text="t", written_at=late)
    month = TruncMonth("written_at", tzinfo=ZoneInfo("Europe/Berlin"))
    assert models.Note.objects.annotate(month=month).get().month.month == 2
    assert models.Note.objects.filter(
        written_at__date="2024-01-31", written_at__year=2024, written_at__hour=23
    ).exists()


def test_rows_stream_in_batches_and_the_reader_may_stop(models, family):
    seen = []
    for person in models.Person.objects.order_by("name").iterator(chunk_size=2):
        seen.append(person.name)
        if len(seen) == 3:
            break
    assert seen == ["ada", "bea", "cid"]


def test_a_query_prints_as_sql_and_plain_reads_are_one_find(models, family, django_assert_num_queries):
    queryset = models.Person.objects.filter(name="ada", parent=None).order_by("name")[:2]
    assert str(queryset.query).startswith("SELECT")
    with django_assert_num_queries(1) as captured:
        list(queryset)
    assert captured.captured_queries[0]["sql"].startswith("SELECT db.reading_person.find(")


def test_conditions_that_are_constants_take_all_or_none(models, family):
    people = models.Person.objects
    assert people.extra(where=["1 = 1"]).count() == people.count() > 0
    assert people.extra(where=["1=0"]).count() == people.extra(where=["1=1", "1=0"]).count() == 0


def test_what_cannot_be_expressed_is_refused_by_name(models, family):
    class Shout(Lower):
        function = "SHOUT"

    with pytest.raises(NotSupportedError, match="Shout"):
        list(models.Person.objects.annotate(loud=Shout("name")))
    with pytest.raises(NotSupportedError, match="Func"):
        list(models.Person.objects.annotate(loud=Func("name", function="SOUNDEX")))
    with pytest.raises(NotSupportedError, match="extra"):
        list(models.Person.objects.extra(where=["name = 'ada'"]))

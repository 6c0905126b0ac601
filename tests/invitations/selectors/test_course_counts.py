"""What a file's courses are called by, and how many learners a preview would invite to each."""

import pytest

from coursehub.models import Course, CourseAccess
from invitations import services
from invitations.selectors import course_counts


@pytest.mark.parametrize(
    ("names", "longest", "words"),
    [
        ([], 300, ""),
        (["Algebra"], 300, "Algebra"),
        (["Geometry", "Algebra", "Algebra"], 300, "Algebra, Geometry"),
        (["Algebra", "Botany", "Geometry"], 20, "Algebra and 2 more"),
        (["Algebra" * 9, "Botany"], 20, ("Algebra" * 9)[:20]),
    ],
)
def test_as_many_courses_are_named_as_fit(names, longest, words):
    assert course_counts.in_words(names, longest=longest) == words


def test_a_file_that_names_its_courses_is_called_by_them_and_counted_by_them(academy, person, client_for):
    courses = list(Course.objects.with_members().open().order_by("course_id")[:2])
    for course in courses:
        CourseAccess.objects.get_or_create(user=person("trainer"), course=course)
    lines = [
        f"ada@example.org,{courses[0].course_id},2030-12-31",
        f"bo@example.org,{courses[0].course_id},",
        f"ada@example.org,{courses[1].course_id},2030-12-31",
        f"nobody,{courses[1].course_id},",
    ]
    content = "\n".join(["email,course,access until", *lines, ""]).encode()
    batch = services.upload(user=person("trainer"), course=None, filename="two.csv", content=content)
    assert sorted(batch.course_name.split(", ")) == sorted(course.name for course in courses)
    counts = {count.name: count for count in course_counts.of(batch)}
    assert {name: count.rows for name, count in counts.items()} == {courses[0].name: 2, courses[1].name: 1}
    assert [one.rows for one in counts[courses[0].name].ends] == [1, 1]
    found = client_for("trainer").get("/invitations/", {"q": courses[1].name}).context["batches"]
    assert [one.filename for one in found] == ["two.csv"]

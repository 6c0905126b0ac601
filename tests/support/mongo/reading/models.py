"""People who have parents, notes about them by editors, and tags."""

from django.db import models


class Person(models.Model):
    name = models.CharField(max_length=50)
    nickname = models.CharField(max_length=50, null=True)  # noqa: DJ001
    age = models.IntegerField(null=True)
    active = models.BooleanField(default=True)
    born = models.DateField(null=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")

    class Meta:
        app_label = "reading"


class Note(models.Model):
    person = models.ForeignKey(Person, models.CASCADE)
    editor = models.ForeignKey(Person, models.CASCADE, null=True, related_name="edited")
    text = models.TextField()
    size = models.IntegerField(null=True)
    written_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "reading"


class Tag(models.Model):
    label = models.CharField(max_length=20)
    people = models.ManyToManyField(Person)

    class Meta:
        app_label = "reading"

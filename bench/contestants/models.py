"""The tables of the contest. Only imported after Django has been set up (orm.py)."""

from django.db import models


class Category(models.Model):
    name = models.CharField(max_length=100)
    rank = models.IntegerField()

    class Meta:
        app_label = "contestants"


class Wide(models.Model):
    """Sixteen columns with the key, as data.rows() fills them."""

    slug = models.SlugField(max_length=100)
    title = models.CharField(max_length=200)
    text = models.TextField()
    kind = models.CharField(max_length=20, db_index=True)
    note = models.CharField(max_length=200, null=True)  # noqa: DJ001 - a NULL is part of what is measured
    a = models.IntegerField()
    b = models.IntegerField(db_index=True)
    c = models.IntegerField()
    flag = models.BooleanField()
    active = models.BooleanField()
    score = models.FloatField()
    weight = models.FloatField()
    day = models.DateTimeField()
    created = models.DateTimeField()
    category = models.ForeignKey(Category, models.CASCADE)

    class Meta:
        abstract = True
        app_label = "contestants"


class Row(Wide):
    """Read and updated."""


class Load(Wide):
    """Written anew."""

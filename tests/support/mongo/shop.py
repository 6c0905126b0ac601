"""Models of no installed app, with every kind of column and constraint that the engine has to keep."""

import uuid

from django.db import models
from django.db.models import Q
from djongo.models import DjongoManager


class Shelf(models.Model):
    name = models.CharField(max_length=50, unique=True)
    rank = models.IntegerField(default=0)

    class Meta:
        app_label = "shop"


class Item(models.Model):
    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=50)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    picture = models.BinaryField(null=True)
    detail = models.JSONField(default=dict, null=True)
    baked_in = models.DurationField(null=True)
    sold_at = models.DateTimeField(null=True)
    best_before = models.DateField(null=True)
    opens_at = models.TimeField(null=True)

    objects = DjongoManager()

    class Meta:
        app_label = "shop"


class Stock(models.Model):
    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE)
    code = models.CharField(max_length=20, null=True, unique=True)  # noqa: DJ001 - a unique column with NULLs is the point
    count = models.IntegerField(default=0)
    state = models.CharField(max_length=10, default="open")
    spare = models.IntegerField(null=True)

    objects = DjongoManager()

    class Meta:
        app_label = "shop"
        unique_together = [("shelf", "spare")]
        indexes = [models.Index(fields=["state", "-count"], name="stock_state")]
        constraints = [
            models.UniqueConstraint(fields=["shelf"], condition=Q(state="main"), name="one_main_stock_per_shelf"),
        ]


MODELS = (Shelf, Item, Stock)

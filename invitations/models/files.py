"""A file's bytes, and what a person said of its columns."""

from django.conf import settings
from django.db import models
from djongo.models import DjongoManager

from invitations.models.batch import Batch


class Piece(models.Model):
    """A part of an uploaded file's bytes, at most `SIZE_BYTES` long; in order of `number` they are the file.

    Or a part of a text that was made from these bytes, such as one sheet of a workbook: `text` names it.
    In MongoDB and not in the file system, since web and worker may run on different hosts.
    """

    SIZE_BYTES = 1_000_000

    # "<batch id in hex>-<number>" of the uploaded bytes, "<batch id in hex>-<text>-<number>"; also the document's _id
    id = models.CharField(primary_key=True, max_length=80)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE)
    text = models.CharField(max_length=30, blank=True, default="")  # "": the bytes as they were uploaded
    number = models.IntegerField()
    data = models.BinaryField()

    objects = DjongoManager()

    class Meta:
        ordering = ["batch", "number"]

    def __str__(self) -> str:
        return f"{self.id}: {len(self.data)} bytes"


# The filter for pieces of the uploaded bytes; those of a backup from before there were texts have no such field.
UPLOADED_BYTES = {"text": {"$in": ["", None]}}


class HeadingChoice(models.Model):
    """Which column holds what in files with these headings, as one person chose it."""

    id = models.CharField(primary_key=True, max_length=80)  # "<user id>-<digest of the headings>"
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    columns = models.JSONField()
    chosen_at = models.DateTimeField(null=True)  # null: by a version that did not note it

    objects = DjongoManager()

    def __str__(self) -> str:
        return f"choice of {self.user_id}"

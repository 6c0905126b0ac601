"""Names for the types that the engine and its callers annotate with."""

from typing import TYPE_CHECKING, Any, TypeAlias

Document: TypeAlias = dict[str, Any]  # what a collection holds, an expression or a stage of a pipeline
Pipeline: TypeAlias = list[Document]

if TYPE_CHECKING:
    from django.db.models import Field

    AnyField: TypeAlias = Field[Any, Any]
else:
    AnyField = object  # Django's Field takes no type arguments at run time

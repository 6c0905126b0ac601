"""Finding the translation of a Django node by its class, and refusing what merely looks like a known class."""

from collections.abc import Callable
from typing import Any

from django.db import NotSupportedError

# What a subclass may change about the SQL it stands for. A subclass of `Lower` with its own `function` is not a
# `Lower`: it is refused, because translating it as its parent would give wrong rows without an error.
MEANING = (
    *("as_sql", "function", "template", "arg_joiner", "template_params"),
    *("process_lhs", "process_rhs", "get_rhs_op", "get_bound_params", "filter_template"),
)


def not_supported(node: Any, reason: str = "") -> NotSupportedError:
    """The error for a construct that has no translation; it names the construct."""
    name = node if isinstance(node, str) else type(node).__qualname__
    return NotSupportedError(f"{name} cannot be expressed on MongoDB{': ' if reason else '.'}{reason}")


class Registry:
    """Translations by class. A subclass inherits its parent's translation unless it changes the SQL."""

    def __init__(self) -> None:
        self._handlers: dict[type, Callable[..., Any]] = {}
        self._found: dict[type, Callable[..., Any]] = {}
        self._families: set[type] = set()

    def register(self, *classes: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorator: the function translates nodes of these classes."""

        def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
            for cls in classes:
                self._handlers[cls] = handler
            return handler

        return decorate

    def register_family(self, *classes: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorator: for all subclasses, whatever they change; the function has to look at them itself."""
        self._families.update(classes)
        return self.register(*classes)

    def find(self, node: Any) -> Callable[..., Any]:
        """The translation for `node`. Raises NotSupportedError when there is none."""
        cls = type(node)
        handler = self._found.get(cls)
        if handler is None:
            handler = self._found[cls] = self._search(cls, node)
        extra = getattr(node, "extra", None)
        if extra and not extra.keys().isdisjoint(MEANING):
            raise not_supported(node, "it brings its own SQL template")
        return handler

    def _search(self, cls: type, node: Any) -> Callable[..., Any]:
        for known in cls.__mro__:
            if known in self._handlers:
                if known not in self._families and not _same_meaning(cls, known):
                    raise not_supported(node, f"it changes the SQL of {known.__name__}")
                return self._handlers[known]
        raise not_supported(node)


def _same_meaning(cls: type, known: type) -> bool:
    return all(getattr(cls, name, None) == getattr(known, name, None) for name in MEANING)

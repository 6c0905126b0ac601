"""Sample payloads transcribed from the published interface (tests/support/payloads), each with its source.

`request` is method and path as documented, `body` the JSON sent with it, `answer` what comes back, `optional`
the keys that need not be there. The tags in `source`: [D] documented by Zoho, [C] seen in public code,
[Z] from other Zoho products, [A] assumed.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("payloads")
NAMES = {path.stem for path in _FOLDER.glob("*.json")}


@dataclass(frozen=True)
class Sample:
    source: str
    request: str
    answer: Any
    body: Any = None
    optional: tuple[str, ...] = ()


def sample(name: str) -> Sample:
    return Sample(**_read(name))


def answers_of(name: str) -> dict[str, dict[str, Any]]:
    """Several answers of one kind: name -> {"source", "status", "body"}."""
    return _read(name)["answers"]


def _read(name: str) -> dict[str, Any]:
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def shape(value: Any, optional: tuple[str, ...] = ()) -> Any:
    """Keys and types without values; of a list, the different shapes of its items."""
    if isinstance(value, dict):
        return {key: shape(held, optional) for key, held in sorted(value.items()) if key not in optional}
    if isinstance(value, list):
        shapes = [shape(item, optional) for item in value]
        return [one for index, one in enumerate(shapes) if one not in shapes[:index]]
    return type(value).__name__

"""What somebody types to find a learner, as filters on rows: case and accents do not matter, nor the order of words.

The text becomes patterns that match only itself; nothing in it is a wildcard or an operator. No log and no audit entry
holds it.
"""

import re
import unicodedata
from collections import defaultdict
from functools import lru_cache
from typing import Any

from coursehub.emails import INVISIBLE, normalize

LONGEST, MOST_WORDS = 100, 5
TOO_LONG = f"Write at most {LONGEST} characters to search for."
TOO_MANY_WORDS = f"Write at most {MOST_WORDS} words to search for."
TOO_SLOW = "The search took too long: write more of the address or the name."
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_MARKS = "[\u0300-\u036f]"
# Letters with a stroke, and the i without its dot, which Unicode does not take apart.
_STROKES = str.maketrans("øłđðıħŧ", "olddiht")
_DOUBLE = {"ss": "ß", "ae": "æ", "oe": "œ"}
# Latin, Greek, Cyrillic and the Latin of Vietnamese: the letters that are another one with a mark.
_MARKED = (*range(0xC0, 0x250), *range(0x386, 0x530), *range(0x1E00, 0x2000))


class SearchRefused(ValueError):
    """The text cannot be searched for; the message is a sentence for people."""


def clean(text: str) -> str:
    """`text` on one line, without what nobody sees; never raises."""
    return " ".join(INVISIBLE.sub("", _CONTROL.sub(" ", text)).split())


def words_of(text: str) -> list[str]:
    """The words of a text that was cleaned. Raises SearchRefused."""
    if len(text) > LONGEST:
        raise SearchRefused(TOO_LONG)
    words = text.split()
    if len(words) > MOST_WORDS:
        raise SearchRefused(TOO_MANY_WORDS)
    return words


def learners(words: list[str]) -> dict[str, Any]:
    """The filter for rows in whose address or names each of `words` stands."""
    return {"$and": [_holds(word) for word in words]} if words else {}


def address_begins(text: str) -> dict[str, Any] | None:
    """The filter for addresses that begin with `text`, served by an index; None when it is no beginning of one.

    The part before the @ must be whole: "anna@" is one, "anna" is none.
    """
    local, at, _ = text.rpartition("@")
    if not (local and at) or " " in text:
        return None
    return {"$regex": f"^{re.escape(normalize(text))}"}


def _holds(word: str) -> dict[str, Any]:
    named = {"$regex": name_pattern(word), "$options": "i"}
    return {
        "$or": [{"email_folded": {"$regex": re.escape(normalize(word))}}, {"first_name": named}, {"last_name": named}]
    }


def name_pattern(word: str) -> str:
    """A pattern for `word` within a name, to be matched without case; accents may stand in either, or in neither."""
    apart = unicodedata.normalize("NFKD", word.casefold()).translate(_STROKES)
    bare = "".join(one for one in apart if not unicodedata.combining(one))
    letters = "".join(map(_any_of, bare or word))
    for plain, single in _DOUBLE.items():
        letters = letters.replace("".join(map(_any_of, plain)), f"(?:{''.join(map(_any_of, plain))}|{single})")
    return letters


@lru_cache(maxsize=2_000)
def _any_of(letter: str) -> str:
    """`letter` with any marks or none."""
    marked = _variants().get(letter, "")
    return f"[{letter}{marked}]{_MARKS}*" if marked else re.escape(letter)


@lru_cache(maxsize=1)
def _variants() -> dict[str, str]:
    """Letter without marks -> the same letter with them, in lower case where there is one."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for stroked, plain in _STROKES.items():
        found[chr(plain)].add(chr(stroked))
    for point in _MARKED:
        letter = chr(point)
        apart = unicodedata.normalize("NFD", letter)
        if len(apart) > 1 and (letter.islower() or len(letter.lower()) > 1):
            found[apart[0].lower()].add(letter)
    return {letter: "".join(sorted(marked)) for letter, marked in found.items()}

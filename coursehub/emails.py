"""The one form in which e-mail addresses are compared, everywhere in the product. Pure."""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

LONGEST = 320  # characters; what our columns hold

# Unicode's Default_Ignorable_Code_Point (zero-width, joiners, marks of direction, selectors), and halves of a pair.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_BLANKS = "".join(map(chr, range(0x21))) + "\x7f\x85\xa0"
_DOTS = re.compile("[\u3002\uff61]")
_SEPARATORS = set(".@\u3002\uff61")
_CODED, _LONGEST_LABEL = "xn--", 63
_MOST_TURNS = 4
_LONGEST_COMPOSED = 10 * LONGEST  # characters; marks beyond number take long to put in order


def normalize(address: str) -> str:
    """Of two spellings of one address the same: case, accents, blanks and invisible characters, `xn--` domains.

    The domain is in letters, not in `xn--`. What is no address is trimmed, composed and folded. Never raises.
    """
    if address.isascii():
        text = address.strip(_BLANKS).lower()
        if _CODED not in text:
            return text
    text = INVISIBLE.sub("", address).strip(_BLANKS).strip()
    local, at, domain = text.rpartition("@")
    return f"{_folded(local, 'NFC')}{at}{_domain(domain)}" if at else _folded(text, "NFC")


def spellings(address: str) -> set[str]:
    """All forms under which this version and earlier ones stored or hashed the address."""
    normal, as_it_is = normalize(address), address.strip()
    if normal.isascii() and as_it_is.isascii() and _CODED not in normal:
        return {normal, as_it_is.lower()}
    forms = {normal, _in_code(normal), as_it_is.casefold(), _in_code(unicodedata.normalize("NFC", as_it_is.lower()))}
    composed = {unicodedata.normalize("NFC", text) for text in forms}
    return forms | composed | {unicodedata.normalize("NFD", text) for text in forms}


@lru_cache(maxsize=10_000)
def _domain(domain: str) -> str:
    whole = _DOTS.sub(".", _folded(domain, "NFKC"))
    return ".".join(map(_decoded, whole.split(".")))


def _decoded(label: str) -> str:
    """The letters that a label in `xn--` stands for; any other label as it is."""
    if not label.startswith(_CODED) or len(label) > _LONGEST_LABEL:
        return label
    try:
        letters = label[len(_CODED) :].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, IndexError, OverflowError):
        return label
    folded = _folded(INVISIBLE.sub("", letters), "NFKC")
    # What would be read otherwise the next time is no label.
    is_label = folded and not letters.isascii() and not folded.startswith(_CODED) and not set(folded) & _SEPARATORS
    return folded if is_label else label


def _in_code(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{'.'.join(map(_coded, domain.split('.')))}"


def _coded(label: str) -> str:
    return label if label.isascii() else _CODED + label.encode("punycode").decode("ascii")


def _folded(text: str, form: Literal["NFC", "NFKC"]) -> str:
    """Composed and without case; what is too long for an address only without case.

    Folding may take apart what was composed, and composing give what folds further.
    """
    if len(text) > _LONGEST_COMPOSED:
        return text.casefold()
    for _ in range(_MOST_TURNS):
        turned = unicodedata.normalize(form, unicodedata.normalize(form, text).casefold())
        if turned == text:
            break
        text = turned
    return text

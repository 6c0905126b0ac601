"""Which alphabet the letters of an 8-bit file are of, told from few words. Pure.

A reading is good when every letter beyond ASCII is one of the alphabet's and stands where letters stand. Of good
readings the one wins whose letters need the fewest languages; what remains equal is for a person to choose from.
"""

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

# Codec -> what people call it, and the letters beyond ASCII of each language that is written with it.
_WESTERN = {
    "de": "äöüß", "fr": "àâæçèéêëîïôœùûüÿ", "es": "áéíñóúü", "pt": "áâãàçéêíóôõúü", "it": "àèéìíîòóùú",
    "nl": "éëïóöüèê", "sv": "åäöé", "da": "æøåé", "fi": "äöåšž", "is": "áðéíóúýþæö", "ca": "àçèéíïòóúü", "ga": "áéíóú",
}  # fmt: skip
_CENTRAL = {
    "cs": "áčďéěíňóřšťúůýž", "sk": "áäčďéíĺľňóôŕšťúýž", "pl": "ąćęłńóśźż", "hu": "áéíóöőúüű", "ro": "ăâîşţ",
    "hr": "čćđšž", "sl": "čšž", "de": "äöüß",
}  # fmt: skip
_CYRILLIC = {
    "ru": "абвгдежзийклмнопрстуфхцчшщъыьэюяё", "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "bg": "абвгдежзийклмнопрстуфхцчшщъьюя",
}  # fmt: skip
_GREEK = {"el": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"}
_HEBREW = {"he": "אבגדהוזחטיךכלםמןנסעףפץצקרשת"}
_ARABIC = {"ar": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي", "fa": "ءآأؤئابپتثجچحخدذرزژسشصضطظعغفقکگلمنهوی"}
_TURKISH = {"tr": "çğıöşüâîû"}
_BALTIC = {"lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž", "et": "äõöüšž"}
ALPHABETS: dict[str, tuple[str, dict[str, str]]] = {
    "cp1252": ("Western European", _WESTERN),
    "cp1250": ("Central European", _CENTRAL),
    "cp1254": ("Turkish", _TURKISH),
    "cp1257": ("Baltic", _BALTIC),
    "cp1251": ("Cyrillic", _CYRILLIC),
    "koi8_r": ("Cyrillic (KOI8)", _CYRILLIC),
    "cp1253": ("Greek", _GREEK),
    "cp1255": ("Hebrew", _HEBREW),
    "cp1256": ("Arabic", _ARABIC),
    "iso8859_2": ("Central European, of Linux", _CENTRAL),
    "mac_roman": ("Western European, of a Mac", _WESTERN),
    "mac_latin2": ("Central European, of a Mac", _CENTRAL),
    "mac_cyrillic": ("Cyrillic, of a Mac", _CYRILLIC),
    "cp850": ("Western European, of MS-DOS", _WESTERN),
    "cp852": ("Central European, of MS-DOS", _CENTRAL),
    "cp866": ("Cyrillic, of MS-DOS", _CYRILLIC),
}
# Of two bytes for a letter: almost any of them reads as names in several of these.
EAST_ASIAN = {
    "gb18030": "Chinese, simplified", "big5": "Chinese, traditional", "cp932": "Japanese", "euc_jp": "Japanese (EUC)",
    "cp949": "Korean",
}  # fmt: skip
NAMES = {codec: name for codec, (name, _) in ALPHABETS.items()} | EAST_ASIAN
# Quotation marks and the like, which stand between words; which of them stand within, and which never behind one.
_SIGNS = frozenset("‘’“”„‚«»‹›–—…€\u00a0")
_WITHIN, _OPENING = frozenset("’–—"), frozenset("‘“„‚«‹")
# The codec of most 8-bit files of a country, where the letters alone do not tell.
_OF_COUNTRY = {
    "cp1250": ("cz", "sk", "pl", "hu", "ro", "hr", "si"), "iso8859_2": ("cz", "sk", "pl", "hu", "hr", "si"),
    "cp1254": ("tr",), "cp1257": ("lt", "lv", "ee"),
    "gb18030": ("cn", "sg"), "big5": ("tw", "hk", "mo"), "cp932": ("jp",), "euc_jp": ("jp",), "cp949": ("kr",),
}  # fmt: skip


class Reading(NamedTuple):
    """How well the bytes read with a codec; the smallest is the best. `faults`: letters and signs out of place."""

    faults: int
    languages: int
    rank: int
    codec: str
    text: str


def readings(sample: bytes, known_words: Iterable[str]) -> list[Reading]:
    """The readings of `sample` without a fault, the best first; none where no alphabet fits.

    A line with one of `known_words` (folded headings that are not ASCII) counts as read right: such readings alone are
    told then.
    """
    words = frozenset(known_words)
    found = sorted(_read(sample, codec, rank) for rank, codec in enumerate(ALPHABETS))
    good = [reading for reading in found if not reading.faults]
    proven = [reading for reading in good if _known(reading.text, words)]
    return sorted(
        proven or good,
        key=lambda reading: (reading.languages, not _is_at_home(reading.codec, reading.text), reading.rank),
    )


def equals(found: list[Reading]) -> list[str]:
    """Codecs that read as well as the first and read something else: what a person may choose from, the best first."""
    best = found[0]
    texts = {one.text: one.codec for one in reversed(found) if one.languages == best.languages}
    others = [codec for text, codec in texts.items() if text != best.text]
    return [best.codec, *reversed(others)] if others else []


def east_asian(sample: bytes, best: str) -> list[str]:
    """The East Asian codecs that read the sample as letters alone, the likeliest first; `best` is somebody's guess."""
    found: dict[str, str] = {}
    for codec in EAST_ASIAN:
        with suppress(UnicodeDecodeError):
            text = sample.decode(codec)
            if all(one.isascii() or one.isalpha() or one == "\u3000" for one in text):
                found[codec] = text
    return sorted(found, key=lambda codec: (not _is_at_home(codec, found[codec]), codec != best))


def _read(sample: bytes, codec: str, rank: int) -> Reading:
    try:
        text = sample.decode(codec)
    except UnicodeDecodeError:
        return Reading(len(sample), 99, rank, codec, "")
    letters: set[str] = set()
    faults, before = 0, " "
    for character, after in zip(text, text[1:] + " ", strict=True):
        if not character.isascii() or not before.isascii():
            faults += _is_fault(before, character, after)
        if _is_letter(character):
            letters.update(filter(_is_letter, character.lower()))  # of İ, which is two in small letters, none
        before = character
    return Reading(faults, _languages(letters, ALPHABETS[codec][1]), rank, codec, text)


def _is_fault(before: str, character: str, after: str) -> bool:
    if character.isalpha():
        joined = before.isalpha()
        # "JosŽ", and Latin letters in a Cyrillic word
        return joined and ((character.isupper() and before.islower()) or _script(character) != _script(before))
    if character in _SIGNS:
        inside = before.isalpha() and after.isalpha() and character not in _WITHIN
        return inside or (before.isalpha() and character in _OPENING)
    if character.isascii():
        return False
    if not before.isascii() and not before.isalpha() and before not in _SIGNS:
        return True  # signs beside signs are no names
    return character.isalnum() or before.isalpha() or after.isalpha() or unicodedata.category(character)[0] == "C"


def _is_letter(character: str) -> bool:
    return not character.isascii() and character.isalpha()


def _script(letter: str) -> str:
    return "Latin" if letter.isascii() else unicodedata.name(letter, "").partition(" ")[0].title().replace("Micro", "")


def _languages(letters: set[str], languages: dict[str, str]) -> int:
    """How many of the languages it takes to have all the letters, at least 1; 99 when some letter is in none of them.

    A reading that makes signs of all letters is no better than one that has them.
    """
    left, count = set(letters), 0
    while left:
        best = max(languages.values(), key=lambda letters: len(left.intersection(letters)))
        if not left.intersection(best):
            return 99
        left -= set(best)
        count += 1
    return max(count, 1)


def _is_at_home(codec: str, text: str) -> bool:
    return any(re.search(rf"\.{domain}\b", text, re.IGNORECASE) for domain in _OF_COUNTRY.get(codec, ()))


def _known(text: str, words: frozenset[str]) -> bool:
    cells = text.casefold().replace(";", "\n").replace(",", "\n").replace("\t", "\n").replace("|", "\n").splitlines()
    return any(cell.strip(' "') in words for cell in cells)

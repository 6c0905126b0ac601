"""Names for learners whose row holds none, or one word only. Pure.

TrainerCentral refuses an invitation without a first or a last name, and takes an empty one for none.
"""

import re

LONGEST = 150
_NOBODY = "Learner"
# Not the hyphen and the apostrophe, which stand within names; a sign that no name holds parts two.
_BETWEEN = re.compile(r"[^\w'’-]+|_+")
_WITHIN = re.compile(r"([-'’])")
_DIGITS = re.compile(r"^\d+|\d+$")
_FEWEST_LETTERS = 2


def from_address(address: str) -> tuple[str, str]:
    """First and last name of a normalized address; the last name is "" where it holds one word only.

    `ada.lovelace42+course@` is Ada Lovelace, `jean-pierre@` Jean-Pierre, `a.lovelace@` A Lovelace, `info@` Info.
    What holds no word is taken as it is: `s1234567@` is S1234567. Neither a tag nor a number is part of a name.
    """
    local = address.rpartition("@")[0].partition("+")[0]
    parts = [part.strip("-'’") for part in _BETWEEN.split(local)]
    words = [word for part in parts if (word := _DIGITS.sub("", part).strip("-'’"))]
    if not any(len(word) >= _FEWEST_LETTERS for word in words):
        words = [part for part in parts if part]
    capital = [_capital(word) for word in words] or [_NOBODY]
    first, last = (" ".join(capital[:-1]), capital[-1]) if len(capital) > 1 else (capital[0], "")
    return first[:LONGEST].strip(), last[:LONGEST]


def completed(first: str, last: str, address: str, *, stand_in: str) -> tuple[str, str, bool]:
    """First and last name, neither empty, and whether anything of them was made up.

    One word, in whichever column, is the first name, with `stand_in` for the last.
    """
    if first and last:
        return first, last, False
    if not first and not last:
        first, last = from_address(address)
    else:
        first, last = first or last, ""
    return first, last or stand_in, True


def _capital(word: str) -> str:
    return "".join(piece[:1].upper() + piece[1:] for piece in _WITHIN.split(word))

"""Names for learners whose row holds none, or one word only. Pure.

TrainerCentral refuses an invitation without a first or a last name, and takes an empty one for none.
"""

import re
from itertools import takewhile

from invitations.parsing.emails import addresses_in

LONGEST = 150
_NOBODY = "Learner"
# Not the hyphen and the apostrophe, which stand within names; a sign that no name holds parts two.
_BETWEEN = re.compile(r"[^\w'’-]+|_+")
_WITHIN = re.compile(r"([-'’])")
_DIGITS = re.compile(r"^\d+|\d+$")
_FEWEST_LETTERS = 2
_FEWEST_CAPITALS = 3  # of a last name before the first one: "AJ Smith" has initials


# What stands behind names and is none: degrees, licences, and what belongs to a last name.
_CREDENTIALS = frozenset(
    {
        "aia", "ap", "aprn", "ba", "bed", "bs", "bsc", "bsn", "ccna", "cfa", "cissp", "cna", "cpa", "crna", "csm",
        "dds", "dipl", "dipling", "dnp", "do", "dphil", "dr", "dvm", "edd", "esq", "faan", "facs", "fnp", "frcs",
        "ing", "jd", "lcsw", "leed", "llb", "llm", "lmft", "lpn", "ma", "mag", "mba", "md", "med", "mpa", "mph",
        "mphil", "mrcp", "msc", "mscs", "msn", "np", "ot", "pe", "pharmd", "phd", "phr", "pmp", "prof", "pt", "rn",
        "rph", "shrm", "shrmcp", "sphr",
    }
)  # fmt: skip
_GENERATIONS = frozenset({"jr", "sr", "ii", "iii", "iv"})
_LONGEST_LOOKED_AT = 500  # characters of a name; what is longer is none, and takes long to look at
_REMARK = re.compile(r"\s*[(\[{][^()\[\]{}]*[)\]}]\s*$")


def without_remarks(name: str) -> str:
    """The name without what stands in brackets behind it: "Ada Byron (she/her)" is Ada Byron; never empty."""
    if len(name) > _LONGEST_LOOKED_AT:
        return name
    while (shorter := _REMARK.sub("", name)) != name and shorter.strip():
        name = shorter
    return name


def without_address(name: str) -> str:
    """The name without an address that stands beside it, or in its place."""
    if "@" not in name or not addresses_in(name):
        return name
    return " ".join(word for word in name.split() if "@" not in word).strip(" -–,;")


def parted(whole: str, *, last_words: int = 0) -> tuple[str, str]:
    """First and last name of "Ada King Lovelace", of "Lovelace, Ada", and of "Ada Lovelace, RN, BSN".

    `last_words`: with so many words of a last name they begin, as their heading says. "LOVELACE Ada" says so itself.
    """
    name, *behind = [" ".join(part.split()) for part in without_remarks(whole).split(",")]
    # "Wei, MA" may be a first name in capitals: a degree stands behind two names.
    while behind and (len(behind) > 1 or " " in name) and _is_credential(behind[-1]):
        behind.pop()
    behind = [part for part in behind if part]
    if behind and behind[0].strip(".").lower() in _GENERATIONS:  # "Byron, Jr., Ada" and "Ada Byron, Jr."
        name, behind = f"{name} {behind[0]}", behind[1:]
        if not behind:
            first, _, last = name.removesuffix(name.split()[-1]).strip().rpartition(" ")
            return (first or last), (f"{last} {name.split()[-1]}" if first else "")
    if behind:
        first, last = ", ".join(behind), name
    else:
        first, last = _parted_at_blank(name, last_words)
    return (first.strip(), last.strip()) if first.strip() else (last.strip(), "")


def _parted_at_blank(name: str, last_words: int) -> tuple[str, str]:
    words = name.split()
    capitals = len(list(takewhile(str.isupper, words)))
    if (
        0 < capitals < len(words)
        and max(map(len, words[:capitals])) >= _FEWEST_CAPITALS
        and _is_mixed(words[capitals:])
    ):
        return " ".join(words[capitals:]), " ".join(words[:capitals])
    if last_words and len(words) > 1:
        begin = last_words if len(words) > last_words else 1
        return " ".join(words[begin:]), " ".join(words[:begin])
    return name.rpartition(" ")[0], name.rpartition(" ")[2]


def _is_mixed(words: list[str]) -> bool:
    """Whether none of them is in capitals, and the first is written as a name: then capitals before it tell a name."""
    return words[0][:1].isupper() and not any(word.isupper() and len(word) >= _FEWEST_CAPITALS for word in words)


def rest(whole: str, first: str, *, is_last: bool) -> str:
    """The last name where one column holds first names and another all of the name, or `is_last`, the last alone."""
    if "".join(parted(whole)[:1]).casefold() == first.casefold():
        return parted(whole)[1]
    if whole.casefold().startswith(f"{first} ".casefold()):
        return whole[len(first) :].strip()
    if whole.casefold().endswith(f" {first}".casefold()):
        return whole[: -len(first)].strip()
    return whole if is_last and not any(map(str.isdigit, whole)) else ""


def _is_credential(part: str) -> bool:
    """Written as degrees are: RN, Ph.D., MSc; in small letters it is a name ("Ma")."""
    words = [word for word in part.split() if sum(map(str.isupper, word)) > 1 or "." in word]
    known = ["".join(filter(str.isalpha, word)).lower() in _CREDENTIALS for word in words]
    return bool(known) and all(known) and len(known) == len(part.split())


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

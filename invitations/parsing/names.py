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
_REMARK = re.compile(r"\s*[(\[{][^()\[\]{}]*[)\]}]\s*$")


def without_remarks(name: str) -> str:
    """The name without what stands in brackets behind it: "Ada Byron (she/her)" is Ada Byron; never empty."""
    while (shorter := _REMARK.sub("", name)) != name and shorter.strip():
        name = shorter
    return name


def parted(whole: str) -> tuple[str, str]:
    """First and last name of "Ada King Lovelace", of "Lovelace, Ada", and of "Ada Lovelace, RN, BSN"."""
    name, *behind = [part.strip() for part in without_remarks(whole).split(",")]
    # "Wei, MA" may be a first name in capitals: a degree stands behind two names.
    while behind and (len(behind) > 1 or " " in name) and _is_credential(behind[-1]):
        behind.pop()
    behind = [part for part in behind if part]
    if behind and behind[0].strip(".").lower() in _GENERATIONS:  # "Byron, Jr., Ada" and "Ada Byron, Jr."
        name, behind = f"{name} {behind[0]}", behind[1:]
        if not behind:
            first, _, last = name.removesuffix(name.split()[-1]).strip().rpartition(" ")
            return (first or last), (f"{last} {name.split()[-1]}" if first else "")
    first, last = (", ".join(behind), name) if behind else (name.rpartition(" ")[0], name.rpartition(" ")[2])
    return (first.strip(), last.strip()) if first.strip() else (last.strip(), "")


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

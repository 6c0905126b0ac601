"""E-mail addresses in cells: trimmed, checked by a library, and normalized for comparison. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from coursehub.emails import INVISIBLE, normalize

# What spreadsheets and web pages leave around a cell: spaces of all kinds, zero-width and direction marks.
BLANKS = " \t\r\n\v\f\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u202f\u2060\u3000\ufeff"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@([A-Za-z0-9.-]+)")
_LONGEST_LOCAL, _LONGEST_PLAIN = 64, 254  # RFC 5321; what is longer goes to the library, which words it
_EXCEL_NUMBER = re.compile(r"\d[.,]\d+E\+?\d+", re.IGNORECASE)
_MAILTO = "mailto:"
# What stands around an address: Excel's mark for text, quotation marks and brackets, what parts a list.
_WRAPPING = "'’‘`´\"“”„«»‹›<>()[]{};,|\\•·▪◦‣●○■□–—…" + BLANKS
_BRACKETED = re.compile(r"(?P<before>[^<>()\[\]{}]*)[<(\[{](?P<inner>[^<>()\[\]{}]*)[>)\]}](?P<after>.*)", re.DOTALL)
_LOOKS_OTHERWISE = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_PARTS_LISTS = re.compile(r":::|[\s,;|/<>()\[\]{}\"“”„«»‹›]+")
# Where text sticks to an address ("write to ada@example.org."): what stands before its @, and behind.
_LOCAL_END, _DOMAIN = re.compile(r"[\w.+'’%-]*$"), re.compile(r"[^\W_]+(?:[.-]+[^\W_]+)*")
_STICKS_BEFORE = ".+'’%-"
_LONGEST_LIST = 20_000  # characters of a cell in which addresses are looked for one by one
_LONGEST_LOOKED_AT = 1_000  # characters of an address
TOO_LONG = "Not an e-mail address: it is too long."
SEVERAL = "There are several addresses in one cell: give each learner a row."
_MOJIBAKE = re.compile("[ÃÂ][\u0080-\u00bf]|â€|\ufffd")


def clean(cell: str) -> str:
    """The cell without the blank and invisible characters around it."""
    return cell.strip(BLANKS)


def without_text_mark(cell: str) -> str:
    """The cell without what marks it as text: an apostrophe before what looks otherwise, or ="…" around anything."""
    if cell[:2] == '="' and cell[-1] == '"' and len(cell) > 2:
        return cell[2:-1].replace('""', '"')
    return cell[1:] if cell[:1] == "'" and (cell[1:2] in _LOOKS_OTHERWISE or cell[1:2].isdigit()) else cell


def address_in(cell: str) -> str:
    """The address that a cell means: without invisible characters, `mailto:`, brackets, and a name or remark beside it.

    A cell that means several, or none, comes back without the blanks around it.
    """
    text = clean(cell)
    if text[:2] == '="':
        text = clean(without_text_mark(text))
    if not text.isascii():
        text = clean(INVISIBLE.sub("", text))
    peeled = _peeled(text)
    found = _BRACKETED.fullmatch(text)
    if not found or "@" not in text:
        return peeled if "@" in peeled else text
    outside, inner = _peeled(f"{found['before']} {found['after']}"), _peeled(found["inner"])
    if "@" not in inner:  # a remark in brackets
        return outside if outside.count("@") == 1 and _PLAIN.fullmatch(outside) else text
    if "@" not in outside:
        return inner
    # "ada@example.org <mailto:ada@example.org>", "[ada@example.org](mailto:ada@example.org)"
    return inner if {normalize(each) for each in addresses_in(text)} == {normalize(inner)} else text


def addresses_in(cell: str) -> list[str]:
    """Every good address in a cell, each once, in order: of lists, named ones, links, sentences."""
    if "@" not in cell:
        return []
    found: dict[str, str] = {}
    for part in _PARTS_LISTS.split(INVISIBLE.sub("", cell[:_LONGEST_LIST])):
        if "@" not in part:
            continue
        address = _peeled(part)
        is_one = address.count("@") == 1 and not check(address)[1]
        for one in [address] if is_one else _stuck_in(part):
            folded, problem = check(one)
            if not problem:
                found.setdefault(folded, one)
    return list(found.values())


def _stuck_in(text: str) -> Iterator[str]:
    """What may be addresses in text without blanks: "e-mail:ada@example.org!", "ada@example.org&bo@example.org"."""
    end, at = 0, text.find("@")
    while at >= 0:
        local = _LOCAL_END.search(text, max(end, at - _LONGEST_LOCAL), at)
        domain = _DOMAIN.match(text, at + 1, at + 1 + _LONGEST_PLAIN)
        if local and domain and "." in domain[0]:
            yield f"{local[0].lstrip(_STICKS_BEFORE)}@{domain[0]}"
        end = domain.end() if domain else at + 1
        at = text.find("@", end)


def name_beside(cell: str) -> str:
    """The name in "Ada Byron <ada@example.org>", "" where there is none."""
    text = clean(cell)
    if not text.endswith(">"):
        return ""
    name = text.partition("<")[0].strip(_WRAPPING)
    return "" if "@" in name else name


def _peeled(text: str) -> str:
    """`text` without what stands around an address in it: quotation marks, brackets, `mailto:`, a subject."""
    text = text.strip(_WRAPPING)
    if text[: len(_MAILTO)].lower() == _MAILTO:
        text = text[len(_MAILTO) :].strip(_WRAPPING)
    address, mark, _ = text.partition("?")
    return address if mark and "@" in address and "@" not in text[len(address) :] and "=" in text else text


def check(email: str) -> tuple[str, str]:
    """The normalized address, and what is wrong with it in one sentence ("" when nothing is).

    Plain addresses take a short way that accepts a part of what the library does, with the same result.
    """
    plain = _PLAIN.fullmatch(email)
    if plain and plain.start(1) <= _LONGEST_LOCAL + 1 and len(email) <= _LONGEST_PLAIN:
        folded = email.lower()
        if _is_good_domain(folded[plain.start(1) :]):
            return folded, ""
    return _check_by_library(email)


def looks_garbled(text: str) -> bool:
    """Whether UTF-8 was read as something else before it came here ("JosÃ©"), or a character was lost."""
    return not text.isascii() and bool(_MOJIBAKE.search(text))


@lru_cache(maxsize=10_000)
def _is_good_domain(domain: str) -> bool:
    """Whether the library takes the domain, and as it stands (it decodes `xn--`)."""
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).normalized == f"a@{domain}"
    except EmailNotValidError:
        return False


def _check_by_library(email: str) -> tuple[str, str]:
    if not email:
        return "", "The e-mail address is missing."
    if damage := _damage(email):
        return normalize(email), damage
    if len(email) > _LONGEST_LOOKED_AT:
        return normalize(email), TOO_LONG
    try:
        checked = validate_email(email, check_deliverability=False)
    except EmailNotValidError as error:
        return normalize(email), f"Not an e-mail address: {_first_sentence(str(error))}"
    return normalize(checked.normalized), ""


def _damage(email: str) -> str:
    """What a person or a program did to the address before it came here, in one sentence."""
    if _EXCEL_NUMBER.fullmatch(email):
        return f"“{email}” is a number that Excel shortened, not an e-mail address."
    if email.startswith("#") and email.rstrip("!?").isupper():
        return f"“{email[:20]}” is an error of the spreadsheet's formula, not an e-mail address."
    if looks_garbled(email):
        return "The address is garbled: the file was opened in the wrong encoding before; export it again as UTF-8."
    if not email[0].isascii() and unicodedata.category(email[0])[0] in "PS":
        return f"Not an e-mail address: it begins with “{email[0]}”."
    if email.count("@") > 1 and len(addresses_in(email)) > 1:
        return SEVERAL
    return ""


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].rstrip(".")[:200] + "."

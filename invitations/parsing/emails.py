"""E-mail addresses in cells: trimmed, checked by a library, and normalized for comparison. Pure."""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from coursehub.emails import INVISIBLE, normalize

# What spreadsheets and web pages leave around a cell: spaces of all kinds, zero-width and direction marks.
BLANKS = " \t\r\n\v\f\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u202f\u2060\u3000\ufeff"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@([A-Za-z0-9.-]+)")
_LONGEST_LOCAL, _LONGEST_PLAIN = 64, 254  # RFC 5321; what is longer goes to the library, which words it
_EXCEL_NUMBER = re.compile(r"\d[.,]\d+E\+?\d+", re.IGNORECASE)
_SEVERAL = re.compile(r"@[^\s,;@]+[\s,;/]+(?:and\s+)?[^\s,;@]+@")
_NAMED = re.compile(r".*<([^<>\s]+)>", re.DOTALL)
_MOJIBAKE = re.compile("[ÃÂ][\u0080-\u00bf]|â€|\ufffd")


def clean(cell: str) -> str:
    """The cell without the blank and invisible characters around it."""
    return cell.strip(BLANKS)


def address_in(cell: str) -> str:
    """The address that a cell means: without invisible characters, `mailto:` and a name around <...>."""
    text = clean(cell)
    if not text.isascii():
        text = clean(INVISIBLE.sub("", text))
    if text[:7].lower() == "mailto:":
        text = text[7:]
    named = _NAMED.fullmatch(text) if text.endswith(">") else None
    return named[1] if named else text


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
    if _SEVERAL.search(email):
        return "There are several addresses in one cell: give each learner a row."
    return ""


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].rstrip(".")[:200] + "."

"""From what somebody pastes to a table: a plain list of addresses becomes one, cells of a spreadsheet stay. Pure."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import pairwise

from invitations.parsing import headings
from invitations.parsing.emails import check, clean

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BREAK = re.compile("\r\n|[\r\n\u2028\u2029\x85]")
_ADDRESS = r"(?:mailto:)?(?P<address>[^<>\[\]()\s]+@[^<>\[\]()\s]+)"
# "Byron, Ada" <ada@…>, Ada Byron (external) <mailto:ada@…>; Ada Byron (ada@…), Ada Byron [ada@…]
_NAMED = re.compile(rf"(?P<name>[^<>]*)<\s*{_ADDRESS}\s*>")
_IN_BRACKETS = re.compile(rf"(?P<name>[^\[\]()<>]*)[\[(]\s*{_ADDRESS}\s*[\])]")
_WORDS = re.compile(r"[^\W\d_][^\W\d_.'’-]*[.'’-]?(?:[^\W\d_]+)?")
_BRACKETS, _QUOTED = re.compile(r"<[^<>]*>"), re.compile(r'"[^"]*"')
_SEPARATOR, _HARD_SEPARATOR = re.compile("[,;]"), re.compile(r"(?<=[>\])]),|;")
_NO_BRACKETS = str.maketrans("<>[]()", "      ")
_LABEL = re.compile(r"\s*(?:to|cc|bcc|an|von|from|à|de|para)\s*:\s*", re.IGNORECASE)
# What stands before each line of a list: "- ", "• ", "1. ", "2) ".
_LIST_MARK = re.compile(r"(?:[-–—*+•·▪◦‣●○■□✓✔☐➢]|\(?\d{1,4}[.)])\s+(?=\S)")
_LONGEST = 500  # characters of a name with its address; what is longer is neither
_MOST_NAME_WORDS = 4
Entry = tuple[str, str]  # address, or what stands where one should; name


def as_table(text: str) -> str:
    """A CSV with the columns "email" and "name" if `text` is plainly a list of addresses, else `text` as it is.

    Nothing is left out: what is no address stands in a line of its own, to be named as such.
    """
    text = _CONTROL.sub(" ", text).lstrip("\ufeff")
    lines = [line.strip() for line in _BREAK.split(text) if clean(line)]
    if not lines or any("\t" in line or "|" in line for line in lines) or _are_headings(lines[0]):
        return text
    entries = [list(entries_in(_without_mark(line))) for line in lines]
    if not _is_list(entries):
        return text
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(["email", "name"])
    writer.writerows(entry for line in entries for entry in line)
    return table.getvalue()


def _without_mark(line: str) -> str:
    mark = _LIST_MARK.match(line)
    return line[mark.end() :] if mark else line


def _is_list(lines: list[list[Entry]]) -> bool:
    """Unless each address stands in a line of its own, with cells beside it: these are rows of a table."""
    addresses = [sum("@" in address for address, _ in line) for line in lines]
    has_cells_beside = any(count == 1 < len(line) for count, line in zip(addresses, lines, strict=True))
    return any(addresses) and (not has_cells_beside or max(addresses) > 1)


def _are_headings(line: str) -> bool:
    if "@" in line:
        return False
    for mark in ",;":
        cells = line.split(mark)
        found = headings.columns_of([cell.strip(' "') for cell in cells])
        if "email" in found or (found and len(cells) > 1) or headings.speak_of_mail(cells):
            return True
    return False


def entries_in(line: str) -> Iterator[Entry]:
    """Each address of a list with its name ("" where there is none), and what is neither in the place of an address."""
    for part in _parts(line):
        yield from _entry(part)


def _entry(part: str) -> list[Entry]:
    """The address and the name of a part; of a part that is neither, all of it in the place of the address."""
    if len(part) > _LONGEST:
        return [(f"{part[:_LONGEST]} …", "")]
    for pattern in (_NAMED, _IN_BRACKETS) if "@" in part else ():
        named = list(pattern.finditer(part))
        if named and sum(len(found[0]) for found in named) == len(part):
            return [entry for found in named for entry in _named_entries(found)]
    words = part.split()
    if len(words) > 1 and all("@" in word for word in words):
        return [(_bare(word), "") for word in words]
    if 1 < len(words) <= _MOST_NAME_WORDS + 1 and _is_address(words[-1]) and _are_names(words[:-1]):
        return [(_bare(words[-1]), " ".join(words[:-1]))]
    # Of several addresses in brackets one alone would be taken for what is meant.
    return [(_bare(part if part.count("@") < 2 else part.translate(_NO_BRACKETS)), "")]


def _named_entries(found: re.Match[str]) -> list[Entry]:
    address, name = _bare(found["address"]), _name(found["name"])
    if "@" not in name:
        return [(address, name)]
    return [(address, "")] + ([] if name.lower() == address.lower() else [(name, "")])


def _parts(line: str) -> list[str]:
    """The line parted at commas and semicolons outside quotation marks and brackets.

    Of "Byron, Ada <ada@…>, Gauss, Carl <carl@…>" at those behind brackets alone, since the others belong to names.
    """
    unquoted = _QUOTED.sub(_blotted, line)
    parts = _parted(line, _BRACKETS.sub(_blotted, unquoted), _SEPARATOR)
    beside = pairwise(parts)
    if any(one and "@" not in one and len(two) < _LONGEST and _NAMED.fullmatch(two) for one, two in beside):
        parts = _parted(line, unquoted, _HARD_SEPARATOR)
    return [part for part in parts if part]


def _parted(line: str, masked: str, separator: re.Pattern[str]) -> list[str]:
    ends = [found.start() for found in separator.finditer(masked)] + [len(line)]
    begins = [0, *(end + 1 for end in ends)]
    return [line[begin:end].strip() for begin, end in zip(begins, ends, strict=False)]


def _blotted(found: re.Match[str]) -> str:
    return "x" * len(found[0])


def _are_names(words: list[str]) -> bool:
    return all(_WORDS.fullmatch(word) and not word[0].islower() for word in words)


def _bare(text: str) -> str:
    """The text without quotation marks and apostrophes around it."""
    return clean(text).strip("'\"‘’“”").strip()


def _name(text: str) -> str:
    return _bare(_LABEL.sub("", text, count=1) if _LABEL.match(text) else text)


def _is_address(text: str) -> bool:
    return not check(clean(text))[1]

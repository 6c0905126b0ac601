"""The encoding of a file's bytes, told from all of them. Pure."""

import codecs
import re

from charset_normalizer import from_bytes

from invitations.parsing import alphabets, headings
from invitations.parsing.errors import MIXED, NOT_TEXT, FileRefused

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 16 * 1024
_NOT_ASCII = re.compile(rb"[^\x00-\x7f]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_CHARACTERS_PER_CONTROL = 20  # in a damaged file; where there are more control characters it is no text
_MOST_LANGUAGES = 8  # of one list; a reading that needs more is none
_LITTLE_BYTES = 100  # beyond ASCII, of East Asian names; of more the frequent letters tell
_LATIN = frozenset({"cp1252", "cp1250", "cp1254", "cp1257", "iso8859_2", "mac_roman", "mac_latin2", "cp850", "cp852"})
_WIDER = {"shift_jis": "cp932", "euc_kr": "cp949"}  # with more letters, and all else the same
_ISOLATION = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "iso8859_2", "mac_roman", "koi8_r",
    "shift_jis", "cp932", "euc_jp", "gb18030", "big5", "euc_kr", "cp949",
]  # fmt: skip


class Detector:
    """Feed it the file; it keeps whether all of it is UTF-8 and some of what is not ASCII."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8 = True
        self._sample = bytearray()
        self.others: list[str] = []  # after the verdict: codecs that read the letters as well, that one among them

    def feed(self, piece: bytes) -> None:
        if self._is_utf8:
            try:
                self._utf8.decode(piece)
            except UnicodeDecodeError:
                self._is_utf8 = False
        if len(self._sample) < _SAMPLE_BYTES and not piece.isascii():
            self._take_sample(piece)

    def verdict(self, head: bytes) -> tuple[str, int]:
        """The codec and the length of the byte order mark, which that codec does not know. Raises FileRefused."""
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return encoding, len(mark)
        if 8 * head.count(0) > len(head):  # fewer are damage, not an encoding
            # UTF-16 without a mark: in Western text, and in any delimiter, every other byte is zero.
            return ("utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"), 0
        return ("utf-8" if self._is_whole_utf8() else self._detected()), 0

    def _is_whole_utf8(self) -> bool:
        try:
            self._utf8.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return self._is_utf8

    def _take_sample(self, piece: bytes) -> None:
        """The lines around what is not ASCII: a long ASCII beginning would tell nothing."""
        begin = 0
        while len(self._sample) < _SAMPLE_BYTES and (found := _NOT_ASCII.search(piece, begin)):
            start = max(piece.rfind(b"\n", begin, found.start()) + 1, begin)
            end = piece.find(b"\n", found.end())
            begin = min(end + 1 if end >= 0 else len(piece), start + 1024)
            begin = max(begin, found.end())
            self._sample += piece[start:begin]

    def _detected(self) -> str:
        sample = bytes(self._sample)
        if _is_mostly_utf8(sample):
            return "utf-8"  # what does not fit is told by its line when the file is read
        found = alphabets.readings(sample, headings.AS_WRITTEN)
        likely = [one for one in found if one.languages <= _MOST_LANGUAGES]
        if not likely:
            best = from_bytes(sample, cp_isolation=_ISOLATION).best()
            guess = best.encoding if best else found[0].codec if found else "cp1252"
            return self._of_east_asia(sample, _WIDER.get(guess, guess))
        self.others = alphabets.equals(likely)
        return self._told_apart(sample) or likely[0].codec

    def _of_east_asia(self, sample: bytes, guess: str) -> str:
        """Few names in Chinese, Japanese or Korean read as others: the addresses tell the country, or a person does."""
        is_little = len(_NOT_ASCII.findall(sample)) <= _LITTLE_BYTES
        fitting = alphabets.east_asian(sample, guess) if is_little and guess in alphabets.EAST_ASIAN else []
        self.others = fitting if len(fitting) > 1 else []
        return fitting[0] if fitting else guess

    def _told_apart(self, sample: bytes) -> str:
        """Of alphabets that are not Latin, frequent letters tell more than the languages do."""
        if not set(self.others) - _LATIN:
            return ""
        best = from_bytes(sample, cp_isolation=self.others).best()
        return best.encoding if best and best.encoding in self.others else ""


def decode_head(head: bytes, encoding: str, *, whole: bool) -> str:
    """The beginning of the file as text; a character that is cut in two at its end is left out. Raises FileRefused."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=whole)
    except UnicodeError as error:
        raise FileRefused(MIXED if encoding == "utf-8" else NOT_TEXT) from error
    if len(_CONTROL.findall(text.rstrip("\x1a"))) * _CHARACTERS_PER_CONTROL > len(text):
        raise FileRefused(NOT_TEXT)
    return text


def _is_mostly_utf8(sample: bytes) -> bool:
    text = sample.decode("utf-8", errors="replace")
    return 4 * text.count("\ufffd") < sum(not character.isascii() for character in text)

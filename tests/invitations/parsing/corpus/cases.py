"""The corpus: a name, the bytes (or what makes them), and the verdict on each row or the refusal of the whole.

A verdict is `ok(address, first, last)`, `bad(words of the reason)` or `dup(line)`; a refusal is words of its sentence.
"""

import codecs
import gzip
import io
import zipfile
from dataclasses import dataclass, field

ADA = "ada@example.org"
GRACE = "grace@example.org"


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one row. Empty fields are not looked at."""

    kind: str
    email: str = ""
    name: tuple[str, str] | None = None
    words: str = ""
    line: int = 0
    duplicate_of: int = 0
    course: str = ""
    until: str = ""


@dataclass(frozen=True)
class Case:
    name: str
    content: bytes
    rows: list[Verdict] = field(default_factory=list)
    refused: str = ""


def ok(email=ADA, first=None, last="", *, line=0, course="", until="", note="") -> Verdict:
    name = None if first is None else (first, last)
    return Verdict("ok", email, name, words=note, line=line, course=course, until=until)


def bad(words: str, *, line=0) -> Verdict:
    return Verdict("bad", words=words, line=line)


def dup(of: int, *, line=0) -> Verdict:
    return Verdict("dup", duplicate_of=of, line=line)


def _zip(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "<xml/>")
    return file.getvalue()


def _two(text: str, encoding: str = "utf-8", first=None, last="") -> tuple[bytes, list[Verdict]]:
    return text.encode(encoding), [ok(ADA, first, last)]


HEAD = "email,first name,last name\n"
LONG = "x" * 151
RUSSIAN = "Электронная почта;Имя;Фамилия\nada@example.org;Наталья;Достоевская\ngrace@example.org;Сергей;Толстой\n"
GREEK = "email;όνομα;επώνυμο\nada@example.org;Παναγιώτης;Παπαδόπουλος\ngrace@example.org;Ελένη;Γεωργίου\n"
JAPANESE = "メールアドレス,姓,名\nada@example.org,田中,太郎\ngrace@example.org,佐藤,花子さん\n"
CHINESE = "邮箱,姓,名\nada@example.org,王,小明同学\ngrace@example.org,李,爱国先生\n"
POLISH = "adres e-mail;imię;nazwisko\nada@example.org;Łucja;Gąsienica-Żółć\ngrace@example.org;Święcisław;Źdźbło\n"

ENCODINGS = [
    Case("utf-8", *_two(HEAD + f"{ADA},José,Müller\n", "utf-8", "José", "Müller")),
    Case("utf-8 with a mark", *_two(HEAD + f"{ADA},José,Müller\n", "utf-8-sig", "José", "Müller")),
    Case("utf-16 with a mark", *_two(HEAD + f"{ADA},José,Müller\n", "utf-16", "José", "Müller")),
    Case(
        "utf-16 big-endian with a mark",
        codecs.BOM_UTF16_BE + (HEAD + f"{ADA},José,Müller\n").encode("utf-16-be"),
        [ok(ADA, "José", "Müller")],
    ),
    Case("utf-16 little-endian without", *_two(HEAD + f"{ADA},José,Müller\n", "utf-16-le", "José", "Müller")),
    Case("utf-16 big-endian without", *_two(HEAD + f"{ADA},José,Müller\n", "utf-16-be", "José", "Müller")),
    Case("utf-32", *_two(HEAD + f"{ADA},José,Müller\n", "utf-32", "José", "Müller")),
    Case("Windows-1252", *_two(HEAD + f"{ADA},Zoë,O’Brien\n", "cp1252", "Zoë", "O’Brien")),
    Case("Latin-1", *_two(HEAD + f"{ADA},Jürgen,Groß\n", "latin-1", "Jürgen", "Groß")),
    Case(
        "Windows-1252 far down",
        (HEAD + "".join(f"a{n}@example.org,A,B\n" for n in range(5000)) + f"{ADA},José,Peña\n").encode("cp1252"),
        [*[ok(f"a{n}@example.org", "A", "B") for n in range(5000)], ok(ADA, "José", "Peña")],
    ),
    Case("Windows-1251", RUSSIAN.encode("cp1251"), [ok(ADA, "Наталья", "Достоевская"), ok(GRACE, "Сергей", "Толстой")]),
    Case("Windows-1253", GREEK.encode("cp1253"), [ok(ADA, "Παναγιώτης", "Παπαδόπουλος"), ok(GRACE)]),
    Case("Windows-1250", POLISH.encode("cp1250"), [ok(ADA, "Łucja", "Gąsienica-Żółć"), ok(GRACE)]),
    Case("Shift JIS", JAPANESE.encode("cp932"), [ok(ADA, "太郎", "田中"), ok(GRACE, "花子さん", "佐藤")]),
    Case("GB 18030", CHINESE.encode("gb18030"), [ok(ADA, "小明同学", "王"), ok(GRACE, "爱国先生", "李")]),
    Case(
        "a mark, then another encoding",
        codecs.BOM_UTF8 + (HEAD + f"{ADA},José,Müller\n").encode("cp1252"),
        refused="save the file as CSV UTF-8",
    ),
    Case(
        "a byte of another encoding far down",
        (HEAD + f"{ADA},José,Müller\n" * 3000).encode() + f"{GRACE},Zoë,H\n".encode("latin-1"),
        refused="there are bytes of another encoding",
    ),
    Case("a second mark inside", ("\ufeff\ufeff" + HEAD + f"{ADA},A,B\n").encode(), [ok(ADA, "A", "B")]),
]
SHAPES = [
    *(
        Case(
            f"delimiter {mark!r}",
            f"email{mark}first name{mark}last name\n{ADA}{mark}Ada{mark}Lovelace\n".encode(),
            [ok(ADA, "Ada", "Lovelace", line=2)],
        )
        for mark in ",;\t|"
    ),
    *(
        Case(
            f"line ending {end!r}",
            f"email,first name{end}{ADA},Ada{end}{GRACE},Grace{end}".encode(),
            [ok(ADA, "Ada", line=2), ok(GRACE, "Grace", line=3)],
        )
        for end in ("\n", "\r\n", "\r")
    ),
    Case("mixed line endings", f"email\r\n{ADA}\n{GRACE}\r".encode(), [ok(ADA, line=2), ok(GRACE, line=3)]),
    Case("no line ending at the end", f"email\n{ADA}".encode(), [ok(ADA, line=2)]),
    Case("sep= in the first line", f"sep=;\nemail;name\n{ADA};Ada, Countess Lovelace\n".encode(), [ok(ADA, line=3)]),
    Case(
        "commas in a file of semicolons",
        f"email;last name\n{ADA};Lovelace, Ada, Countess\n".encode(),
        [ok(ADA, "", "Lovelace, Ada, Countess")],
    ),
    Case("blank lines", f"\n\nemail\n\n{ADA}\n,,\n   \n{GRACE}\n\n".encode(), [ok(ADA, line=5), ok(GRACE, line=8)]),
    Case(
        "a title above the headings",
        f"Class of 2026,,\n,,\n{HEAD}{ADA},Ada,L\n".encode(),
        [ok(ADA, "Ada", "L", line=4)],
    ),
    Case(
        "a title above the headings that speaks of e-mail",
        f"E-mail list of 2026;;\nVorname;Nachname;E-Mail\nAda;L;{ADA}\n".encode(),
        [ok(ADA, "Ada", "L", line=3)],
    ),
    Case(
        "headings that only speak of e-mail, below a title that does",
        f"The e-mail list,\nWork e-mail (new),first name\n{ADA},Ada\n".encode(),
        [ok(ADA, "Ada", line=3)],
    ),
    Case(
        "quoted newline", f'{HEAD}{ADA},"Ada\nAugusta",L\n{GRACE},G,H\n'.encode(), [ok(ADA, line=2), ok(GRACE, line=4)]
    ),
    Case("quoted quote", f'{HEAD}{ADA},"Ada ""the"" Countess",L\n'.encode(), [ok(ADA, 'Ada "the" Countess', "L")]),
    Case("a quote inside a cell", f'{HEAD}{ADA},Ada "the" Countess,L\n'.encode(), [ok(ADA, 'Ada "the" Countess', "L")]),
    Case("every cell quoted", f'"email","first name"\n"{ADA}","Ada"\n'.encode(), [ok(ADA, "Ada")]),
    Case("short rows", f"{HEAD}{ADA}\n{GRACE},Grace\n".encode(), [ok(ADA, "", ""), ok(GRACE, "Grace", "")]),
    Case("long rows", f"{HEAD}{ADA},Ada,L,extra,more\n".encode(), [ok(ADA, "Ada", "L")]),
    Case(
        "a row without its address", f"{HEAD},Ada,L\n".encode() + f"{GRACE},,\n".encode(), [bad("missing"), ok(GRACE)]
    ),
    Case("headings repeated", f"{HEAD}{ADA},A,B\n{HEAD}{GRACE},G,H\n".encode(), [ok(ADA, line=2), ok(GRACE, line=4)]),
    Case("other columns between", f"id,Phone,E-Mail,x\n7,0664,{ADA},y\n".encode(), [ok(ADA)]),
    Case(
        "headings in capitals and accents", f"E-MAIL ADDRESS;PRÉNOM;NOM\n{ADA};Ada;L\n".encode(), [ok(ADA, "Ada", "L")]
    ),
    Case("one column for the name", f'name,email\n"Lovelace, Ada",{ADA}\n'.encode(), [ok(ADA, "Ada", "Lovelace")]),
    Case("the name in one cell", f"name,email\nAda King Lovelace,{ADA}\n".encode(), [ok(ADA, "Ada King", "Lovelace")]),
    Case(
        "Arabic headings",
        f"الاسم الأول,اسم العائلة,البريد الإلكتروني\nآدا,لوفلايس,{ADA}\n".encode(),
        [ok(ADA, "آدا", "لوفلايس")],
    ),
    Case("Hindi headings", f"ईमेल,पहला नाम,उपनाम\n{ADA},अदा,लवलेस\n".encode(), [ok(ADA, "अदा", "लवलेस")]),
    Case("Turkish headings", f"E-posta adresi;Adı;Soyadı\n{ADA};Işıl;Öztürk\n".encode(), [ok(ADA, "Işıl", "Öztürk")]),
    Case("a large cell", f'{HEAD}{ADA},A,B,"{"x" * 90_000}"\n{GRACE},G,H\n'.encode(), [ok(ADA), ok(GRACE)]),
]
ADDRESSES = [
    Case("spaces and no-break spaces", f"email\n \u00a0{ADA}\u00a0 \n".encode(), [ok(ADA)]),
    Case("zero-width characters", f"email\n\u200b{ADA[:3]}\u200b{ADA[3:]}\ufeff\n".encode(), [ok(ADA)]),
    Case("direction marks", f"email\n\u202a{ADA}\u202c\n".encode(), [ok(ADA)]),
    Case("mailto", f"email\nmailto:{ADA}\n".encode(), [ok(ADA)]),
    Case("a name around the address", f'email\n"Ada Lovelace <{ADA}>"\n'.encode(), [ok(ADA)]),
    Case("twice in other case", f"email\n{ADA}\nADA@Example.ORG\n".encode(), [ok(ADA), dup(2, line=3)]),
    Case(
        "twice in another composition",
        "email\njose\u0301@example.org\njosé@example.org\n".encode(),
        [ok("josé@example.org"), dup(2)],
    ),
    Case("an internationalised address", "email\nδοκιμή@παράδειγμα.ελ\n".encode(), [ok("δοκιμή@παράδειγμα.ελ")]),
    Case(
        "an encoded domain",
        "email\na@bücher.example\na@xn--bcher-kva.example\n".encode(),
        [ok("a@bücher.example"), dup(2)],
    ),
    Case("two in one cell", f'email\n"{ADA}; {GRACE}"\n'.encode(), [bad("several addresses")]),
    *(
        Case(f"no address: {text}", f"email,first name\n{text},Ada\n{GRACE},G\n".encode(), [bad("."), ok(GRACE)])
        for text in (
            "ada",
            "ada@",
            "@example.org",
            "ada example.org",
            "a@b@c.org",
            "ada@exa mple.org",
            "ada@example..org",
        )
    ),
    Case("a comma for a dot", f"email;x\nada@example,org;1\n{GRACE};2\n".encode(), [bad("Not an e-mail"), ok(GRACE)]),
    Case(
        "a very long address", f"email\n{'a' * 300}@example.org\n{GRACE}\n".encode(), [bad("Not an e-mail"), ok(GRACE)]
    ),
    Case("a very long name", f"{HEAD}{ADA},{LONG},L\n".encode(), [bad("longer than 150")]),
]
EXCEL = [
    Case("a shortened number", f"email\n3.00009E+18\n{ADA}\n".encode(), [bad("Excel"), ok(ADA)]),
    Case("a failed formula", f"email\n#NAME?\n{ADA}\n".encode(), [bad("formula"), ok(ADA)]),
    Case("a shortened course", f"email,course\n{ADA},3.00009E+18\n".encode(), [bad("shortened the course's id")]),
    Case("a comma in the number", f"email;course\n{ADA};3,00009E+18\n".encode(), [bad("shortened the course's id")]),
    Case("a rounded course", f"email,course\n{ADA},3000094000002000000\n".encode(), [bad("rounded the course's id")]),
    Case("a date for a course", f"email,course\n{ADA},12/05/2026\n".encode(), [bad("date that Excel made")]),
    Case("a short date for a course", f"email,course\n{ADA},05-Dez\n".encode(), [bad("date that Excel made")]),
    Case("a garbled name", f"{HEAD}{ADA},JosÃ©,L\n".encode(), [ok(ADA, "JosÃ©", "L", note="garbled")]),
    Case("a garbled address", f"email\njosÃ©@example.org\n{ADA}\n".encode(), [bad("garbled"), ok(ADA)]),
    Case("a lost character", f"email\njos\ufffd@example.org\n{ADA}\n".encode(), [bad("garbled"), ok(ADA)]),
]
COURSES_AND_DATES = [
    Case("a course by id", f"email,course\n{ADA},77\n".encode(), [ok(ADA, course="77")]),
    Case("a course by name", f"email,course\n{ADA},BIOLOGY\n".encode(), [ok(ADA, course="3000094000002000005")]),
    Case("a course of two names", f"email,course\n{ADA},Chemistry\n".encode(), [bad("2 courses of the name")]),
    Case("no course in the row", f"email,course\n{ADA},\n".encode(), [ok(ADA, course="3000094000002000004")]),
    Case("an unknown course", f"email,course\n{ADA},Dancing\n".encode(), [bad("no course")]),
    Case(
        "one learner in two courses",
        f"email,course\n{ADA},Algebra\n{ADA},Biology\n{ADA},algebra\n".encode(),
        [ok(ADA), ok(ADA, course="3000094000002000005"), dup(2)],
    ),
    *(
        Case(f"access until {text}", f"email,access until\n{ADA},{text}\n".encode(), [ok(ADA, until="2027-12-31")])
        for text in ("2027-12-31", "31.12.2027", "12/31/2027", "31/12/2027", "2027/12/31", "2027-12-31 00:00:00")
    ),
    Case("two days in one", f"email,expires\n{ADA},04/05/2027\n".encode(), [bad("may be two days")]),
    Case("no such day", f"email,expires\n{ADA},2027-02-30\n".encode(), [bad("There is no day")]),
    Case("a day that is past", f"email,expires\n{ADA},2020-01-01\n".encode(), [bad("past")]),
    Case("Excel's number of a day", f"email,expires\n{ADA},46022\n".encode(), [bad("Excel's number of a day")]),
    Case("no day at all", f"email,expires\n{ADA},soon\n".encode(), [bad("is no date")]),
]
REFUSED = [
    Case("a thousand columns", f"{'x,' * 1000}\n{ADA}\n".encode(), refused="more than 300 columns"),
    Case("nothing", b"", refused="empty"),
    Case("blanks", b" \r\n\t ", refused="empty"),
    Case("only a mark", codecs.BOM_UTF8, refused="empty"),
    Case("an Excel workbook", _zip("xl/workbook.xml"), refused="Save as > CSV UTF-8"),
    Case("an old Excel workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), refused="Save as > CSV UTF-8"),
    Case("a PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", refused="PDF"),
    Case("a picture", b"\x89PNG\r\n\x1a\n" + bytes(50), refused="picture"),
    Case("a photograph", b"\xff\xd8\xff\xe0\x00\x10JFIF", refused="picture"),
    Case("a compressed file", gzip.compress(HEAD.encode()), refused="unpack"),
    Case("a web page", b"<html><table><tr><td>email</td></tr></table>", refused="web page"),
    Case("a web page as xls", b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html>", refused="web page"),
    Case("a spreadsheet as XML", b'<?xml version="1.0"?><Workbook/>', refused="XML"),
    Case("JSON", b'[{"email": "ada@example.org"}]', refused="JSON"),
    Case("vCards", b"BEGIN:VCARD\nEMAIL:ada@example.org\nEND:VCARD\n", refused="vCard"),
    Case("noise", bytes(range(256)) * 4, refused="not text"),
    Case("zeros", b"\x00\x01\x02\x03" * 50, refused="not text"),
    Case("no address anywhere", b"name,phone\nAda,1\n", refused="e-mail column"),
    Case(
        "a quote that is never closed",
        f'{HEAD}{GRACE},G,H\n{ADA},"Ada,L\n'.encode(),
        refused="opened in line 3 is never",
    ),
    Case(
        "a quote that swallows rows",
        f'{HEAD}{ADA},"Ada,L\n{GRACE},G,H\nalan@example.org,"Alan",T\n'.encode(),
        refused="opened in line 2 is closed only in line 4",
    ),
    Case(
        "a quote that swallows a large file",
        (HEAD + f'{ADA},"Ada,L\n' + "alan@example.org,A,T\n" * 20_000).encode(),
        refused="opened in line 2 is not closed",
    ),
]
CASES = [*ENCODINGS, *SHAPES, *ADDRESSES, *EXCEL, *COURSES_AND_DATES, *REFUSED]

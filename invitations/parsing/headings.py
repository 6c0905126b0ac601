"""Which column holds what, by its heading in the languages of those who upload. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

# Column -> headings; compared without case, accents, spaces and punctuation.
_WORDS: dict[str, tuple[str, ...]] = {
    "email": (
        "email", "e-mail address", "mail", "email id", "user email", "mail address", "e-mail 1", "login email",
        "learner email", "student email", "work email", "contact email", "primary email", "user principal name",
        "attendee email", "participant email", "email address 1", "e-mail address 1",
        "E-Mail-Adresse", "Mailadresse", "Mail-Adresse", "Emailadresse",  # German
        "courriel", "adresse e-mail", "adresse électronique", "adresse courriel", "adresse mail", "mél",
        "adresse de messagerie", "adresse de courriel",  # French
        "correo", "correo electrónico", "dirección de correo", "dirección de correo electrónico", "e-correo",  # Spanish
        "correu electrònic", "adreça electrònica",
        "endereço de e-mail", "correio eletrônico", "correio electrónico",  # Portuguese
        "posta elettronica", "indirizzo e-mail", "indirizzo email", "indirizzo di posta",  # Italian
        "indirizzo posta elettronica",
        "e-mailadres", "mailadres",  # Dutch
        "adres e-mail", "adres email", "poczta", "poczta elektroniczna",  # Polish
        "e-posta", "e-posta adresi", "eposta", "mail adresi",  # Turkish
        "epost", "e-postadress", "e-postadresse", "sähköposti", "sähköpostiosoite",  # Nordic
        "e-mailová adresa", "emailová adresa", "e-mail cím", "adresa de e-mail",  # Czech, Hungarian, Romanian
        "эл. почта", "электронная почта", "почта", "имейл", "електронна пошта", "ηλεκτρονικό ταχυδρομείο",
        "ईमेल", "ई-मेल", "ईमेल पता", "البريد الإلكتروني", "البريد الالكتروني", "ایمیل", "אימייל", "דואר אלקטרוני",
        "电子邮件", "电子邮箱", "邮箱", "邮箱地址", "电邮", "電子郵件", "電郵", "電子郵件地址", "信箱",
        "メール", "メールアドレス", "電子メール", "eメール", "이메일", "이메일 주소", "전자우편", "อีเมล",
    ),
    "first_name": (
        "first name", "given name", "first", "forename", "fname", "given names", "learner first name",
        "Vorname", "Rufname", "prénom", "prénoms", "nombre", "nombres", "nome", "primeiro nome", "voornaam",
        "imię", "imie", "ad", "adı", "isim", "förnamn", "fornavn", "etunimi", "jméno", "keresztnév", "utónév",
        "prenume", "meno", "ime", "krstné meno", "имя отчество",
        "имя", "ім'я", "όνομα", "पहला नाम", "प्रथम नाम", "नाम", "الاسم الأول", "الاسم", "نام", "שם פרטי",
        "名", "名字", "名前", "이름", "ชื่อ",
    ),
    "last_name": (
        "last name", "surname", "family name", "last", "lname", "second name", "learner last name",
        "Nachname", "Familienname", "Zuname", "nom", "nom de famille", "apellido", "apellidos", "primer apellido",
        "sobrenome", "apelido", "último nome", "cognome", "achternaam", "familienaam", "nazwisko",
        "soyad", "soyadı", "soyisim", "efternamn", "etternavn", "efternavn", "sukunimi", "příjmení", "vezetéknév",
        "nume", "priezvisko", "prezime", "cognom", "cognoms",
        "nume de familie", "фамилия", "прізвище", "επώνυμο", "उपनाम", "अंतिम नाम", "कुलनाम",
        "اسم العائلة", "الاسم الأخير", "اللقب", "نام خانوادگی", "שם משפחה", "姓", "姓氏", "苗字", "성", "นามสกุล",
    ),
    "name": (
        "name", "full name", "learner", "student", "learner name", "student name", "display name", "participant",
        "attendee", "user name", "full name (legal)", "attendee name", "participant name",
        "name original name", "your full name", "employee", "employee name",
        "Vollständiger Name", "Teilnehmer", "Teilnehmerin", "nom complet", "nombre completo", "nome completo",
        "volledige naam", "naam", "imię i nazwisko", "ad soyad", "adı soyadı", "namn", "navn", "полное имя", "фио",
        "vor- und nachname", "vor- und zuname", "vor/nachname", "nominativo", "név", "teljes név", "nimi", "koko nimi",
        "пълно име", "पूरा नाम", "الاسم الكامل", "姓名", "氏名", "お名前", "성명",
    ),
    "course": (
        "course", "course id", "course name", "course title", "TrainerCentral course",
        "Kurs", "Kurs-ID", "Kursname", "cours", "curso", "id del curso", "nombre del curso",
        "nome do curso", "corso", "cursus", "cursusnaam", "szkolenie", "kurs id", "kurs adı", "курс",
        "पाठ्यक्रम", "कोर्स", "الدورة", "المقرر", "课程", "課程", "コース", "講座", "강좌", "과정",
    ),
    "access_expires": (
        "access expires", "access until", "access expiry", "expiry date", "expiry", "expires", "expires at",
        "expires on", "expiration", "access ends", "access end date", "access till", "valid till",
        "expiration date", "valid until", "access end", "access expiry date", "access expires at",
        "gültig bis", "Zugang bis", "Ablaufdatum", "date d'expiration", "expire le", "valable jusqu'au",
        "fecha de caducidad", "fecha de vencimiento", "válido hasta", "caduca", "data de validade",
        "válido até", "data de expiração", "data di scadenza", "scadenza", "valido fino al", "vervaldatum",
        "geldig tot",
        "data ważności", "ważne do", "son tarih", "bitiş tarihi", "срок действия", "समाप्ति तिथि",
        "تاريخ الانتهاء", "有效期", "到期日", "有效期至", "有効期限", "만료일",
    ),
}  # fmt: skip
_MAIL_WORDS = ("email", "courriel", "correo", "eposta", "epost", "poczta", "почта", "邮箱", "メール")
LABELS = {
    "email": "E-mail address",
    "first_name": "First name",
    "last_name": "Last name",
    "name": "Full name",
    "course": "Course (id or name)",
    "access_expires": "Access until",
}

# A first name beside a last name, and all of a name where they stand alone.
_ANY_NAME = (
    "nombre", "nombres", "nome", "nom", "ad", "adı", "isim", "jméno", "meno", "ime", "nume", "имя", "ім'я", "όνομα",
    "नाम", "الاسم", "نام", "名", "名字", "名前", "이름", "ชื่อ",
)  # fmt: skip
_LAST_NAME_BESIDE_FIRST = ("name", "naam", "namn", "navn", "nimi", "név")
_LAST_FIRST = ("фио", "姓名", "氏名", "お名前", "성명", "név", "teljes név")
_BETWEEN_TWO = re.compile(r"(?:[\s,;/|&+_.-]|\b(?:and|und|et|y|e|i|a|en|og|och|ja|és|și|si|ve|и|та)\b)+", re.IGNORECASE)
# Before the name of a column: "1. First name", "attendee_first_name", "What is your last name?".
_BEFORE = re.compile(
    r"(\d+[.)]\s*|what(['’]s| is)\s+|please\s+(enter|type|write|provide)\s+|your\s+|"
    r"(learner|student|participant|attendee|delegate|trainee|pupil|candidate|employee|member|user)(['’]?s)?[\s_.:-]+)+",
    re.IGNORECASE,
)
_USERNAME = re.compile(r"\W*user_?name\W*", re.IGNORECASE)  # what somebody signs in with
_IN_BRACKETS = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
_LONGEST = 1_000  # characters of a heading that are compared; marks beyond number take long to put in order


def normalised(heading: str) -> str:
    """The heading as it is compared."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", heading[:_LONGEST]).casefold()))


_COLUMN_OF = {normalised(word): column for column, words in _WORDS.items() for word in words}
_NAMES = ("first_name", "last_name", "name")
_PAIRS_LAST_FIRST = (("last_name", "first_name"), ("name", "first_name"))
_LONGEST = 100  # characters; a longer text is no heading of a name
_NORMALISED_ANY_NAME = frozenset(map(normalised, _ANY_NAME))
_NORMALISED_BESIDE_FIRST = frozenset(map(normalised, _LAST_NAME_BESIDE_FIRST))
_NORMALISED_LAST_FIRST = frozenset(map(normalised, _LAST_FIRST))
AS_WRITTEN = frozenset(word.casefold() for words in _WORDS.values() for word in words if not word.isascii())


def column_of(heading: str) -> str:
    """The column that a heading names, "" when it is unknown.

    Of "First name [givenName] Required" the words outside the brackets count, else those within.
    """
    return _plain_column_of(heading) or _of_a_name(heading)


def name_an_email_column(headings: Sequence[str]) -> bool:
    return any(_plain_column_of(heading) == "email" for heading in headings)


def _plain_column_of(heading: str) -> str:
    if "#" in heading:  # a number, as in "Attendee #"
        return ""
    found = _COLUMN_OF.get(normalised(heading), "")
    if found:
        return found if found != "name" or not _USERNAME.fullmatch(heading) else ""
    if not any(bracket in heading for bracket in "([{"):
        return ""
    outside = normalised(_IN_BRACKETS.sub(" ", heading)).removesuffix("required")
    inside = [normalised(text) for text in _IN_BRACKETS.findall(heading)]
    known = [_COLUMN_OF[text] for text in (*inside, outside) if text in _COLUMN_OF]
    return "email" if "email" in known else known[0] if known else ""


def is_any_name(heading: str) -> bool:
    """Whether it names a first name or all of a name, as "Nombre" and "Nom" do."""
    return normalised(heading) in _NORMALISED_ANY_NAME


def is_last_name_beside_first(heading: str) -> bool:
    """Whether such a column holds last names where another holds first names, as "Name" does beside "Vorname"."""
    return normalised(heading) in _NORMALISED_BESIDE_FIRST


def last_names_before_first(heading: str) -> int:
    """With how many words of a last name the names below it begin: 1 in "Nom et prénom", 2 in "Apellidos y nombre"."""
    if normalised(heading) not in _NORMALISED_LAST_FIRST and _two_columns(heading) not in _PAIRS_LAST_FIRST:
        return 0
    return 2 if normalised(heading).startswith("apellidos") else 1


def columns_of(headings: Sequence[str]) -> dict[str, int]:
    """Column -> position. The first of two equal headings counts; of a heading that is unknown, nothing is said."""
    found: dict[str, int] = {}
    for position, heading in enumerate(headings):
        column = column_of(heading)
        if column:
            found.setdefault(column, position)
    return found


def _of_a_name(heading: str) -> str:
    """The column of a heading that says more than its name, or both names: "Your first name", "Nom et prénom"."""
    if len(heading) > _LONGEST or "#" in heading or _USERNAME.fullmatch(heading):
        return ""
    rest = _BEFORE.sub("", heading, count=1) if _BEFORE.match(heading) else ""
    pair = _two_columns(heading)
    found = _COLUMN_OF.get(normalised(rest), "") or (pair[0] if pair[0] == pair[1] else "name" if all(pair) else "")
    return found if found in _NAMES else ""


def _two_columns(heading: str) -> tuple[str, str]:
    """The columns of "Last name, first name" or "Name / Nom"; two empty ones where these are not two of names."""
    words = [word for word in _BETWEEN_TWO.split(heading) if word]
    for at in range(1, len(words) if len(heading) <= _LONGEST else 0):
        first, second = (_COLUMN_OF.get(normalised("".join(part)), "") for part in (words[:at], words[at:]))
        if first in _NAMES and second in _NAMES:
            one_alone = first == "name" and normalised(words[-1]) in ("first", "last")  # "Name - First"
            return (second, second) if one_alone else (first, second)
    return "", ""


def speak_of_mail(headings: Sequence[str]) -> list[int]:
    """The positions of headings with the word e-mail somewhere in them ("Work e-mail (new)")."""
    return [at for at, heading in enumerate(headings) if _mentions_mail(heading)]


def digest(headings: Sequence[str]) -> str:
    """What a person's choice of columns for such headings is kept under."""
    return hashlib.sha256("\n".join(map(normalised, headings)).encode()).hexdigest()[:40]


def _mentions_mail(heading: str) -> bool:
    text = normalised(heading)
    return any(word in text for word in _MAIL_WORDS)

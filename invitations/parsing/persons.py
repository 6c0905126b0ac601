"""Whom a heading speaks of: the learners, or somebody else who has an address, too. Pure."""

import re

_OTHERS = re.compile(
    r"\b(guardians?|parents?|mothers?|fathers?|mum|mom|mummy|mommy|dad|daddy|spouse|husband|wife|carers?|caregivers?|"
    r"next of kin|contact person|managers?|supervisors?|boss|hosts?|organi[sz]ers?|buyers?|purchasers?|payers?|billing|"
    r"bill to|emergency|instructors?|teachers?|headmaster|headteacher|lecturers?|professors?|trainers?|mentors?|"
    r"advis[eo]rs?|counsell?ors?|coach|recruiters?|referr\w+|inviter|approvers?|owners?|sponsors?|assistants?|secretary|"
    r"admin|administrators?|invoice|hr|hod|team ?lead(er)?s?|leaders?|reports to|reply to|senders?|b?cc|"
    r"request[eo]rs?|submitters?|(creat|modifi|updat|submitt|register|request|invit|nominat|approv|add|book)ed by|"
    r"sent by|"
    # German
    r"eltern\w*|mutter|vater|vormund|vorgesetzte\w*|führungskraft|chef\w*|ansprechpartner\w*|ausbilder\w*|"
    r"(klassen)?lehrer\w*|lehrkraft|dozent\w*|betreuer\w*|sachbearbeiter\w*|(team|abteilungs|gruppen)?leiter\w*|"
    r"(team|abteilungs)leitung|personalabteilung|erziehungsberechtigte\w*|sorgeberechtigte\w*|rechnung\w*|"
    r"absender\w*|antragsteller\w*|besteller\w*|käufer\w*|"
    # French
    r"responsables?|tuteurs?|tutrice|mère|père|gestionnaire|supérieure?|formateurs?|formatrice|enseignante?s?|"
    r"professeurs?|employeur|expéditeur|acheteur|facturation|référente?|rh|"
    # Spanish, Portuguese, Italian
    r"tutor\w*|padres?|madres?|jefe|jefa|apoderad[oa]s?|acudientes?|representante|profesor\w*|docentes?|encargad[oa]|"
    r"remitente|comprador|facturación|respons[aá]ve(l|is)|mãe|pais?|encarregad[oa]|gestora?|professora?|chefe|"
    r"remetente|responsabil[ei]|genitor[ei]|insegnante|referente|mittente|acquirente|fatturazione|capo|"
    # Dutch, Polish, Czech, Hungarian, Romanian
    r"ouder\w*|moeder|vader|leidinggevende|contactpersoon|docent|begeleider|rodzic\w*|opiekun\w*|matki|matka|ojca|"
    r"ojciec|przełożon\w*|kierownik\w*|nauczyciel\w*|rodič\w*|vedouc\w*|nadřízen\w*|učitel\w*|szülő\w*|vezető\w*|"
    r"tanár\w*|părinte\w*|"
    # Turkish, Nordic
    r"veli\w*|anne|baba|yönetici\w*|öğretmen\w*|müdür\w*|vårdnadshavare\w*|föräld\w*|lärare|foresatte\w*|forelder\w*|"
    r"foræld\w*|leder|lærer|esimies|huoltaja\w*|opettaja\w*|"
    # Russian, Ukrainian, Greek, Hebrew, Arabic
    r"родител\w*|матери|мать|отца|отец|опекун\w*|руководител\w*|начальник\w*|менеджер\w*|учител\w*|преподавател\w*|"
    r"куратор\w*|батьк\w*|керівник\w*|γον[εέ]\w*|κηδεμ[οό]ν\w*|הורה|הורים|מנהל|מורה|ולי|ولي|المدير|مدير|المعلم)\b"
)
_LEARNER = re.compile(
    r"\b(learners?|participants?|attendees?|trainees?|pupils?|candidates?|employees?|members?|teilnehmer\w*|"
    r"lernende\w*|sch[uü]ler\w*|mitarbeiter\w*|[eé]l[eè]ves?|[eé]tudiant\w*|participantes?|alumn\w+|estudiantes?|"
    r"alun\w+|student\w*|deelnemers?|cursist|uczestnik\w*|katılımcı|öğrenci)\b"
)
# Where words are not parted by blanks, or hold signs that are no letters.
_OTHERS_WITHIN = re.compile(
    "家长|家長|监护人|監護人|父亲|母亲|父親|母親|上司|上级|上級|经理|經理|主管|老师|老師|教师|教師|保護者|担当者|講師|"
    "부모|보호자|관리자|매니저|상사|선생|교사|ผู้ปกครอง|หัวหน้า|प्रबंधक|अभिभावक|शिक्षक"
)
_BETWEEN_WORDS = re.compile(r"[\W_\d]+")


def is_of_somebody_else(heading: str) -> bool:
    """Whether it names a guardian, a manager, a host: people who are not to be invited.

    "Student's parent" is the parent.
    """
    return bool(_OTHERS.search(_words(heading)) or _OTHERS_WITHIN.search(heading))


def is_of_the_learner(heading: str) -> bool:
    """Whether it names learners, and nobody else."""
    return bool(_LEARNER.search(_words(heading))) and not is_of_somebody_else(heading)


def _words(heading: str) -> str:
    return _BETWEEN_WORDS.sub(" ", heading.casefold()).strip()

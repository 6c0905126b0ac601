"""Domains of addresses that look mistyped, told by those that people use. Pure; nothing is changed by it.

A domain is doubted only where it is rare in the file and differs by a slip of the fingers, in one of its parts, from a
common provider's or from one that many rows of the file have. What is known to be somebody's is never doubted.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

MOST_SUGGESTED = 30
_MOST_LOOKED_AT = 10_000
# Rare: at most so many rows, or this share of all, or half of those that have the domain that is meant.
_FEW_ROWS, _SHARE_OF_FILE, _SHARE_OF_MEANT = 2, 0.05, 1 / 2
# Of the file's own domains those are believed that so many rows have.
_OWN_ROWS, _OWN_SHARE = 5, 0.1
# A shorter part has too many real neighbours: gmx, aol, web, mail. A longer one may have two slips.
_SHORTEST_PART, _LONG_PART = 5, 8
_NEIGHBOURS = 3


def _set(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


PROVIDERS = _set(
    "gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.co.in yahoo.fr yahoo.de yahoo.it yahoo.es yahoo.com.br",
    "hotmail.com hotmail.co.uk hotmail.fr hotmail.de hotmail.it hotmail.es outlook.com outlook.de outlook.fr",
    "icloud.com protonmail.com rediffmail.com freenet.de t-online.de arcor.de libero.it virgilio.it orange.fr",
    "wanadoo.fr laposte.net bluewin.ch comcast.net verizon.net bellsouth.net sbcglobal.net btinternet.com",
    "ntlworld.com rocketmail.com fastmail.com zohomail.com telenet.be skynet.be planet.nl ziggo.nl home.nl",
    "seznam.cz centrum.cz onet.pl interia.pl yandex.ru yandex.com rambler.ru naver.com hanmail.net",
)
# Real ones that look like another's slip.
_ALSO_REAL = _set(
    "mail.com email.com ymail.com gmx.com gmx.de gmx.net gmx.at gmx.ch gmx.fr web.de live.com live.de live.fr live.nl",
    "msn.com aol.com aol.de me.com mac.com mail.ru inbox.ru inbox.lv list.ru bk.ru hotmail.nl hotmail.be hotmail.ch",
    "outlook.es outlook.it outlook.at proton.me pm.me tutanota.com hey.com usmail.com fmail.com gmail.de",
    "hotmail.se yahoo.ca yahoo.in yahoo.gr google.com posteo.de mailbox.org orange.pl orange.es free.fr sfr.fr",
    "example.com example.org example.net",
)
# Nobody's ending, or hardly anybody's, and one slip from "com", "net" or "org".
_ENDINGS = {
    **dict.fromkeys(_set("con cmo ocm vom xom cim comm coom cpm c0m om cm co cok coml comn gom dom"), "com"),
    **dict.fromkeys(_set("nte ent met nett bet ney"), "net"),
    **dict.fromkeys(_set("ogr rog orgg prg irg"), "org"),
}


def suggested(rows: Mapping[str, int]) -> list[dict[str, Any]]:
    """From domain -> rows that have it: "domain", "meant" and "rows" of those in doubt, the most frequent first."""
    total = sum(rows.values())
    own = {one for one, count in rows.items() if count >= max(_OWN_ROWS, total * _OWN_SHARE)}
    believed = sorted(PROVIDERS | own)
    found = []
    for domain, count in sorted(rows.items(), key=lambda one: (-one[1], one[0]))[:_MOST_LOOKED_AT]:
        if domain in own or domain in PROVIDERS or domain in _ALSO_REAL:
            continue
        meant = next((one for one in _near(domain, believed) if _is_rare(count, rows.get(one, 0), total)), None)
        if meant:
            found.append({"domain": domain, "meant": meant, "rows": count})
    return found[:MOST_SUGGESTED]


def _is_rare(count: int, meant_count: int, total: int) -> bool:
    return count <= max(_FEW_ROWS, total * _SHARE_OF_FILE, meant_count * _SHARE_OF_MEANT)


def _near(domain: str, believed: list[str]) -> Iterator[str]:
    """Those of `believed` that `domain` is a slip of, the nearest first."""
    neighbours = process.extract(domain, believed, scorer=OSA.distance, score_cutoff=4, limit=_NEIGHBOURS)
    return (one for one, _, _ in neighbours if _is_slip_of(domain, one))


def _is_slip_of(domain: str, meant: str) -> bool:
    """One part is mistyped, or the ending, or both; anything else is another domain."""
    parts, meant_parts = domain.split("."), meant.split(".")
    if len(parts) != len(meant_parts) or parts == meant_parts:
        return False
    if parts[-1] != meant_parts[-1] and _ENDINGS.get(parts[-1]) != meant_parts[-1]:
        return False
    differing = [pair for pair in zip(parts[:-1], meant_parts[:-1], strict=True) if pair[0] != pair[1]]
    return len(differing) <= 1 and all(_is_slip(*pair) for pair in differing)


def _is_slip(part: str, meant: str) -> bool:
    """Numbers are no slips: school1 and school2 are two schools."""
    if len(meant) < _SHORTEST_PART or _without_digits(part) == _without_digits(meant):
        return False
    most = 2 if len(meant) >= _LONG_PART and part[:1] == meant[:1] else 1
    return bool(OSA.distance(part, meant, score_cutoff=most) <= most)


def _without_digits(part: str) -> str:
    return part.strip("0123456789-")

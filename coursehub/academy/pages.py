"""The console's pages of what was learnt about the academy: one question, and the facts."""

import json
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from coursehub import roles
from coursehub.academy import answers, profiles, words
from coursehub.academy.facts import FACTS
from coursehub.models import AcademyAnswer, AuditEvent
from coursehub.trainercentral.profile import Meaning

LIST = "admin:coursehub_academyanswer_changelist"
_NO_MEANING = "Nothing was decided: choose one of the meanings."
_DECIDED_MEANWHILE = "Nothing was changed: the meaning is no longer the one that this page showed. It is shown now."
_EVENTS_SHOWN = 10


def question(request: HttpRequest, answer: AcademyAnswer) -> HttpResponse:
    """The question, what was seen, and what look-ups found; administrators answer it here."""
    may_decide = roles.is_administrator(request.user)
    error = ""
    if request.method == "POST" and may_decide:
        error = _decide(request, answer)
        if not error:
            return redirect(LIST)
        answer.refresh_from_db()
    context = {
        "title": words.name(answer),
        "answer": answer,
        "question": words.question(answer),
        "finding": words.finding(answer),
        "finding_tone": "idle" if not answer.there + answer.absent else "warn" if answer.absent else "ok",
        "decided": words.decided(answer),
        "sample": json.dumps(answer.sample, indent=2, ensure_ascii=False),
        "waiting": answers.waiting(answer.key),
        "choices": [(one.value, one.label, words.CONSEQUENCES[Meaning(one.value)]) for one in _choices()],
        "correction": words.CORRECTION,
        "may_decide": may_decide,
        "events": _events(answer) if may_decide else [],
        "error": error,
    }
    return _page(request, "coursehub/academy_answer.html", context)


def profile(request: HttpRequest) -> HttpResponse:
    """The facts, since when they are known and from what."""
    known = profiles.facts()
    budget = settings.TRAINERCENTRAL_CALLS_PER_MINUTE
    throttled_at = known.get("throttled_at_per_minute", {}).get("value")
    context = {
        "title": "The academy",
        "org_id": settings.TRAINERCENTRAL_ORG_ID,
        "address": settings.TRAINERCENTRAL_URL,
        "facts": [
            {"title": FACTS[key].title, "says": FACTS[key].says(one["value"]), **one} for key, one in known.items()
        ],
        "unknown": [fact.title for key, fact in FACTS.items() if key not in known],
        "too_fast": budget if throttled_at and (budget == 0 or budget > throttled_at) else None,
        "throttled_at": throttled_at,
        "open_questions": len(answers.open_questions()),
    }
    return _page(request, "coursehub/academy_profile.html", context)


def _decide(request: HttpRequest, answer: AcademyAnswer) -> str:
    """One decision by a person; what went wrong in one sentence, or ''."""
    try:
        meaning = Meaning(request.POST.get("meaning", ""))
    except ValueError:
        return _NO_MEANING
    waiting, actor = answers.waiting(answer.key), request.user.get_username()
    instead_of = request.POST.get("instead_of", answer.meaning)
    if not answers.decide(answer.key, meaning, actor=actor, instead_of=instead_of):
        answer.refresh_from_db()
        return "" if answer.meaning == meaning and answer.decided_by == actor else _DECIDED_MEANWHILE
    label = AcademyAnswer.Meaning(meaning.value).label.lower()
    left = answers.waiting(answer.key)
    settled = f" {waiting - left} of {waiting} rows that waited are settled." if waiting else ""
    messages.success(request, f"{words.name(answer)} means: {label}.{settled}")
    return ""


def _choices() -> list[AcademyAnswer.Meaning]:
    return [one for one in AcademyAnswer.Meaning if one != AcademyAnswer.Meaning.OPEN]


def _events(answer: AcademyAnswer) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(target=f"answer {answer.key}")[:_EVENTS_SHOWN])


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})

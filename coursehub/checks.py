"""System checks for what settings cannot express; each has an id, a hint and a test that makes it fail."""

from collections.abc import Callable
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register, run_checks

from coursehub import registered
from coursehub.trainercentral import hosts

SETTINGS = "settings"  # the tag of these checks, which ask no server; web and worker do not start on an error of theirs


def refuse_to_start() -> None:
    """Ends the process with the errors in the settings, if there are any. Raises SystemExit."""
    errors = [str(message) for message in run_checks(tags=[SETTINGS]) if message.is_serious()]
    if errors:
        raise SystemExit("\n".join(errors))


@register(SETTINGS)
def token_encryption_keys(**kwargs: Any) -> list[CheckMessage]:
    """Token sets cannot be stored without a usable key."""
    try:
        usable = [Fernet(key) for key in settings.TOKEN_ENCRYPTION_KEYS]
    except ValueError:
        usable = []
    if usable:
        return []
    return [
        Error(
            "TOKEN_ENCRYPTION_KEYS holds no usable key.",
            hint="Give one or more Fernet keys, newest first, separated by commas: "
            'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"',
            id="coursehub.E001",
        )
    ]


@register(SETTINGS)
def remote_addresses(**kwargs: Any) -> list[CheckMessage]:
    """Tokens and the client's secret go to TrainerCentral and Zoho only, over https; in a demo to this machine too."""
    errors: list[CheckMessage] = []
    host = hosts.scheme_and_host(settings.TRAINERCENTRAL_URL)[1]
    if not _may_be_called(settings.TRAINERCENTRAL_URL, hosts.is_api, settings.ALLOWED_TRAINERCENTRAL_HOSTS):
        hint = "Correct it, or name the host of your academy's own domain in ALLOWED_TRAINERCENTRAL_HOSTS."
        if not settings.TRAINERCENTRAL_URL:
            hint = "Set it to your academy's address, such as https://academy.trainercentral.com."
        elif hosts.is_learners_site(host):
            hint = "That is the learners' site; the API answers under https://<academy>.trainercentral.com."
        errors.append(_wrong("TRAINERCENTRAL_URL is not an https address of TrainerCentral.", hint))
    if not _may_be_called(settings.ZOHO_ACCOUNTS_URL, hosts.is_accounts_server, settings.ALLOWED_ACCOUNTS_HOSTS):
        hint = "Correct it, or name the host in ALLOWED_ACCOUNTS_HOSTS; it is told the client's secret."
        errors.append(_wrong("ZOHO_ACCOUNTS_URL is not an https address of one of Zoho's accounts servers.", hint))
    return errors


@register(SETTINGS)
def named_academy(**kwargs: Any) -> list[CheckMessage]:
    """Without these no call can succeed; pages and commands work nevertheless, and say why."""
    missing = [
        name
        for name in ("TRAINERCENTRAL_ORG_ID", "ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET")
        if not getattr(settings, name)
    ]
    if not missing or not settings.TRAINERCENTRAL_URL:
        return []
    return [
        Warning(
            f"Not set: {', '.join(missing)}. TrainerCentral cannot be called without.",
            hint="The id and secret of the client are in Zoho's API console, the academy's id is in portals.json.",
            id="coursehub.W001",
        )
    ]


@register(SETTINGS)
def registered_paths(**kwargs: Any) -> list[CheckMessage]:
    """A path with a typo would be missed when it is called: perhaps in a year, by the first restore."""
    return [
        Error(f"{path} is registered for {purpose}, and there is nothing to call.", id="coursehub.E003")
        for path, purpose in registered.missing().items()
    ]


def _may_be_called(address: str, is_known: Callable[[str], bool], allowed: list[str]) -> bool:
    if settings.DEMO and hosts.is_local(address):
        return True
    scheme, host = hosts.scheme_and_host(address)
    return scheme == "https" and (is_known(host) or host in allowed)


def _wrong(sentence: str, hint: str) -> Error:
    return Error(sentence, hint=hint, id="coursehub.E002")

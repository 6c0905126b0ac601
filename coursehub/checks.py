"""System checks for what settings cannot express; each has an id, a hint and a test that makes it fail."""

from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, register, run_checks

SETTINGS = "settings"  # the tag of these checks, which ask no server; web and worker do not start on an error of theirs

# Where TrainerCentral and Zoho's accounts servers live (their documentation, per data centre).
_TRAINERCENTRAL_SUFFIXES = tuple(
    f".trainercentral.{ending}" for ending in ("com", "in", "ca", "eu", "com.au", "jp", "sa")
)
ZOHO_ACCOUNTS_HOSTS = frozenset(
    f"accounts.{host}"
    for host in (
        "zoho.com",
        "zoho.eu",
        "zoho.in",
        "zoho.com.au",
        "zoho.jp",
        "zohocloud.ca",
        "zoho.sa",
        "zoho.uk",
        "zoho.com.cn",
    )
)


def refuse_to_start() -> None:
    """Ends the process with the errors in the settings, if there are any. Raises SystemExit."""
    errors = [str(message) for message in run_checks(tags=[SETTINGS]) if message.is_serious()]
    if errors:
        raise SystemExit("\n".join(errors))


@register(SETTINGS)
def token_encryption_keys(**kwargs) -> list[CheckMessage]:
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
def remote_addresses(**kwargs) -> list[CheckMessage]:
    """Outside a demo, tokens go to TrainerCentral and Zoho only, and only over https."""
    if settings.DEMO:
        return []
    named = {
        "TRAINERCENTRAL_URL": lambda host: host.endswith(_TRAINERCENTRAL_SUFFIXES),
        "ZOHO_ACCOUNTS_URL": ZOHO_ACCOUNTS_HOSTS.__contains__,
    }
    errors: list[CheckMessage] = []
    for name, known in named.items():
        scheme, host = _scheme_and_host(getattr(settings, name))
        if scheme != "https" or not (known(host) or host in settings.ALLOWED_TRAINERCENTRAL_HOSTS):
            errors.append(
                Error(
                    f"{name} is not an https address of TrainerCentral or Zoho.",
                    hint="Correct it, or name the host of your academy's own domain in ALLOWED_TRAINERCENTRAL_HOSTS.",
                    id="coursehub.E002",
                )
            )
    return errors


def _scheme_and_host(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
        return parts.scheme, parts.hostname or ""
    except ValueError:  # such as an unfinished IPv6 address
        return "", ""

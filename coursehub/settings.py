"""Settings of the project; every deployment difference is an environment variable (.env.example)."""

from pathlib import Path
from typing import Any

import dj_email_url
from django.core.exceptions import ImproperlyConfigured

from coursehub import env
from coursehub.console.theme import UNFOLD  # noqa: F401  (read by django-unfold)
from coursehub.trainercentral import hosts

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("COURSEHUB_VAR", str(BASE_DIR / "var")))

DEBUG = env.boolean("DEBUG")
DEMO = env.boolean("DEMO")
SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set; `make run` creates one, production must bring its own.")
PORT = env.whole("PORT", 8000, minimum=1)
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "127.0.0.1,localhost")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
TRUSTED_PROXIES = env.items("TRUSTED_PROXIES")
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
_HTTPS = PUBLIC_URL.startswith("https://")

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "crispy_forms",
    "coursehub",
    "oauthtokens",
    "invitations",
    "progress",
    "channels",
    "django_q",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "coursehub.middleware.TrustedProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "coursehub.middleware.FormSizeMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "coursehub.roles.RoleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "coursehub.urls"
ASGI_APPLICATION = "coursehub.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "coursehub.console.navigation.context",
            ],
        },
    },
]

# --- MongoDB ------------------------------------------------------------------------------------
MONGODB_URI = env.text("MONGODB_URI", "mongodb://127.0.0.1:27017/?replicaSet=coursehub")
MONGODB_NAME = env.text("MONGODB_NAME", "coursehub")
DATABASES = {
    "default": {
        "ENGINE": "coursehub.mongo",
        "NAME": MONGODB_NAME,
        "ENFORCE_SCHEMA": False,
        "CLIENT": {"host": MONGODB_URI, "w": "majority"},
        "OPTIONS": {"transactions": False},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Accounts -----------------------------------------------------------------------------------
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_SAMESITE = "Lax"  # Zoho's redirect back to us must carry the session
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _HTTPS
X_FRAME_OPTIONS = "DENY"

# --- Language, time, mail -----------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True
EMAIL_FROM = DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", "coursehub@localhost")
vars().update(dj_email_url.parse(env.text("EMAIL_URL", "console:")))
MAINTENANCE_EMAILS = env.items("MAINTENANCE_EMAILS")

# --- Static files -------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(VAR_DIR / "static"))
STATICFILES_DIRS: list[Path] = []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}
SERVESTATIC_KEEP_ONLY_HASHED_FILES = False

# --- TrainerCentral and Zoho --------------------------------------------------------------------
SANDBOX_PORT = env.whole("SANDBOX_PORT", 8900, minimum=1)
SANDBOX_STATE = env.text("SANDBOX_STATE", str(VAR_DIR / "sandbox.sqlite3"))
_GIVEN_URL = env.text("TRAINERCENTRAL_URL").rstrip("/")
TRAINERCENTRAL_URL = _GIVEN_URL or (f"http://127.0.0.1:{SANDBOX_PORT}" if DEMO else "")
# A demo's academy on this machine, or in a container beside this one, is a sandbox and has a sandbox's values.
_SANDBOX_URL = TRAINERCENTRAL_URL if DEMO and hosts.is_local(TRAINERCENTRAL_URL) else ""
DEMO_HAS_SANDBOX = bool(_SANDBOX_URL) and not (_GIVEN_URL and hosts.is_loopback(_GIVEN_URL))
TRAINERCENTRAL_ORG_ID = env.text("TRAINERCENTRAL_ORG_ID", "700000804" if _SANDBOX_URL else "")
ZOHO_ACCOUNTS_URL = env.text("ZOHO_ACCOUNTS_URL", _SANDBOX_URL or "https://accounts.zoho.com").rstrip("/")
ZOHO_CLIENT_ID = env.text("ZOHO_CLIENT_ID", "1000.SANDBOX" if _SANDBOX_URL else "")
ZOHO_CLIENT_SECRET = env.text("ZOHO_CLIENT_SECRET", "sandbox-client-secret" if _SANDBOX_URL else "")
TRAINERCENTRAL_CALLS_PER_MINUTE = env.whole("TRAINERCENTRAL_CALLS_PER_MINUTE", 600 if DEMO_HAS_SANDBOX else 25)
PACING_JITTER_SECONDS = env.number("PACING_JITTER_SECONDS", 1.0)
ALLOWED_TRAINERCENTRAL_HOSTS = env.items("ALLOWED_TRAINERCENTRAL_HOSTS")
ALLOWED_ACCOUNTS_HOSTS = env.items("ALLOWED_ACCOUNTS_HOSTS")
PROGRESS_LANE_SHARE = env.share("PROGRESS_LANE_SHARE", 0.2)
INVITE_CONCURRENCY = env.whole("INVITE_CONCURRENCY", 4, minimum=1)
RECONCILE_SETTLE_SECONDS = env.whole("RECONCILE_SETTLE_SECONDS", 120)
TRAINERCENTRAL_CONNECT_SECONDS = 5.0
TRAINERCENTRAL_READ_SECONDS = 15.0

# --- Token sets ---------------------------------------------------------------------------------
TOKEN_ENCRYPTION_KEYS = env.items("TOKEN_ENCRYPTION_KEYS")
TOKEN_SET_COUNT = env.whole("TOKEN_SET_COUNT", 7, minimum=1)
TOKEN_MAX_USES = env.whole("TOKEN_MAX_USES", 20)
TOKEN_RETIRE_AT_USES = env.whole("TOKEN_RETIRE_AT_USES", 18, minimum=1)
TOKEN_RESERVE_RELEASE = env.choice("TOKEN_RESERVE_RELEASE", ("person", "automatic"))
TOKEN_KEEP_WARM = env.choice("TOKEN_KEEP_WARM", ("on_demand", "always"))
TOKEN_GRANT = env.choice("TOKEN_GRANT", ("refresh_token", "client_credentials"))
MAINTENANCE_AT = env.weekly("MAINTENANCE_AT", "mon 09:00")
TOKEN_REFRESH_MARGIN_SECONDS = env.whole("TOKEN_REFRESH_MARGIN_SECONDS", 300)
TOKEN_LEASE_SECONDS = env.whole("TOKEN_LEASE_SECONDS", 30, minimum=5)

# --- Invitations and progress -------------------------------------------------------------------
UPLOAD_MAX_BYTES = env.whole("UPLOAD_MAX_BYTES", 20 * 1024 * 1024, minimum=1)
LAST_NAME_STAND_IN = env.text("LAST_NAME_STAND_IN", ".").strip() or "."
UPLOAD_MAX_ROWS = env.whole("UPLOAD_MAX_ROWS", 100_000, minimum=1)
UPLOAD_KEEP_DAYS = env.whole("UPLOAD_KEEP_DAYS", 30, minimum=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # form fields; files stream to disk
PROGRESS_WATCHED_SECONDS = env.whole("PROGRESS_WATCHED_SECONDS", 5 if DEMO_HAS_SANDBOX else 60, minimum=1)
PROGRESS_IDLE_SECONDS = env.whole("PROGRESS_IDLE_SECONDS", 6 * 3600, minimum=1)
HISTORY_KEEP_DAYS = env.whole("HISTORY_KEEP_DAYS", 400, minimum=1)
WEBHOOK_SECRET = env.text("WEBHOOK_SECRET")

# --- Queue: a doorbell; what is to be done stands in our documents (coursehub/queue) --------------
WORKER_PROCESSES = env.whole("WORKER_PROCESSES", 2, minimum=1)
Q_CLUSTER: dict[str, Any] = {
    "name": "coursehub",  # also the salt of the signatures: web and worker must agree
    "broker_class": "coursehub.queue.Broker",  # on the engine's client, by MongoDB's clock
    "workers": WORKER_PROCESSES,
    "queue_limit": WORKER_PROCESSES,  # what waits inside a group is lost to the other workers
    "timeout": 60,  # django-q2 has none by default
    "retry": 200,  # more than three time-outs: a task that waits in a group must not come twice
    "recycle": 500,  # tasks per process; gives back what leaked
    "ack_failures": True,  # a failed task is not rung again by the queue, but by the tick that finds it
    "max_attempts": 1,
    "save_limit": -1,  # no results; coursehub.queue logs failures itself
    "scheduler": False,  # guards itself with row locks, which MongoDB lacks; coursehub.queue ticks instead
    "catch_up": False,
    "bulk": 1,
    "poll": 0.2,  # seconds: how late a worker hears the bell at worst
    "label": "Queue",
}

CHANNEL_LAYERS = {"default": {"BACKEND": "coursehub.live.layer.ProcessLayer"}}

CRISPY_TEMPLATE_PACK = "unfold_crispy"
CRISPY_ALLOWED_TEMPLATE_PACKS = ["unfold_crispy"]
SOURCE_URL = env.text("SOURCE_URL", "/source/")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
}

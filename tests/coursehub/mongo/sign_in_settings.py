"""The product's settings with django-axes and django-otp in, on a database of their own."""

import os

from coursehub.settings import *  # noqa: F403
from coursehub.settings import DATABASES, INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "axes", "django_otp", "django_otp.plugins.otp_static"]
MIDDLEWARE = [*MIDDLEWARE, "django_otp.middleware.OTPMiddleware", "axes.middleware.AxesMiddleware"]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
ALLOWED_HOSTS = ["testserver"]
AXES_FAILURE_LIMIT = 1_000  # counted, not locked out
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # slow hashing is not the subject
DATABASES["default"] |= {
    "NAME": "coursehub_sign_in",
    "OPTIONS": {"transactions": os.environ.get("TRANSACTIONS") == "on"},
}

"""Settings of the clinic. Everything that differs between places is an environment variable; README.md lists them."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, Dict

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from vetclinic import env, logs
from vetclinic.databases import database

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))

PRODUCTION = env.choice("VET_ENV", "local", ("local", "production")) == "production"
DEBUG = env.flag("DEBUG", default=False)
PUBLIC_URL, PUBLIC_HOST = env.public_url("PUBLIC_URL", "http://localhost:8000")
HTTPS = PUBLIC_URL.startswith("https://")
DATABASES = {"default": database(VAR_DIR / "vet.sqlite3")}


def refuse_unsafe_production() -> None:
    """Raise ImproperlyConfigured with every reason why this environment must not serve a real clinic."""
    problems = []
    if not env.text("SECRET_KEY"):
        problems.append(
            "SECRET_KEY (or SECRET_KEY_FILE) is missing. Give every replica the same random key, 50 characters or more"
        )
    elif len(env.text("SECRET_KEY")) < 50:
        problems.append("SECRET_KEY is shorter than 50 characters")
    if DATABASES["default"]["ENGINE"] == "vetclinic.sqlite":
        problems.append(
            "DATABASE_URL (or PGHOST and its companions) is missing or names SQLite; each replica would keep a clinic"
            " of its own. Give a PostgreSQL database"
        )
    if DEBUG:
        problems.append("DEBUG is on, which shows the inner state to visitors. Unset it")
    if not HTTPS:
        problems.append(f"PUBLIC_URL is {PUBLIC_URL}; passwords need an https address")
    if problems:
        raise ImproperlyConfigured(
            "VET_ENV=production refuses this environment.\n  - " + ".\n  - ".join(problems) + "."
        )


def local_secret_key() -> str:
    """A random key of this checkout, kept in the data folder so that a restart logs nobody out."""
    file = VAR_DIR / "secret-key"
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(50))
    return file.read_text()


if PRODUCTION:
    refuse_unsafe_production()
SECRET_KEY = env.text("SECRET_KEY") or local_secret_key()
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")

# The clinic
CLINIC_NAME = env.text("CLINIC_NAME", "Willow Lane Veterinary Clinic")
CLINIC_ADDRESS = env.text("CLINIC_ADDRESS", "12 Willow Lane, Exampleton")
CLINIC_PHONE = env.text("CLINIC_PHONE", "555-0100")
CURRENCY = env.currency("CURRENCY", "USD")
OPENING_HOURS = env.opening_hours("OPENING_HOURS", "08:00-18:00")
SLOT_MINUTES = env.number("SLOT_MINUTES", 15, low=5, high=120)

# Language and time. The list of languages is fixed, so that no visitor can ask for the loading of an arbitrary one.
# English has the dates and the clock of a country, too (`vetclinic.formats`).
CLINIC_LANGUAGE = env.text("LANGUAGE_CODE").lower()  # none: as each browser asks for, until the manager chooses one
LANGUAGE_CODE = CLINIC_LANGUAGE or "en"
LANGUAGES = [
    ("en", _("English")),
    ("en-us", _("English (USA)")),
    ("en-gb", _("English (United Kingdom)")),
    ("de", _("German")),
    ("fr", _("French")),
]
if LANGUAGE_CODE not in dict(LANGUAGES):
    raise ImproperlyConfigured(f"LANGUAGE_CODE={LANGUAGE_CODE!r} must be one of: {', '.join(dict(LANGUAGES))}.")
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")
COUNTRY = env.country("COUNTRY", TIME_ZONE)  # whose telephone numbers are written without a country's code
COUNTRY_IS_KNOWN = bool(env.text("COUNTRY")) or TIME_ZONE != "UTC"
AMERICAN = COUNTRY_IS_KNOWN and COUNTRY == "US"
UNITS = env.choice("UNITS", "us" if AMERICAN else "metric", ("metric", "us"))
MONTH_FIRST = {"US", "CA", "PH", "PR", "GU", "VI", "AS", "MP", "UM", "FM", "MH", "PW"}  # 03/05 is 5 March there
if AMERICAN and CLINIC_LANGUAGE == "en":
    CLINIC_LANGUAGE = LANGUAGE_CODE = "en-us"
elif COUNTRY_IS_KNOWN and COUNTRY not in MONTH_FIRST and CLINIC_LANGUAGE == "en":
    CLINIC_LANGUAGE = LANGUAGE_CODE = "en-gb"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = ["vetclinic.formats"]  # a clock of 24 hours in every language but that of the USA

INSTALLED_APPS = [
    "accounts",
    "audit",
    "clinic",
    "exchange",
    "web",
    "ninja",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "vetclinic.health.HealthMiddleware",
    "vetclinic.middleware.RequestIdMiddleware",
    "vetclinic.logs.AccessLogMiddleware",
    "vetclinic.metrics.MetricsMiddleware",
    "api.problems.ProblemMiddleware",
    "vetclinic.middleware.LargestRequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "vetclinic.middleware.SecurityHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",  # what a browser or a program asks for; web.middleware knows better
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "web.middleware.ClinicMiddleware",
    "accounts.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "web.middleware.RefusalMiddleware",
    "web.middleware.FirstPageMiddleware",
]
ROOT_URLCONF = "vetclinic.urls"
WSGI_APPLICATION = "vetclinic.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "vetclinic.context.clinic",
                "web.context.frame",
            ]
        },
    }
]

# Static files
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
if not PRODUCTION:
    STATIC_ROOT.mkdir(exist_ok=True)  # collected into for the container only, but looked for everywhere
STORAGES: Dict[str, Dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # files of the clinic live in the database
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# Files of patients: in the database, or in a bucket of S3, where the pods' own role reads and writes.
ATTACHMENTS_BUCKET = env.text("ATTACHMENTS_BUCKET")
ATTACHMENTS_QUOTA = env.number("ATTACHMENTS_QUOTA_MB", 2048, low=1) * 1024**2
if ATTACHMENTS_BUCKET:
    STORAGES["attachments"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": ATTACHMENTS_BUCKET,
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
            "signature_version": "s3v4",
            # The bucket encrypts: `aws:kms` without a key would mean AWS's own key and not the bucket's (S3: PutObject)
        },
    }
WHITENOISE_USE_FINDERS = not PRODUCTION

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.ThrottledModelBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "today"
LOGOUT_REDIRECT_URL = "login"
LOGIN_EXEMPT_PREFIXES = ["/api/"]  # the API asks for a token or a session itself, and answers 401 instead of a redirect
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}}]
PASSWORD_RESET_TIMEOUT = 60 * 60
OTP_TOTP_ISSUER = PUBLIC_HOST

# Security. TLS ends at a proxy; its headers are believed only where one is known to stand in front.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 1 if PRODUCTION else 0, high=5)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
ALLOWED_HOSTS = [PUBLIC_HOST] if PRODUCTION else [PUBLIC_HOST, "localhost", "127.0.0.1", "[::1]", "testserver"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 86_400, high=63_072_000) if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none';"
    " frame-ancestors 'none'; form-action 'self'"
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # a form; files are limited where they are received
LARGEST_REQUEST = 3 * 1024 * 1024  # a file of 2 MiB and the form around it; what is longer is refused unread
# The proxy redirects to https; a redirect here would loop behind one that does not forward the scheme.
SILENCED_SYSTEM_CHECKS = ["security.W008"] + (
    [] if SECURE_HSTS_SECONDS > 86_400 else ["security.W005", "security.W021"]
)

# E-mail is optional: without it the reminders are listed and printed.
MAIL = env.email("EMAIL_URL")
EMAIL_ENABLED: bool = MAIL["EMAIL_ENABLED"]
EMAIL_PROBLEM: str = MAIL["EMAIL_PROBLEM"]  # what to fix before anything can be sent
globals().update(MAIL)
DEFAULT_FROM_EMAIL = env.address("EMAIL_FROM", f"noreply@{PUBLIC_HOST}")
EMAIL_REPLY_TO = env.address("EMAIL_REPLY_TO", DEFAULT_FROM_EMAIL)  # where owners write to when they answer

API_PER_MINUTE = env.number("API_PER_MINUTE", 300, low=1, high=100_000)

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = logs.configuration(LOG_LEVEL, as_json=PRODUCTION)

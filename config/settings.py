"""One settings file; every variable it reads stands in `.env.example`."""

import re
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import embedded

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")  # real variables win

DEBUG: bool = env.bool("DEBUG", default=False)
SECRET_KEY: str = env.str("SECRET_KEY", default="for-development-only-" + "0" * 40 if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. Set it, or set DEBUG=true on a development machine.")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
if DEBUG and not ALLOWED_HOSTS:
    ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]

#: True when the database is the one this checkout brings along.
EMBEDDED_DATABASE: bool = DEBUG and not env.str("DATABASE_URL", default="")
if not DEBUG and not env.str("DATABASE_URL", default=""):
    raise ImproperlyConfigured("DATABASE_URL is not set. Set it to a PostgreSQL database, or set DEBUG=true.")
DATABASES = {
    "default": {
        **env.db_url_config(embedded.database_url() if EMBEDDED_DATABASE else env.str("DATABASE_URL")),
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

EMBEDDED_REDIS: bool = DEBUG and not env.str("REDIS_URL", default="")
CELERY_BROKER_URL: str = (
    embedded.broker_url() if EMBEDDED_REDIS else env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# A message whose worker was killed is not sent again at once: its job counts as running until it has been silent for a
# minute, and is then picked up.
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_SOFT_TIME_LIMIT = 3 * 3600  # ends the job with a sentence
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 600  # ends the process, when the work does not listen
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for Redis however long it is away
# Messages not acknowledged for longer than any job may take are sent again; should one still be at work, its claim
# keeps the second from starting.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 2,
    "socket_timeout": 30,
    "visibility_timeout": CELERY_TASK_TIME_LIMIT + 600,
}
CELERY_TASK_PUBLISH_RETRY = False  # a message is only a nudge: beat finds the waiting job
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "bootstrap",
    "csp",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "pgtrigger",
    "roster",
    "training",
    "compliance",
]
MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",  # first, so that no answer goes without
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "compliance.middleware.Plain",
    "compliance.middleware.Unfinished",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
            ],
        },
    }
]

LANGUAGE_CODE = "en-us"
TIME_ZONE: str = env.str("TIME_ZONE", default="America/New_York")
CELERY_TIMEZONE = TIME_ZONE  # the night's work is done in the agency's night
USE_I18N = False
USE_TZ = True
DATE_FORMAT = "j M Y"

LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
AUTHENTICATION_BACKENDS = ["compliance.demo.sign_ins.Backend"]  # Django's own, but for the demo's public password
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
# A development machine serves the files where they lie; a deployment those that collectstatic hashed and compressed.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
#: Of this site for everybody, as certificates and calendars name it; blank = the host by which each page is asked for.
PUBLIC_URL: str = env.str("PUBLIC_URL", default="").strip().rstrip("/")
if PUBLIC_URL and not re.fullmatch(r"https?://[^/?#\s]+", PUBLIC_URL):
    raise ImproperlyConfigured(
        f'PUBLIC_URL is "{PUBLIC_URL}". Write it as https://records.example.gov, without a path.'
    )
#: Uploads and issued reports; outside what the web server serves, read through an access check only.
MEDIA_ROOT: str = env.str("MEDIA_ROOT", default=str(embedded.data_dir() / "media"))
FILE_UPLOAD_HANDLERS = ["compliance.uploads.LimitedUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600
#: The most that a file attached to a record may have: a scan, a certificate, a lesson plan.
FILE_MAX_BYTES: int = env.int("FILE_MAX_BYTES", default=20 * 1024 * 1024)
#: The most that one person holds in forms that recorded nothing yet; what is left over goes at night.
CHOSEN_MAX_BYTES: int = max(env.int("CHOSEN_MAX_BYTES", default=500 * 1024 * 1024), FILE_MAX_BYTES)
#: The most that is received of any file: a file to import may have this much.
UPLOAD_MAX_BYTES: int = max(env.int("UPLOAD_MAX_BYTES", default=200 * 1024 * 1024), FILE_MAX_BYTES)
#: A virus scanner, run without a shell: `{}` is the file, else it comes last. It answers 0 for clean, 1 for infected.
ANTIVIRUS_COMMAND: str = env.str("ANTIVIRUS_COMMAND", default="")
ANTIVIRUS_SECONDS: int = env.int("ANTIVIRUS_SECONDS", default=60)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # data: for the form icons inside Bootstrap's own stylesheet
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = not DEBUG
SESSION_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_SECURE = not DEBUG
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_HSTS_PRELOAD = not DEBUG
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="training-records@localhost")

DJANGO_TABLES2_TEMPLATE = "_table.html"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"compliance": {"level": "INFO"}},
}

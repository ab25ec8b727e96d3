"""Every setting of Kring, in one file, from the environment. Values are parsed strictly: a wrong one stops the program with
the name of its variable. `.env.example` lists them all, and a test compares that list with this file."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from embedded import Places

# ---- Reading the environment ---------------------------------------------------------------------------------------


def env_str(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, default: bool) -> bool:
    value = env_str(name).lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return value in {"1", "true", "yes", "on"} if value else default
    raise ImproperlyConfigured(f"{name} must be yes or no, not {value!r}.")


def env_int(name: str, default: int, *, least: int = 0) -> int:
    value = env_str(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise ImproperlyConfigured(f"{name} must be a whole number of at least {least}, not {value!r}.")
    return int(value)


def env_list(name: str, default: list[str]) -> list[str]:
    return [part.strip() for part in env_str(name).split(",") if part.strip()] or default


def env_url(name: str, default: str, schemes: set[str]) -> str:
    value = env_str(name, default)
    if urlsplit(value).scheme not in schemes:
        raise ImproperlyConfigured(f"{name} must start with one of {', '.join(sorted(schemes))}:, not as it does now.")
    return value


def env_site(name: str, default: str) -> str:
    """The address of a site: scheme and host, perhaps a port, and nothing behind it."""
    value = env_str(name, default).removesuffix("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or value != f"{parts.scheme}://{parts.netloc}":
        raise ImproperlyConfigured(f"{name} must be an address such as https://kring.example, not {value!r}.")
    return value


def env_zone(name: str, default: str) -> str:
    value = env_str(name, default)
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as wrong:
        raise ImproperlyConfigured(f"{name} must be a time zone such as Europe/Brussels, not {value!r}.") from wrong
    return value


# The value that `.env.example` shows; a server that is not in development refuses it.
EXAMPLE_SECRET_KEY = "change-me-to-fifty-random-characters-or-more-please"


def env_secret(name: str, *, kept_in: Path | None) -> str:
    """The secret of this installation. One that runs on the embedded servers makes its own once and keeps it beside its
    data; any other must be given one."""
    value = env_str(name)
    if value and not DEBUG and (value == EXAMPLE_SECRET_KEY or len(value) < 50):
        raise ImproperlyConfigured(f"{name} is the example or too short. Give it fifty random characters or more.")
    if value:
        return value
    if kept_in is None:
        raise ImproperlyConfigured(f"{name} is missing. Give it fifty random characters or more.")
    kept_in.parent.mkdir(parents=True, exist_ok=True)
    fresh = kept_in.with_name(f"{kept_in.name}.{os.getpid()}")
    if not kept_in.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        try:
            os.link(fresh, kept_in)  # The first of several processes wins; the others read what it wrote.
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return kept_in.read_text()


# ---- Where we are --------------------------------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = env_bool("KRING_DEBUG", False)
VAR = Path(env_str("KRING_VAR", str(BASE_DIR / "var"))).absolute()
EMBEDDED = Places(VAR)
EMBEDDED_DATABASE = not env_str("DATABASE_URL")
EMBEDDED_REDIS = not env_str("REDIS_URL")

SECRET_KEY = env_secret("KRING_SECRET_KEY", kept_in=VAR / "secret-key" if EMBEDDED_DATABASE or DEBUG else None)
# Keys of before: what they sealed or signed is still read, and nothing new is made with them.
SECRET_KEY_FALLBACKS = env_list("KRING_OLD_SECRET_KEYS", [])


def env_hosts(name: str, default: list[str]) -> list[str]:
    """The names under which we answer. `*` is refused: a link to choose a new password carries the name that was asked for, so a visitor could
    have one sent that leads elsewhere."""
    hosts = env_list(name, default)
    if "*" in hosts and not DEBUG:
        raise ImproperlyConfigured(f"{name} must name the hosts; * would let anybody choose where our mail leads to.")
    return hosts


ALLOWED_HOSTS = env_hosts("KRING_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("KRING_ORIGINS", [])
HTTPS = env_bool("KRING_HTTPS", False)
# Proxies of our own between the visitor and us: each adds the address that it saw to X-Forwarded-For, and what stands before theirs is hearsay.
PROXIES = env_int("KRING_PROXIES", 0)
# Messages that one address may send by public forms within ten minutes; 0 counts nothing.
FORM_LIMIT = env_int("KRING_FORM_LIMIT", 30)
# Whether calendars elsewhere may lie within our own network, too: else whoever connects one could look around in it.
PRIVATE_CALENDARS = env_bool("KRING_PRIVATE_CALENDARS", False)

# `manage.py up` listens here, with so many web processes.
PORT = env_int("PORT", 8000, least=1)
WEB_PROCESSES = env_int("KRING_WEB_PROCESSES", 2, least=1)
# Where links in mail lead to that a worker writes, which no visitor asked for by a name.
SITE_URL = env_site("KRING_URL", f"https://{ALLOWED_HOSTS[0]}" if HTTPS else f"http://localhost:{PORT}")

# ---- The organisation that uses Kring ------------------------------------------------------------------------------

ORGANISATION_NAME = env_str("KRING_ORGANISATION_NAME", "Kring")
COUNTRY = env_str("KRING_COUNTRY", "BE").upper()

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("nl", _("Dutch"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env_zone("KRING_TIME_ZONE", "Europe/Brussels")

# ---- What Kring is made of -----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "django_htmx",
    "template_partials",
    "allauth",
    "allauth.account",
    "csp",
    "qualification",
    "crm",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "crm.web.middleware.SizeMiddleware",
    "crm.web.middleware.FollowUpsMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crm.web.middleware.LoginMiddleware",
    "crm.web.middleware.PrivacyMiddleware",
    "crm.web.middleware.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "crm.web.middleware.MeanwhileMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
    },
]

FORM_RENDERER = "crm.web.forms.KringRenderer"

# ---- Rows and messages ---------------------------------------------------------------------------------------------


def database(url: str) -> dict[str, Any]:
    """Django's description of `postgresql://user:password@host:port/name?option=value`; a host may be a quoted folder."""
    parts = urlsplit(url)
    # A quoted folder with capitals must keep them, and `hostname` lowers its letters.
    host = unquote(parts.netloc.rpartition("@")[2])
    host, _colon, port = host.rpartition(":") if not host.startswith("/") and ":" in host else (host, "", "")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    pool = env_int("KRING_DATABASE_POOL", 0)
    if pool:
        options["pool"] = {"min_size": min(2, pool), "max_size": pool, "timeout": 10}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": port,
        # A pool keeps connections itself; without one each thread keeps its own for a while.
        "CONN_MAX_AGE": 0 if pool else 60,
        "CONN_HEALTH_CHECKS": not pool,
        "OPTIONS": {"connect_timeout": "5", **options},
    }


DATABASES = {
    "default": database(env_url("DATABASE_URL", EMBEDDED.database_url(), {"postgres", "postgresql"})),
}

REDIS_URL = env_url("REDIS_URL", EMBEDDED.redis_url(), {"redis", "rediss", "unix"})

# Only counts of attempts are kept here, shared by all web processes. A broker that is away costs no login: see the backend.
CACHES = {
    "default": {
        "BACKEND": "config.cache.SharedCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "kring-cache",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    },
}

# ---- People and their sessions -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "crm.User"
AUTHENTICATION_BACKENDS = ["crm.web.accounts.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "crm:home"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "crm.web.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_FORMS = {
    "login": "crm.web.login.LoginForm",
    "reset_password": "crm.web.login.ResetPasswordForm",
    "reset_password_from_key": "crm.web.login.ResetPasswordKeyForm",
    "change_password": "crm.web.login.ChangePasswordForm",
}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
# A reset asked for an address without an account sends nothing: we write to nobody who is not one of us.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Whoever's password changes is told so, in case it was somebody else.
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Guessing is stopped by the failures (allauth's own: ten a minute for an address, five in five minutes for an account); a whole office that comes
# in at nine may share one address.
ACCOUNT_RATE_LIMITS = {"login": "100/m/ip"}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 60 * 60
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "crm.web.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# ---- What a browser may do -----------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
        "base-uri": [SELF],
        "object-src": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

if HTTPS:
    SECURE_SSL_REDIRECT = True
    # The server that ends TLS must set this header itself, whatever the visitor sent.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # A health check inside the machine room speaks plain HTTP.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# ---- Files for the browser -----------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
NODE_MODULES = BASE_DIR / "node_modules"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.vendored.VendoredFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.vendored.ManifestStorage",
    },
}
# Only names with a hash are served: a page never gets last week's file.
WHITENOISE_KEEP_ONLY_HASHED_FILES = not DEBUG
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = VAR / "media"

# ---- Mail ----------------------------------------------------------------------------------------------------------


def mail(url: str) -> dict[str, Any]:
    """Django's e-mail settings for `smtp://user:password@host:port` (STARTTLS), `smtps://` (TLS from the first byte),
    `console:` or `file:///folder`."""
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme == "file":
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp",
        "EMAIL_TIMEOUT": 10,
    }


globals().update(mail(env_url("EMAIL_URL", f"file://{VAR}/mail", {"smtp", "smtps", "console", "file"})))
DEFAULT_FROM_EMAIL = env_str("KRING_EMAIL_FROM", "Kring <kring@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_SUBJECT_PREFIX = ""


def env_address(name: str, default: str) -> tuple[str, int] | None:
    """A host and a port to listen on, or nothing when it says `off`."""
    value = env_str(name, default)
    host, _colon, port = value.rpartition(":")
    if value.lower() == "off":
        return None
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ImproperlyConfigured(f"{name} must be a host and a port such as 127.0.0.1:2525, or off, not {value!r}.")
    return host.strip("[]"), int(port)


# Mail that people send on to their own address at Kring: where `manage.py receive_mail` listens, and the domain of those addresses.
MAIL_IN = env_address("KRING_MAIL_IN", "127.0.0.1:2525")
MAIL_IN_DOMAIN = env_str("KRING_MAIL_IN_DOMAIN", "kring.localhost" if EMBEDDED_DATABASE else "").lower()

# ---- Worker --------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# A worker that dies leaves its errand to the next one; every task may be run twice without harm.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 10 * 60
CELERY_TASK_TIME_LIMIT = 11 * 60
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A page that nudges the worker must not wait for a broker that is away: the row is written, a sweep will find it.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "visibility_timeout": 15 * 60,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_TASK_PUBLISH_RETRY = False
# Beat looks up at least this often, and so writes down often enough for its health check.
CELERY_BEAT_MAX_LOOP_INTERVAL = 60
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "run" / "beat-schedule")

# ---- Words on the terminal -----------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"terminal": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "plain"}},
    "root": {"handlers": ["terminal"], "level": env_str("KRING_LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # The receiver of mail would write down who writes to which secret address.
        "mail.log": {"level": "WARNING"},
    },
}

"""What Django is told. What differs between instances comes from broadsheet.config.options; the rest is here."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path
from typing import Any

from broadsheet import links
from broadsheet.accounts.rules import SHORTEST_PASSWORD
from broadsheet.config import assets, options
from broadsheet.config.databases import database

configuration = options.load()

BROADSHEET_DATA: Path = configuration.data
BROADSHEET_INDEX: Path = configuration.index
BROADSHEET_SEARCH_URL: str = configuration.search_url
BROADSHEET_STARTER: bool = configuration.starter
BROADSHEET_SITE_NAME: str = configuration.site_name
BROADSHEET_MODEL: str = configuration.model
BROADSHEET_API_RATES: bool = configuration.api_rates
BROADSHEET_ACCOUNTS: bool = configuration.accounts
BROADSHEET_SIGN_UP: str = configuration.sign_up
BROADSHEET_MAIL: bool = bool(configuration.mail_host and configuration.mail_from)
BROADSHEET_ADDRESS: str = configuration.address
BROADSHEET_MAIL_BOUNCES: str = configuration.mail_bounces
BROADSHEET_MAIL_BOUNCES_IMAP: str = configuration.mail_bounces_imap
BROADSHEET_MAIL_PROVIDER: str = "" if configuration.mail_provider == "none" else configuration.mail_provider
BROADSHEET_SUBMISSION_WINDOW: int = configuration.submission_window
BROADSHEET_SUBMISSIONS_PER_DAY: int = configuration.submissions_per_day
BROADSHEET_EVIDENCE_TOKEN: str = configuration.evidence_token
BROADSHEET_HARVEST: tuple[tuple[str, tuple[str, ...]], ...] = configuration.harvest
BROADSHEET_SECRET_FILE: Path = configuration.data / "secret"


def _secret_key() -> str:
    """The key of the settings, else the one kept in the data folder, else one that lives as long as this process.

    `broadsheet up` keeps one before it starts anything; only commands that sign nothing run with the last.
    """
    if configuration.secret_key:
        return configuration.secret_key
    try:
        kept = BROADSHEET_SECRET_FILE.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        kept = ""
    return kept or secrets.token_urlsafe(48)


SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *configuration.allowed_hosts]
ROOT_URLCONF = "broadsheet.config.urls"
WSGI_APPLICATION = "broadsheet.config.wsgi.application"
APPEND_SLASH = False

INSTALLED_APPS = [
    "broadsheet.accounts.apps.AccountsConfig",
    "broadsheet.papers.apps.PapersConfig",
    "broadsheet.ingest.apps.IngestConfig",
    "broadsheet.evidence.apps.EvidenceConfig",
    "broadsheet.community.apps.CommunityConfig",
    "broadsheet.editions.apps.EditionsConfig",
    "broadsheet.library.apps.LibraryConfig",
    "broadsheet.following.apps.FollowingConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.orcid",
    "allauth.usersessions",
]

# Pages of a newspaper are text and compress to a fifth. No page repeats what a reader sent beside a secret, which is
# what attacks on compressed pages need.
MIDDLEWARE = [
    "broadsheet.web.proxies.Forwarded",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "broadsheet.config.headers.ContentSecurityPolicy",
    "broadsheet.config.headers.Delivery",
    "broadsheet.config.headers.Compression",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "broadsheet.web.access.Gate",
    "allauth.account.middleware.AccountMiddleware",
]

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [Path(__file__).parents[1] / "web" / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "broadsheet.web.environment.environment",
            "context_processors": [
                "broadsheet.web.rendering.everywhere",
                "django.contrib.messages.context_processors.messages",
            ],
            "autoescape": True,
            "auto_reload": False,
        },
    },
    # For Django's admin and for forms that bring their own templates; ours are looked for first.
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
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

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": SHORTEST_PASSWORD},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "shown", "email")},
    },
]
LOGIN_URL = links.SIGN_IN
LOGIN_REDIRECT_URL = links.FRONT
LOGOUT_REDIRECT_URL = links.FRONT
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# A cookie is read by no script and sent with no form of another site; over https only where readers come over https.
SESSION_COOKIE_NAME = "session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = configuration.https
SESSION_COOKIE_AGE = 60 * 24 * 3600
CSRF_COOKIE_NAME = "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = configuration.https
CSRF_FAILURE_VIEW = "broadsheet.web.pages.refusals.forged"
X_FRAME_OPTIONS = "DENY"

# The proxy's word that a reader came over https is believed only where there is a proxy on this machine: see
# broadsheet.web.proxies, which takes the header away from everybody else.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if configuration.https else None
SECURE_SSL_REDIRECT = configuration.https
SECURE_REDIRECT_EXEMPT = [links.HEALTH.removeprefix("/") + "$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if configuration.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_HSTS_PRELOAD = False
# Names below ours, and the browsers' own list, are for the operator to decide at the proxy. Frames are refused by
# broadsheet.config.headers.
SILENCED_SYSTEM_CHECKS = ["security.W002", "security.W005", "security.W021"]

# What several processes must know together for a minute or two, such as which codes of an authenticator were used.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": configuration.data / "cache",
        "TIMEOUT": 300,
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if BROADSHEET_MAIL else 'dummy'}.EmailBackend"
EMAIL_HOST = configuration.mail_host
EMAIL_PORT = configuration.mail_port
EMAIL_HOST_USER = configuration.mail_user
EMAIL_HOST_PASSWORD = configuration.mail_password
EMAIL_USE_TLS = configuration.mail_tls == "starttls"
EMAIL_USE_SSL = configuration.mail_tls == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = configuration.mail_from or "nobody@localhost"

# What django-anymail is told of the provider: its key for sending, and what proves that a message is from it.
_PROVIDER_KEYS = {
    "brevo": "BREVO_API_KEY",
    "mailersend": "MAILERSEND_API_TOKEN",
    "mailgun": "MAILGUN_API_KEY",
    "postmark": "POSTMARK_SERVER_TOKEN",
    "sparkpost": "SPARKPOST_API_KEY",
}
_PROVIDER_SECRETS = {"mailersend": "MAILERSEND_SIGNING_SECRET", "mailgun": "MAILGUN_WEBHOOK_SIGNING_KEY"}
# Where those are asked that have a place of their own in Europe.
_PROVIDER_PLACES = {
    ("mailgun", "eu"): {"MAILGUN_API_URL": "https://api.eu.mailgun.net/v3"},
    ("sparkpost", "eu"): {"SPARKPOST_API_URL": "https://api.eu.sparkpost.com/api/v1"},
}
BROADSHEET_MAIL_PROVIDER_SECRET: bool = bool(configuration.mail_provider_secret)
ANYMAIL: dict[str, Any] = (
    {
        _PROVIDER_KEYS[BROADSHEET_MAIL_PROVIDER]: configuration.mail_provider_key,
        **(
            {_PROVIDER_SECRETS[BROADSHEET_MAIL_PROVIDER]: configuration.mail_provider_secret}
            if BROADSHEET_MAIL_PROVIDER in _PROVIDER_SECRETS
            else {"WEBHOOK_SECRET": f"broadsheet:{configuration.mail_provider_secret}"}
        ),
        **_PROVIDER_PLACES.get((BROADSHEET_MAIL_PROVIDER, configuration.mail_provider_region), {}),
        **({"MAILGUN_SENDER_DOMAIN": configuration.mail_from.rpartition("@")[2]} if configuration.mail_from else {}),
    }
    if BROADSHEET_MAIL_PROVIDER
    else {}
)

# How people sign in. Who asks how often is counted by broadsheet.web.rates; what stays here is counted for one account
# whose password is known already.
ACCOUNT_ADAPTER = "broadsheet.web.entrance.Accounts"
SOCIALACCOUNT_ADAPTER = "broadsheet.web.entrance.Elsewhere"
MFA_ADAPTER = "broadsheet.web.entrance.Factors"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "name"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_USER_DISPLAY = "broadsheet.web.entrance.shown_name"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = dict.fromkeys(("login", "signup", "reset_password_from_key"), "") | {
    "login_failed": "5/300s/key",
    "reset_password": "3/900s/key",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = configuration.site_name
MFA_TOTP_TOLERANCE = 1
MFA_RATE_LIMITS = {"webauthn_login": ""}
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = {
    name: {"APPS": [{"client_id": client, "secret": key}] if client and key else [], **further}
    for name, client, key, further in (
        ("github", configuration.github_client, configuration.github_secret, {"SCOPE": ["user:email"]}),
        ("google", configuration.google_client, configuration.google_secret, {"SCOPE": ["email"]}),
        ("orcid", configuration.orcid_client, configuration.orcid_secret, {}),
    )
}

DATABASES: dict[str, dict[str, Any]] = {"default": database(configuration)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
LANGUAGE_CODE = "en-us"

# The address of every static file contains a digest of all of them, so that browsers may keep them for ever, relative
# addresses inside style sheets hold, and an installed package needs no build step.
STATIC_ROOT = Path(__file__).parents[1] / "web" / "static"
STATIC_URL = f"{links.STATIC}{assets.digest(STATIC_ROOT)}/"
WHITENOISE_MAX_AGE = 365 * 24 * 3600
WHITENOISE_IMMUTABLE_FILE_TEST = assets.always
WHITENOISE_ALLOW_ALL_ORIGINS = False


def _of_a_reader(record: logging.LogRecord) -> bool:
    """Make what a reader did wrong, as a foreign Host, a short warning without calls; whether that is still logged."""
    if record.name.startswith("django.security."):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = record.getMessage()[:300], ()
        record.exc_info = record.exc_text = None
    return record.levelno >= logging.getLogger().level


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "broadsheet.config.logs.OneLine"}},
    "filters": {"readers": {"()": "django.utils.log.CallbackFilter", "callback": _of_a_reader}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["readers"]}},
    "root": {"handlers": ["stderr"], "level": configuration.log_level.upper()},
    "loggers": {
        # A missing page is the reader's news, not the operator's; what we refuse is a warning of its own logger.
        "django": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},
    },
}

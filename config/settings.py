"""All settings, read from the environment. Without any variable this is the embedded default:
SQLite, a local media folder, an in-process cache and a broker of files, with no server to install.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from urllib.parse import urlsplit

from environs import validate

from config import tax
from config.accounts import *  # noqa: F403  # Django finds settings by their names
from config.broker import broker
from config.carriers import carrier_settings, verification_hub
from config.database import database
from config.env import BASE_DIR, ConfigurationError, by_plan, env, generated_secret, networks
from config.keys import keys_of_columns
from config.logs import logging_settings
from config.mail import mail_settings
from config.openapi import DOCUMENT
from config.payments import payment_provider, stripe_settings
from config.payouts import adyen_settings
from config.schedule import schedule
from config.storages import storages

# --- Where things are -------------------------------------------------------------------------
HOME = Path(env.str("PRELOVED_HOME", str(BASE_DIR / "var"))).resolve()
HOME.mkdir(parents=True, exist_ok=True)
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
_public = urlsplit(PUBLIC_URL)
if _public.scheme not in ("http", "https") or not _public.hostname:
    raise ConfigurationError(f"PUBLIC_URL is {PUBLIC_URL!r}, should look like https://preloved.example")
HTTPS = _public.scheme == "https"

DATABASE_URL = env.str("DATABASE_URL", "")
REDIS_URL = env.str("REDIS_URL", "")
# A public address or a shared database means that others can reach this, or that there are replicas.
SERVER_MODE = HTTPS or bool(DATABASE_URL)
# The API under /sandbox, which advances the clock and plays bank and carrier; `check --deploy` refuses it.
SANDBOX = env.bool("SANDBOX", not SERVER_MODE)

# --- Security ---------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY:
    if HTTPS:
        raise ConfigurationError(
            "SECRET_KEY is empty: set 50 or more random characters, the same on every replica"
        )
    SECRET_KEY = generated_secret(HOME / "secret_key")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
# Key id -> 32 bytes; the first seals, the others still open (docs/security.md).
ENCRYPTION_KEYS, BLIND_INDEX_KEYS = keys_of_columns(HOME, may_generate=not HTTPS)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", [_public.hostname, "127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [PUBLIC_URL])
CSRF_FAILURE_VIEW = "foundation.views.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
# Health and metrics are asked for inside the network, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.bool("TRUST_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
NUM_PROXIES = env.int("NUM_PROXIES", 0)

# --- Apps -------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "config",
    "foundation",
    "members",
    "listings",
    "balance",
    "orders",
    "dac7",
    "ai_suggestions",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "allauth.usersessions",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "foundation.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "foundation.middleware.ProblemMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "members.api.middleware.AccountEndpointsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database ---------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": database(HOME, url=DATABASE_URL)}

# --- Cache and rate limits --------------------------------------------------------------------
CACHES = {
    "default": {"BACKEND": "foundation.cache.PatientRedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
RATE_LIMIT_STORE = REDIS_URL or "memory://"
RATE_LIMITS = {
    "read": "600/minute",
    "write": "180/minute",
    "upload": "120/minute",
    "stranger": "240/minute",
} | env.dict("RATE_LIMITS", {})

# --- Files ------------------------------------------------------------------------------------
MEDIA_ROOT = HOME / "media"
MEDIA_URL = env.str("MEDIA_URL", "/media/")
S3_BUCKET = env.str("S3_BUCKET", "")
STORAGES = storages(HOME, bucket=S3_BUCKET)
# The media folder is served by us unless a front server or bucket does it.
SERVE_MEDIA = not S3_BUCKET and MEDIA_URL.startswith("/")
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(HOME / "static")))
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Without collectstatic (embedded default, tests) the files are served from the packages.
WHITENOISE_USE_FINDERS = not any(STATIC_ROOT.iterdir())
MAX_PHOTO_BYTES = 20_000_000
MAX_REQUEST_BYTES = MAX_PHOTO_BYTES + 1_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000  # bodies other than files
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

# --- Background work --------------------------------------------------------------------------
CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT, CELERY_BROKER_TRANSPORT_OPTIONS = broker(HOME, REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 150
CELERY_TASK_SOFT_TIME_LIMIT = 120
CELERY_WORKER_MAX_TASKS_PER_CHILD = env.int("WORKER_MAX_TASKS_PER_CHILD", 2000)
# Highest use since the child began, in KiB; above it a fresh child follows the task in hand.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = env.int("WORKER_MAX_MEMORY_KB", 1_500_000)
# A child loads models before it says that it is up; after the default of 4 s a busy machine would kill it.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60.0
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A ring that is not heard costs one sweep of waiting; a request must not hang for it.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "ai_suggestions.tasks.perform_shadow": {"queue": "shadows"},
    "listings.*": {"queue": "photos"},
    "ai_suggestions.tasks.advance_batch": {"queue": "suggestions_batch"},  # the first that fits counts
    "ai_suggestions.*": {"queue": "suggestions"},
    "balance.*": {"queue": "money"},
    "orders.tasks.*_payment*": {"queue": "money"},
    "orders.tasks.*_refund": {"queue": "money"},
    "dac7.*": {"queue": "tax"},
    "foundation.tasks.*_outgoing_*": {"queue": "webhooks"},
}
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = schedule(sandbox=SANDBOX)

# --- The API ----------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["members.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["foundation.api.rendering.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["foundation.api.rendering.JsonParser"],
    "DEFAULT_SCHEMA_CLASS": "foundation.api.schema.Schema",
    "EXCEPTION_HANDLER": "foundation.api.problems.exception_handler",
    "NUM_PROXIES": NUM_PROXIES,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": [
        "foundation.api.rendering.JsonRenderer",
        "rest_framework.renderers.MultiPartRenderer",
    ],
}
SPECTACULAR_SETTINGS = DOCUMENT
WAIT_SLOTS = env.int("WAIT_SLOTS", 8)
EVENT_STREAMS = env.int("EVENT_STREAMS", 500)
WEBHOOK_KEEP_DAYS = env.int("WEBHOOK_KEEP_DAYS", 30)
WEBHOOK_ALLOWED_NETWORKS = networks("WEBHOOK_ALLOWED_NETWORKS", env.list("WEBHOOK_ALLOWED_NETWORKS", []))

# --- Suggestions ------------------------------------------------------------------------------
SUGGESTIONS_PROVIDER = env.str("SUGGESTIONS_PROVIDER", "on_device")
# Read by NumPy when it is loaded, which is later. Its threads mostly spin on arrays as small as ours: without
# them a listing takes a fifth less CPU, and worker processes do not take each other's core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
SUGGESTIONS_WARM_UP = env.bool("SUGGESTIONS_WARM_UP", True)
# A day (UTC), by the member's plan. More runs: 429; more calls: the run does without the LLM.
SUGGESTION_RUNS_PER_DAY = by_plan(env.dict("SUGGESTION_RUNS_PER_DAY", {}), private=200, professional=3000)
SUGGESTION_LLM_CALLS_PER_DAY = by_plan(
    env.dict("SUGGESTION_LLM_CALLS_PER_DAY", {}), private=30, professional=500
)
LLM_BATCH_SHARE = env.float("LLM_BATCH_SHARE", 0.5, validate=validate.Range(0, 1))
# Looks at each photo before it can be shown (listings.photos.checking); empty: nobody does.
PHOTO_CHECK = env.str("PHOTO_CHECK", "ai_suggestions.services.safety.check_content")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", "https://api.openai.com/v1")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", "")
LLM_MODEL = env.str("LLM_MODEL", "")
LLM_TIMEOUT_S = env.float("LLM_TIMEOUT_S", 30.0)
LLM_DAILY_BUDGET = env.str("LLM_DAILY_BUDGET", "")
LLM_PRICES: dict[str, str] = env.dict("LLM_PRICES", {})
if LLM_MODEL and OPENAI_API_KEY and not (LLM_DAILY_BUDGET and LLM_PRICES):
    raise ConfigurationError(
        "LLM_DAILY_BUDGET and LLM_PRICES are needed with OPENAI_API_KEY: a key can spend money"
    )

# --- Money ------------------------------------------------------------------------------------
PAYOUT_PROVIDER = env.str("PAYOUT_PROVIDER", "sandbox")
if PAYOUT_PROVIDER not in ("sandbox", "adyen"):
    raise ConfigurationError(f"PAYOUT_PROVIDER is {PAYOUT_PROVIDER!r}, should be sandbox or adyen")
ADYEN = adyen_settings(is_used=PAYOUT_PROVIDER == "adyen")
PAYMENT_PROVIDER = payment_provider()
STRIPE = stripe_settings(is_used=PAYMENT_PROVIDER == "stripe")
BANK_ACCOUNT_COOL_DOWN_H = env.int("BANK_ACCOUNT_COOL_DOWN_H", 24)

# --- Parcels ----------------------------------------------------------------------------------
CARRIER_PROVIDER, SENDCLOUD = carrier_settings()
SANDBOX_CARRIER_NEEDS_ADDRESSES = env.bool("SANDBOX_CARRIER_NEEDS_ADDRESSES", False)
VERIFICATION_HUB = verification_hub()

# --- Tax --------------------------------------------------------------------------------------
# Where the operator reports; ISO 3166-1 alpha-2.
DAC7_OPERATOR_STATE = env.str("DAC7_OPERATOR_STATE", "LT")
DAC7_DIALECT = tax.dialect()
DAC7_OPERATOR = tax.operator(for_dialect=DAC7_DIALECT)
DAC7_SCHEMA_DIR = env.str("DAC7_SCHEMA_DIR", "")
DAC7_AGE_RECIPIENTS: list[str] = env.list("DAC7_AGE_RECIPIENTS", [])
DAC7_RATES_URL = env.str("DAC7_RATES_URL", "")
VAT_REGISTRY = env.str("VAT_REGISTRY", "vies" if HTTPS else "sandbox")
if VAT_REGISTRY not in ("sandbox", "vies"):
    raise ConfigurationError(f"VAT_REGISTRY is {VAT_REGISTRY!r}, should be sandbox or vies")
VIES_URL = env.str("VIES_URL", "https://ec.europa.eu/taxation_customs/vies/rest-api")

# --- Members (django-allauth; what no variable changes is in config/accounts.py) --------------
TERMS_VERSION = env.str("TERMS_VERSION", "2026-01")
TRAINING_CONSENT_VERSION = env.str("TRAINING_CONSENT_VERSION", "2026-11")
# Staff without an authenticator app cannot open the admin.
ADMIN_REQUIRE_SECOND_FACTOR = env.bool("ADMIN_REQUIRE_SECOND_FACTOR", HTTPS)
# Our mails hold codes, not links, but allauth resolves these while it sends some of them.
HEADLESS_FRONTEND_URLS = {"account_signup": PUBLIC_URL, "account_reset_password": PUBLIC_URL}
# Derived, so that neither key can stand in for the other.
HEADLESS_JWT_PRIVATE_KEY = hmac.digest(SECRET_KEY.encode(), b"members.access_tokens", "sha256").hex()
# One database read per request; in server mode Redis answers it. The cache of a single process
# would let another process go on serving a session that ended.
SESSION_ENGINE = f"django.contrib.sessions.backends.{'cached_db' if REDIS_URL else 'db'}"
ALLAUTH_TRUSTED_PROXY_COUNT = NUM_PROXIES

# --- Languages and time -----------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("lt", "Lietuvių")]

# --- Mail -------------------------------------------------------------------------------------
vars().update(mail_settings(HOME))  # EMAIL_BACKEND and what it needs
EMAIL_TIMEOUT = 10
NOTICE_KEEP_DAYS = env.int("NOTICE_KEEP_DAYS", 365, validate=validate.Range(1))
SUGGESTION_KEEP_DAYS = env.int("SUGGESTION_KEEP_DAYS", 396, validate=validate.Range(30))
ORDER_DETAILS_KEEP_DAYS = env.int("ORDER_DETAILS_KEEP_DAYS", 540, validate=validate.Range(30))
# Where the links of notices lead: the app that members use.
APP_URL = env.str("APP_URL", PUBLIC_URL).rstrip("/")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Preloved <no-reply@preloved.invalid>")

# --- Observability ----------------------------------------------------------------------------
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
# Web workers and Celery children each count for themselves; the files here add them up.
METRICS_DIR = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
WORKER_METRICS_PORT = env.int("WORKER_METRICS_PORT", 0)
LOG_LEVEL = env.str("LOG_LEVEL", "INFO").upper()
LOG_FORMAT = env.str("LOG_FORMAT", "json" if SERVER_MODE else "console")
if LOG_FORMAT not in ("json", "console"):
    raise ConfigurationError(f"LOG_FORMAT is {LOG_FORMAT!r}, should be json or console")
LOGGING = logging_settings(level=LOG_LEVEL, as_json=LOG_FORMAT == "json")

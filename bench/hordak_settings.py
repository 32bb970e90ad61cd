"""Settings of the peer django-hordak, on the same server in a database of its own."""

from __future__ import annotations

import os

import environs

_own = environs.Env().dj_db_url("DATABASE_URL")
SECRET_KEY = "bench"  # noqa: S105  # of a process that answers nobody
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"]
DATABASES = {
    "default": {
        **_own,
        "NAME": os.environ.get("HORDAK_DATABASE", "hordak"),
        "OPTIONS": {"charset": "utf8mb4", "isolation_level": "read committed"},
    }
}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
CURRENCIES = ["EUR"]
HORDAK_CURRENCIES = ["EUR"]

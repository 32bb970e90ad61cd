from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from foundation.wsgi import Handler  # noqa: E402  # needs the settings

application = Handler()

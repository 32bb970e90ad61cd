"""Where files are: local folders, or buckets of S3-compatible storage once S3_BUCKET is set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.env import env


def storages(home: Path, *, bucket: str) -> dict[str, Any]:
    """STORAGES: what everybody may see, and two that nobody but the service reads."""
    return {
        "default": _public(bucket),
        # What members sent, with its metadata: never public, deleted once the renditions are made.
        "originals": _private("originals", home, bucket),
        # Evidence of who members are: encrypted by us before it gets here, kept as long as the law asks.
        "documents": _private("documents", home, bucket),
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
    }


def _public(bucket: str) -> dict[str, Any]:
    if not bucket:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    return {
        "BACKEND": "foundation.buckets.BucketStorage",
        "OPTIONS": _bucket(bucket)
        | {
            "location": "media",
            "querystring_auth": False,
            "custom_domain": env.str("S3_PUBLIC_DOMAIN", "") or None,
            # Names are never reused, so browsers and CDNs may keep a rendition for good.
            "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
        },
    }


def _private(name: str, home: Path, bucket: str) -> dict[str, Any]:
    if bucket:
        options = _bucket(bucket) | {"location": name}
        return {"BACKEND": "foundation.buckets.BucketStorage", "OPTIONS": options}
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(home / name), "base_url": None},
    }


def _bucket(name: str) -> dict[str, Any]:
    return {
        "bucket_name": name,
        "endpoint_url": env.str("S3_ENDPOINT_URL", "") or None,
        "region_name": env.str("S3_REGION", "") or None,
        "access_key": env.str("S3_ACCESS_KEY_ID", "") or None,
        "secret_key": env.str("S3_SECRET_ACCESS_KEY", "") or None,
        "file_overwrite": False,
        "default_acl": None,
    }

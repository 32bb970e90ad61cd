"""Requests per second through the whole WSGI application, against the same SQL sent bare.

The statements of one request are recorded, then replayed through mysqlclient on the same
connection with the same commits: the ratio is what everything above the driver costs.
"""

from __future__ import annotations

import io
import os
import random
import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import django

from bench.figures import Figure, interleaved_rates

LISTINGS = 20_000
SECONDS = 1.5
ROUNDS = 5
# Nothing else runs between the measured requests: one process, one connection, one core.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["LOG_LEVEL"] = "WARNING"
os.environ["RATE_LIMITS"] = "read=100000000/minute,write=100000000/minute,stranger=100000000/minute"

ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
Statement = tuple[str, Any]


class Application:
    """The WSGI application called as a server calls it, without the network."""

    def __init__(self, token: str = "") -> None:
        from django.core.handlers.wsgi import WSGIHandler

        self.handler = WSGIHandler()
        self.token = token

    def request(self, method: str, target: str, body: bytes = b"") -> bytes:
        """Raises RuntimeError unless the answer is 2xx."""
        path, _, query = target.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "HTTP_HOST": "localhost",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if self.token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        status = ""

        def start_response(line: str, headers: Any, error: Any = None, /) -> Callable[[bytes], object]:
            nonlocal status
            status = line
            return lambda written: None

        response = self.handler(environ, start_response)
        content = b"".join(response)
        response.close()
        if not status.startswith("2"):
            raise RuntimeError(f"{method} {target} answered {status}: {content[:500]!r}")
        return content


def recorded(action: Callable[[], object]) -> list[Statement]:
    """What `action` sends to the database, transaction control included."""
    from django.db import connection

    statements: list[Statement] = []

    def record(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    action()  # caches are warm, as in a running process
    with connection.execute_wrapper(record):
        action()
    return statements


def replay(statements: list[Statement]) -> Callable[[], None]:
    """A function that sends the statements bare; rows that it inserts get fresh ids each time."""
    from django.db import connection

    from foundation.ids import new_id

    connection.ensure_connection()
    raw = connection.connection
    inserted = {
        value
        for sql, params in statements
        if sql.startswith("INSERT")
        for value in (params or ())[:1]
        if isinstance(value, str) and ULID.fullmatch(value)
    }
    writes = any(sql.startswith(("INSERT", "UPDATE", "DELETE")) for sql, _ in statements)

    def send() -> None:
        fresh = {old: new_id() for old in inserted}
        cursor = raw.cursor()
        if writes:
            raw.autocommit(False)
        for sql, params in statements:
            cursor.execute(sql, tuple(fresh.get(p, p) if isinstance(p, str) else p for p in params or ()))
            cursor.fetchall()
        if writes:
            raw.commit()
            raw.autocommit(True)

    return send


def sign_in() -> tuple[str, str]:
    """A member of Germany and an access token."""
    from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy
    from django.conf import settings
    from django.contrib.auth import login
    from django.http import HttpRequest
    from django.utils import timezone
    from django.utils.module_loading import import_string

    from members.models import Member
    from members.services import register

    member_id = register(
        email="bench@bench.example",
        password="not-used-here-42",  # noqa: S106  # of a database that is thrown away
        display_name="Bench",
        country="DE",
        language=None,
        time_zone=None,
        terms_version="bench",
        now=timezone.now(),
    )
    member = Member.objects.get(id=member_id)
    request = HttpRequest()
    request.session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")()
    login(request, member, "allauth.account.auth_backends.AuthenticationBackend")
    request.session.save()
    request.user = member
    return member_id, str(JWTTokenStrategy().create_access_token(request))


def make_database(wanted: dict[str, Any]) -> None:
    """The private server has none yet."""
    import MySQLdb

    server = MySQLdb.connect(
        host=wanted["HOST"],
        port=int(wanted["PORT"] or 3306),
        user=wanted["USER"],
        password=wanted["PASSWORD"],
    )
    server.cursor().execute(
        f"CREATE DATABASE `{wanted['NAME']}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci"
    )
    server.close()


def fill(seller_id: str) -> None:
    """LISTINGS active listings, each with a ready cover, spread over the catalogue."""
    from django.utils import timezone

    from listings.models import Brand, Category, Condition, Listing, ListingPhoto

    chance = random.Random(4)
    leaves = list(
        Category.objects.exclude(
            id__in=Category.objects.filter(parent__isnull=False).values("parent")
        ).values_list("id", flat=True)
    )
    brands = list(Brand.objects.values_list("id", flat=True))
    conditions = list(Condition.objects.values_list("id", flat=True))
    now = timezone.now()

    def listings() -> Iterator[Listing]:
        for i in range(LISTINGS):
            at = now - timedelta(seconds=i * 7)
            yield Listing(
                seller_id=seller_id,
                status="active",
                country="DE",
                currency="EUR",
                category_id=chance.choice(leaves),
                brand_id=chance.choice(brands),
                condition_id=chance.choice(conditions),
                title=f"Item {i}",
                description="Worn twice, from a home without smokers.",
                price_minor=chance.randrange(100, 50_000),
                parcel_size="small",
                created_at=at,
                updated_at=at,
                published_at=at,
            )

    made = list(listings())
    Listing.objects.bulk_create(made, batch_size=1000)
    ListingPhoto.objects.bulk_create(
        [
            ListingPhoto(
                listing_id=listing.id,
                position=0,
                status="ready",
                original_sha256="0" * 64,
                original_bytes=2_000_000,
                media_type="image/jpeg",
                stem=f"photos/{listing.id}/bench",
                master_sha256="0" * 64,
                master_width=1536,
                master_height=2048,
                uploaded_at=now,
                processed_at=now,
            )
            for listing in made
        ],
        batch_size=1000,
    )


def main() -> None:
    """Prints the figures."""
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor != "mysql":
        raise SystemExit("Run it as: make bench BENCH=browse (it needs the private MariaDB).")
    settings.ALLOWED_HOSTS = ["localhost"]
    make_database(settings.DATABASES["default"])
    call_command("prepare", verbosity=0)
    seller_id, token = sign_in()
    fill(seller_id)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE listings_listing, listings_listingphoto")
        cursor.fetchall()
    anonymous, member = Application(), Application(token)
    draft = b'{"title":"Blue jacket","description":"Worn twice.","price":{"amount":2500,"currency":"EUR"}}'
    cases: list[tuple[str, Callable[[], object], float]] = [
        ("browse_newest_50", lambda: anonymous.request("GET", "/api/v1/listings?limit=50"), 0.15),
        (
            "browse_department_50",
            lambda: anonymous.request("GET", "/api/v1/listings?limit=50&category=women"),
            0.15,
        ),
        (
            "browse_by_price_50",
            lambda: anonymous.request(
                "GET", "/api/v1/listings?limit=50&currency=EUR&price_min=1000&price_max=3000&sort=price"
            ),
            0.15,
        ),
        ("create_draft", lambda: member.request("POST", "/api/v1/listings", draft), 0.15),
    ]
    for name, action, target in cases:
        statements = recorded(action)
        # A member may have 1,000 drafts, and both sides make them: few enough seconds that they stay below.
        seconds = SECONDS / 5 if name == "create_draft" else SECONDS
        rates = interleaved_rates(
            {"ours": action, "bare": replay(statements)}, rounds=ROUNDS, seconds=seconds
        )
        Figure(
            "browse",
            name,
            rates["ours"],
            "requests/s",
            f"{len(statements)} statements bare: {rates['bare']:.0f}/s",
            rates["ours"] / rates["bare"],
            target,
        ).show()


if __name__ == "__main__":
    main()

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path, register_converter
from django.views.static import serve
from drf_spectacular.views import SpectacularSwaggerView

from foundation import views
from foundation.api.converters import IdConverter
from foundation.api.documentation import SchemaView
from members.api.notices import unsubscribe

register_converter(IdConverter, "id")

admin.site.site_header = admin.site.site_title = "Preloved"
admin.site.index_title = "Members, listings, money, suggestions, taxes"

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", views.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/problems", views.problem_index, name="problem-index"),
    path("api/problems/<slug:code>", views.problem_page, name="problem-page"),
    path("api/v1/", include("foundation.api.webhooks")),
    path("api/v1/", include("foundation.api.sandbox")),
    path("api/v1/", include("members.api.urls")),
    path("api/v1/", include("listings.api.urls")),
    path("api/v1/", include("balance.api.urls")),
    path("api/v1/", include("orders.api.urls")),
    path("api/v1/", include("orders.api.payments_sandbox_urls")),
    path("api/v1/", include("dac7.api.urls")),
    path("api/v1/", include("ai_suggestions.api.urls")),
    path("unsubscribe/<str:token>", unsubscribe, name="unsubscribe"),
    path("_allauth/", include("allauth.headless.urls")),
    path("admin/", admin.site.urls),
]
if settings.SERVE_MEDIA:
    # Embedded default only; in server mode nginx or the bucket serves them (ops/nginx.conf).
    urlpatterns.append(
        re_path(
            rf"^{settings.MEDIA_URL.lstrip('/')}(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}
        )
    )

handler400 = "foundation.views.bad_request"
handler403 = "foundation.views.permission_denied"
handler404 = "foundation.views.not_found"
handler500 = "foundation.views.server_error"

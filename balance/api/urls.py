from __future__ import annotations

from django.urls import URLPattern, path

from balance.api import balances

urlpatterns: list[URLPattern] = [
    path("balance", balances.BalanceView.as_view(), name="balance"),
]

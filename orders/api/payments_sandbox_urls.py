from __future__ import annotations

from django.urls import URLPattern, path

from orders.api import payments_sandbox as sandbox

urlpatterns: list[URLPattern] = [
    path("sandbox/payments/<id:payment_id>/script", sandbox.SandboxPaymentScriptView.as_view()),
    path("sandbox/payments/<id:payment_id>/challenge", sandbox.SandboxChallengeView.as_view()),
    path("sandbox/payments/<id:payment_id>/settle", sandbox.SandboxPaymentSettleView.as_view()),
    path("sandbox/payments/<id:payment_id>/repeat", sandbox.SandboxPaymentRepeatView.as_view()),
    path("sandbox/payments/<id:payment_id>/dispute", sandbox.SandboxDisputeView.as_view()),
    path("sandbox/refunds/<id:refund_id>/settle", sandbox.SandboxRefundSettleView.as_view()),
]

from __future__ import annotations

from django.urls import URLPattern, path

from dac7.api import documents, profiles, statements, status

urlpatterns: list[URLPattern] = [
    path("tax-status", status.TaxStatusView.as_view(), name="tax-status"),
    path("tax-profile", profiles.TaxProfileView.as_view(), name="tax-profile"),
    path("tax-numbers", profiles.TaxNumbersView.as_view(), name="tax-numbers"),
    path("tax-documents", documents.TaxDocumentsView.as_view(), name="tax-documents"),
    path("tax-documents/<id:document_id>", documents.TaxDocumentView.as_view(), name="tax-document"),
    path("tax-statements/<int:year>", statements.TaxStatementView.as_view(), name="tax-statement"),
]

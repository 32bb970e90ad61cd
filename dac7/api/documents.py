"""Evidence: sent and listed. What it shows is read by tax staff only."""

from __future__ import annotations

import dataclasses
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from dac7.api import shapes
from dac7.errors.profiles import TaxDocumentMissing, TaxDocumentTooLarge
from dac7.evidence import MAX_BYTES
from dac7.models import TaxDocument
from dac7.queries.documents import get_document, list_documents
from dac7.services.documenting import send_document
from foundation import clock
from foundation.api.limits import Policy
from foundation.api.views import ApiView

_REFUSED = {
    400: OpenApiResponse(description="`tax_document_missing`: not exactly `kind` and one file, `file`."),
    409: OpenApiResponse(description="`too_many_tax_documents`: there are 20."),
    413: OpenApiResponse(description="`tax_document_too_large`: more than 10 MB, or 60 million pixels."),
    415: OpenApiResponse(
        description="`tax_document_type_not_accepted`, `tax_document_type_mismatch`: by the bytes."
    ),
    422: OpenApiResponse(
        description="`tax_document_unreadable`, `tax_document_encrypted`, `tax_document_has_active_content`."
    ),
}


class TaxDocumentsView(ApiView):
    write_policy = Policy.UPLOAD

    def get_parsers(self) -> list[Any]:
        return [MultiPartParser()]

    @extend_schema(
        operation_id="tax_documents_list",
        summary="The evidence that you have sent",
        responses=shapes.TaxDocumentListSerializer,
    )
    def get(self, request: Request) -> Response:
        documents = list_documents(str(request.user.pk))
        return Response({"results": [dataclasses.asdict(document) for document in documents]})

    @extend_schema(
        operation_id="tax_documents_create",
        summary="Send evidence: a PDF, JPEG or PNG",
        description="At most 10 MB. Pictures are drawn anew, without what cameras write beside them; a PDF "
        "with scripts, actions or attachments is refused. Stored encrypted.",
        request=shapes.DOCUMENT_REQUEST,
        responses={201: shapes.TaxDocumentSerializer, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        files = request.FILES.getlist("file") if request.FILES else []
        said: Any = request.data
        kind = said.get("kind")
        if len(files) != 1 or set(said) != {"kind", "file"} or kind not in TaxDocument.Kind.values:
            raise TaxDocumentMissing
        file = files[0]
        # Before it is read into memory; inspection says the same of what it is handed.
        if (file.size or 0) > MAX_BYTES:
            raise TaxDocumentTooLarge(
                f"The file has {file.size:,} bytes, at most {MAX_BYTES:,} are accepted."
            )
        document = send_document(
            member_id=str(request.user.pk),
            kind=kind,
            content=file.read(),
            declared_type=file.content_type or "",
            file_name=file.name or "",
            now=clock.now(),
        )
        location = reverse("tax-document", kwargs={"document_id": document.id}, request=request)
        return Response(dataclasses.asdict(document), status=201, headers={"Location": location})


class TaxDocumentView(ApiView):
    @extend_schema(
        operation_id="tax_documents_retrieve",
        summary="A piece of evidence of yours",
        responses=shapes.TaxDocumentSerializer,
    )
    def get(self, request: Request, document_id: str) -> Response:
        return Response(dataclasses.asdict(get_document(str(request.user.pk), document_id)))

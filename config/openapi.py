"""How the OpenAPI document describes the service as a whole; the views describe the rest."""

from __future__ import annotations

from typing import Any

DOCUMENT: dict[str, Any] = {
    "TITLE": "Preloved",
    "DESCRIPTION": "The API of a second-hand marketplace: from photo to published listing. "
    "Sign-up, sign-in, tokens and the second factor are [described apart](/_allauth/openapi.json). "
    "Errors are `application/problem+json`, and every code has [a page](/api/problems).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "EXTERNAL_DOCS": {
        "url": "/_allauth/openapi.json",
        "description": "Sign-up, sign-in, tokens, second factor: django-allauth's own document",
    },
    "SERVERS": [{"url": "/"}],
    "TAGS": [
        {"name": "members", "description": "Markets, your account and inbox, blocks, public profiles."},
        {"name": "listings", "description": "The catalogue, drafts, photos, publishing, browsing."},
        {"name": "balance", "description": "Your money: balance, entries, statements, and the ways out."},
        {"name": "orders", "description": "Offers, bundles, checkout, orders, parcels, issues, reviews."},
        {"name": "dac7", "description": "Tax reporting: who you are, evidence, and where you stand."},
        {"name": "ai_suggestions", "description": "Proposals for a listing; the seller decides."},
        {
            "name": "sandbox",
            "description": "What cannot be waited for, driven by its users; 404 unless the service runs with "
            "SANDBOX, which real members' never does.",
        },
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # Without a name here two fields called status would get a number.
    "ENUM_NAME_OVERRIDES": {
        "ListingStatusEnum": "listings.api.shapes.STATUSES",
        "PhotoStatusEnum": "listings.api.shapes.PHOTO_STATUSES",
        "RunStatusEnum": "ai_suggestions.api.shapes.RUN_STATUSES",
        "BatchStatusEnum": "ai_suggestions.api.shapes.BATCH_STATUSES",
        "BatchItemStatusEnum": "ai_suggestions.batch_queries.ITEM_STATUSES",
        "TaxRequestStatusEnum": "dac7.api.status.REQUEST_STATUSES",
        "OfferStatusEnum": "orders.api.shapes.STATUSES",
        "OrderStatusEnum": "orders.api.order_shapes.STATUSES",
        "IssueKindEnum": "orders.models.Issue.Kind",
        "ProposalKindEnum": "orders.models.Proposal.Kind",
        "RoleEnum": "orders.api.shapes.ROLES",
        "TaxCheckStatusEnum": "dac7.api.shapes.CHECK_STATUSES",
        "TaxCheckKindEnum": "dac7.api.shapes.CHECK_KINDS",
        "TaxDocumentStatusEnum": "dac7.api.shapes.DOCUMENT_STATUSES",
        "TaxDocumentKindEnum": "dac7.api.shapes.DOCUMENT_KINDS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "foundation.api.schema.add_conventions",
    ],
}

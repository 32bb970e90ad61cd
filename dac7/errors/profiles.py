"""What can go wrong with tax profiles, evidence and those who look at them. Codes are part of the API."""

from __future__ import annotations

from foundation.errors import (
    Conflict,
    Malformed,
    NotFound,
    RuleBroken,
    TooLarge,
    UnsupportedMedia,
)


class TaxProfileNotFound(NotFound):
    code = "tax_profile_not_found"
    title = "There is no tax profile yet"


class InvalidTaxProfile(RuleBroken):
    """`errors` names every problem at once: docs/dac7.md lists their codes. Nothing was saved."""

    code = "invalid_tax_profile"
    title = "The tax profile is not acceptable"


class TaxDocumentMissing(Malformed):
    """A multipart body with `kind` and exactly one file, in the field `file`."""

    code = "tax_document_missing"
    title = "Send exactly one file"


class TaxDocumentTooLarge(TooLarge):
    code = "tax_document_too_large"
    title = "The document is too large"


class TaxDocumentTypeNotAccepted(UnsupportedMedia):
    """Decided by the bytes: a document is a PDF, a JPEG or a PNG."""

    code = "tax_document_type_not_accepted"
    title = "The document is not a PDF, JPEG or PNG"


class TaxDocumentTypeMismatch(UnsupportedMedia):
    """Its type or name says one thing and its bytes another."""

    code = "tax_document_type_mismatch"
    title = "The document is not what it says it is"


class TaxDocumentUnreadable(RuleBroken):
    code = "tax_document_unreadable"
    title = "The document cannot be read"


class TaxDocumentHasActiveContent(RuleBroken):
    """Scripts, actions, forms that run, attachments: whoever opens a document must not run it."""

    code = "tax_document_has_active_content"
    title = "The document holds something that can run"


class TaxDocumentEncrypted(RuleBroken):
    code = "tax_document_encrypted"
    title = "The document is protected by a password"


class TooManyTaxDocuments(Conflict):
    code = "too_many_tax_documents"
    title = "You have sent as many documents as possible"


class TaxDocumentNotFound(NotFound):
    code = "tax_document_not_found"
    title = "There is no such document"


class CheckNotFound(NotFound):
    code = "tax_check_not_found"
    title = "There is no such check"


class CheckStatusConflict(Conflict):
    """`extra.allowed_actions` says what is possible now."""

    code = "tax_check_status_conflict"
    title = "The check is not in a state that allows this"


class TaxDocumentStatusConflict(Conflict):
    code = "tax_document_status_conflict"
    title = "The document is not in a state that allows this"


class ReasonRequired(RuleBroken):
    """Whoever reads or decides about personal data says why; it is logged."""

    code = "tax_reason_required"
    title = "Say why"


class ExclusionNotPossible(RuleBroken):
    code = "tax_exclusion_not_possible"
    title = "Only entities can be excluded"

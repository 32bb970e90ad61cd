"""What authorities answer."""

from __future__ import annotations

from collections.abc import Iterable


def status(
    message_ref: str,
    *,
    result: str = "Accepted",
    files: Iterable[str] = (),
    records: Iterable[tuple[str, list[str]]] = (),
) -> bytes:
    """A status message of the sandbox authority."""
    errors = "".join(f"<FileError><Code>{code}</Code></FileError>" for code in files)
    for code, refs in records:
        named = "".join(f"<DocRefIDInError>{ref}</DocRefIDInError>" for ref in refs)
        errors += f"<RecordError><Code>{code}</Code><Details>see {code}</Details>{named}</RecordError>"
    return (
        '<DPIStatus_Sandbox xmlns="urn:preloved:dac7:status:v1"><OriginalMessage>'
        f"<OriginalMessageRefID>{message_ref}</OriginalMessageRefID></OriginalMessage>"
        f"<ValidationErrors>{errors}</ValidationErrors>"
        f"<ValidationResult><Status>{result}</Status></ValidationResult></DPIStatus_Sandbox>"
    ).encode()


def oecd_status(message_ref: str, *, code: str, ref: str) -> bytes:
    """One in the form of the OECD's CRS status messages, with an error of one record."""
    return (
        '<c:CRSStatusMessage_OECD xmlns:c="urn:oecd:ties:csm:v2" version="2.0"><c:MessageSpec/>'
        "<c:CrsStatusMessage><c:OriginalMessage>"
        f"<c:OriginalMessageRefID>{message_ref}</c:OriginalMessageRefID></c:OriginalMessage>"
        f"<c:ValidationErrors><c:RecordError><c:Code>{code}</c:Code>"
        f"<c:DocRefIDInError>{ref}</c:DocRefIDInError></c:RecordError></c:ValidationErrors>"
        "<c:ValidationResult><c:Status>Accepted</c:Status><c:ValidatedBy>x</c:ValidatedBy></c:ValidationResult>"
        "</c:CrsStatusMessage></c:CRSStatusMessage_OECD>"
    ).encode()

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


FORMS = {
    "generic": ("GenericStatusMessage_OECD", "urn:oecd:ties:gsm:v1", "GenericStatusMessage"),
    "crs": ("CRSStatusMessage_OECD", "urn:oecd:ties:csm:v2", "CrsStatusMessage"),
}


def oecd_status(
    message_ref: str,
    *,
    code: str,
    ref: str | None,
    form: str = "generic",
    result: str = "Accepted",
    details: str = "",
) -> bytes:
    """One in a form of the OECD's, with an error of one record, or of none that it names."""
    root, namespace, body = FORMS[form]
    named = "" if ref is None else f"<c:DocRefIDInError>{ref}</c:DocRefIDInError>"
    told = f"<c:Details>{details}</c:Details>" if details else ""
    return (
        f'<c:{root} xmlns:c="{namespace}" version="2.0"><c:MessageSpec/>'
        f"<c:{body}><c:OriginalMessage>"
        f"<c:OriginalMessageRefID>{message_ref}</c:OriginalMessageRefID></c:OriginalMessage>"
        f"<c:ValidationErrors><c:RecordError><c:Code>{code}</c:Code>{told}{named}"
        "</c:RecordError></c:ValidationErrors>"
        f"<c:ValidationResult><c:Status>{result}</c:Status><c:ValidatedBy>x</c:ValidatedBy></c:ValidationResult>"
        f"</c:{body}></c:{root}>"
    ).encode()

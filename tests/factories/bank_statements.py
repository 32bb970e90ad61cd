"""Statements as banks write them: ISO 20022 camt.053, versions 02 and 08. All parties are invented."""

from __future__ import annotations

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."
OUT, IN, FEE, BACK = (
    ("PMNT", "ICDT", "ESCT"),
    ("PMNT", "RCDT", "ESCT"),
    ("ACMT", "MDOP", "CHRG"),
    ("PMNT", "ICDT", "RRTN"),
)


def amount(signed: str, currency: str = "EUR") -> str:
    """With its side: ``-20.00`` is a debit."""
    side = "DBIT" if signed.startswith("-") else "CRDT"
    return f'<Amt Ccy="{currency}">{signed.lstrip("-")}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def balance(code: str, signed: str, *, day: str = "2026-03-02", currency: str = "EUR") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{amount(signed, currency)}"
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def codes(domain: str, family: str, sub: str) -> str:
    inner = f"<Fmly><Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly>"
    return f"<BkTxCd><Domn><Cd>{domain}</Cd>{inner}</Domn></BkTxCd>"


def entry(
    signed: str,
    ref: str,
    details: str = "",
    *,
    code: tuple[str, str, str] = OUT,
    more: str = "",
    status: str = "<Cd>BOOK</Cd>",
    day: str = "2026-03-02",
    currency: str = "EUR",
) -> str:
    """Of version 08; a bank's reference may be empty."""
    own = f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else ""
    inside = f"<NtryDtls>{details}</NtryDtls>" if details else ""
    return (
        f"<Ntry>{amount(signed, currency)}<Sts>{status}</Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<ValDt><Dt>{day}</Dt></ValDt>{own}{codes(*code)}{more}{inside}</Ntry>"
    )


def transaction(reference: str, *, own: str = "", money: str = "", more: str = "") -> str:
    refs = f"<Refs>{own and f'<AcctSvcrRef>{own}</AcctSvcrRef>'}<EndToEndId>{reference}</EndToEndId></Refs>"
    party = "<RltdPties><Cdtr><Pty><Nm>Ona Example</Nm></Pty></Cdtr></RltdPties>"
    return f"<TxDtls>{refs}{money}{party}{more}</TxDtls>"


def charge(of: str, *, inside: bool = True) -> str:
    """Of version 08."""
    return (
        f'<Chrgs><Rcrd><Amt Ccy="EUR">{of}</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
        f"<ChrgInclInd>{str(inside).lower()}</ChrgInclInd></Rcrd></Chrgs>"
    )


def one_statement(
    opening: str, closing: str, *entries: str, period: str = "", name: str = "2026/042", currency: str = "EUR"
) -> str:
    return (
        f"<Stmt><Id>{name}</Id><ElctrncSeqNb>42</ElctrncSeqNb><CreDtTm>2026-03-03T01:00:00</CreDtTm>{period}"
        f"<Acct><Id><IBAN>LT121000011101001000</IBAN></Id><Ccy>{currency}</Ccy></Acct>"
        f"{balance('OPBD', opening, currency=currency)}{balance('CLBD', closing, currency=currency)}"
        f"{''.join(entries)}</Stmt>"
    )


def message(*statements: str, version: str = "08") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="{NAMESPACE}{version}"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>M-20260303</MsgId><CreDtTm>2026-03-03T01:00:00</CreDtTm></GrpHdr>"
        f"{''.join(statements)}</BkToCstmrStmt></Document>\n"
    ).encode()


def statement(opening: str, closing: str, *entries: str, period: str = "", version: str = "08") -> bytes:
    """A file of one statement of 2 March 2026."""
    return message(one_statement(opening, closing, *entries, period=period), version=version)


OURS, OTHER = "01J8ZC0000000000000000000A", "01J8ZC0000000000000000000B"
ROUND = "DON01J8ZC0000000000000000000CR1"

# As a bank writes it: a transfer, a batch of two, what came back, the account's price, what is to come.
WHOLE_DAY = statement(
    "1000.00",
    "972.75",
    entry("-20.00", "B-1", transaction(OURS)),
    entry(
        "-12.00",
        "B-2",
        "<Btch><NbOfTxs>2</NbOfTxs></Btch>"
        + transaction(OTHER, own="B-2-1", money='<Amt Ccy="EUR">7.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>')
        + transaction(ROUND, own="B-2-2", money='<Amt Ccy="EUR">5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>'),
    ),
    entry("7.00", "B-3", transaction(OTHER, more="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"), code=BACK),
    entry("-2.25", "B-4", code=FEE),
    entry("-99.00", "B-5", transaction(OURS), status="<Cd>PDNG</Cd>"),
)

"""Figures of filings."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

FILING_MOVES = Counter("preloved_dac7_filing_moves_total", "Steps that filings have taken", ["verb"])
FINDINGS = Counter("preloved_dac7_filing_findings_total", "Rules that filings broke when checked", ["rule"])
COMPILE_SECONDS = Histogram(
    "preloved_dac7_filing_compile_seconds",
    "From the claim to the frozen files of a filing",
    buckets=(1, 5, 15, 60, 300, 900, 1800, 3600),
)
VALIDATE_SECONDS = Histogram(
    "preloved_dac7_filing_validate_seconds",
    "Writing and checking all files of a filing",
    buckets=(1, 5, 15, 60, 300, 900, 1800, 3600),
)
EXPORTS = Counter("preloved_dac7_filing_exports_total", "Files of filings given out", ["form"])
ANSWERS = Counter("preloved_dac7_filing_answers_total", "Status messages of authorities", ["outcome"])
STATEMENTS = Counter("preloved_dac7_statements_total", "Copies given to sellers", ["form"])
STATEMENTS_ANNOUNCED = Counter("preloved_dac7_statements_announced_total", "Sellers told of their copy")
CORRECTIONS_DUE = Gauge(
    "preloved_dac7_corrections_due",
    "Sellers who changed since the authority was told, by what changed",
    ["what"],
    multiprocess_mode="mostrecent",
)
DUE_DAYS = Gauge(
    "preloved_dac7_filing_due_days",
    "Days until last year's report is due, below zero once late; +Inf when handed in and not refused",
    multiprocess_mode="mostrecent",
)

"""Counters and gauges of the balance, at /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

POSTINGS = Counter("preloved_balance_postings_total", "Business facts recorded in the ledger", ["event"])
POSTINGS_REPLAYED = Counter(
    "preloved_balance_postings_replayed_total", "Postings whose key was recorded before; nothing was done"
)
HOLDS = Counter("preloved_balance_holds_total", "Money set aside, and how it ended", ["outcome"])
HOLDS_STUCK = Counter("preloved_balance_holds_stuck_total", "Expired holds that could not be given back")
STATEMENTS = Counter("preloved_balance_statements_total", "Monthly statements given", ["format"])
BANK_ACCOUNTS_REFUSED = Counter(
    "preloved_balance_bank_account_problems_total", "What kept bank accounts from being added", ["code"]
)
WITHDRAWAL_MOVES = Counter("preloved_balance_withdrawal_moves_total", "Changes of status", ["verb", "actor"])
# Measured by one sweep at a time; of several processes' figures the latest is true.
WITHDRAWALS_OPEN = Gauge(
    "preloved_balance_withdrawals_open",
    "Withdrawals under way",
    ["status"],
    multiprocess_mode="mostrecent",
)
OLDEST_SENT_SECONDS = Gauge(
    "preloved_balance_oldest_sent_withdrawal_seconds",
    "Since when the outcome of a withdrawal has been open at the bank",
    multiprocess_mode="mostrecent",
)
WITHDRAWAL_CASES = Counter(
    "preloved_balance_withdrawal_cases_total",
    "Contradictions of the bank that a person has to look at",
    ["kind"],
)
PAYOUT_CALLS = Counter("preloved_balance_payout_calls_total", "Calls to the bank", ["provider", "outcome"])
PAYOUT_CALL_SECONDS = Histogram(
    "preloved_balance_payout_call_seconds",
    "How long the bank took to answer, or not to",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30),
)
PAYOUT_REPORTS = Counter(
    "preloved_balance_payout_reports_total",
    "What answers and callbacks of the bank did",
    ["provider", "effect"],
)
AUDIT_FINDINGS = Gauge(
    "preloved_balance_audit_findings",
    "What the latest audit of the ledger found, by what was checked; anything but 0 is an emergency",
    ["check"],
    multiprocess_mode="mostrecent",
)
AUDITED_AT = Gauge(
    "preloved_balance_audited_timestamp_seconds",
    "When the ledger was audited last, seconds since 1970, by what was checked",
    ["check"],
    multiprocess_mode="mostrecent",
)
CORRECTIONS = Counter("preloved_balance_corrections_total", "Corrections of the ledger", ["kind", "verb"])
SETTLEMENT_CASES = Counter(
    "preloved_balance_settlement_cases_total",
    "How lines of settlement files compare with the ledger",
    ["provider", "status"],
)
DONATIONS = Counter(
    "preloved_balance_donations_total", "Donations, and what became of them", ["kind", "verb"]
)
DONATION_SETTLEMENT_MOVES = Counter(
    "preloved_balance_donation_settlement_moves_total",
    "Changes of status of payments to charities",
    ["verb", "actor"],
)
DONATION_SETTLEMENTS_OPEN = Gauge(
    "preloved_balance_donation_settlements_open",
    "Payments to charities that are not done",
    ["status"],
    multiprocess_mode="mostrecent",
)
DONATION_SETTLEMENT_CASES = Counter(
    "preloved_balance_donation_settlement_cases_total",
    "Payments to charities that a person has to look at",
    ["kind"],
)

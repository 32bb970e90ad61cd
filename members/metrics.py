from __future__ import annotations

from prometheus_client import Counter, Gauge

SIGN_UPS = Counter("preloved_members_sign_ups_total", "Accounts made, by country", ["country"])
SIGN_INS = Counter("preloved_members_sign_ins_total", "Completed sign-ins")
SIGN_IN_FAILURES = Counter(
    "preloved_members_sign_in_failures_total",
    "Refused sign-ins, by what was wrong",
    ["reason"],
)
MAILS_REFUSED = Counter("preloved_members_mails_refused_total", "Account mails the mail server refused")
BLOCKS = Counter("preloved_members_blocks_total", "Members blocked")
RESTRICTIONS = Counter(
    "preloved_members_restrictions_total", "Restrictions set and lifted", ["capability", "event"]
)
NOTICES = Counter(
    "preloved_members_notices_total", "Notices written; one that is asked for twice counts twice", ["kind"]
)
NOTICE_MAILS = Counter(
    "preloved_members_notice_mails_total",
    "Attempts to mail a notice, by what came of it: sent, postponed, given_up, unwanted",
    ["kind", "outcome"],
)
NOTICE_MAIL_OVERDUE_SECONDS = Gauge(
    "preloved_members_notice_mail_overdue_seconds",
    "How long the mail has been due that no worker has taken up for the longest time",
    multiprocess_mode="mostrecent",
)

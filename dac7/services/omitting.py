"""Leaves sellers out of a filing for now who never said who they are: without them it would be late for all.

They stay asked, withheld from and reportable. The next filing of the year takes them in as new, by itself.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from dac7.errors.filings import FilingNotReady, FilingWouldBeNil, NobodyToOmit
from dac7.lifecycle.filings import STAFF, FilingStatus
from dac7.models.filings import Filing, FilingFinding, FilingOmission, FilingRecord, RecordedMember
from dac7.queries.profiles import list_tax_subjects
from dac7.services.approving import collect_again, locked_for
from dac7.services.diligence import record
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

OMIT = "omit"


@atomic_retry
def omit_silent_sellers(*, filing_id: str, staff_id: str, reason: str, now: datetime) -> int:
    """Of the records that break a rule, leave those out whose sellers owe us information; compile anew.

    Gives how many. Two persons approve what is left, with the list before them. Raises FilingNotFound,
    FilingNotReady (nothing was checked and found wrong), NobodyToOmit, FilingWouldBeNil, ReasonMissing.
    """
    filing, row = locked_for(filing_id, "reopen", STAFF)
    if filing.status != FilingStatus.COMPILED or filing.checked_at is None:
        raise FilingNotReady(f"{filing} is {filing.status}; sellers are left out of what was checked.")
    silent = _silent(filing)
    if not silent:
        raise NobodyToOmit
    if not FilingRecord.objects.filter(filing=filing).exclude(seller_id__in=silent).exists():
        raise FilingWouldBeNil
    collect_again(filing, row, reason)
    by = f"staff:{staff_id}"
    FilingOmission.objects.bulk_create(
        [
            FilingOmission(filing=filing, seller_id=id_, omitted_at=now, omitted_by=by, reason=reason.strip())
            for id_ in silent
        ],
        ignore_conflicts=True,
    )
    for seller_id in silent:
        record(
            member_id=seller_id,
            year=filing.year,
            verb=OMIT,
            actor=by,
            now=now,
            notice="",
            params={},
            key="",
            note=reason.strip(),
        )
    logger.info("filing_sellers_omitted", filing_id=filing.id, sellers=len(silent), actor=by)
    return len(silent)


def _silent(filing: Filing) -> list[str]:
    """Sellers in error of whom no account has told everything; in order."""
    refs = FilingFinding.objects.filter(filing=filing, is_warning=False).exclude(doc_ref="")
    rows = RecordedMember.objects.filter(
        record__filing=filing, record__doc_ref__in=refs.values_list("doc_ref", flat=True)
    )
    accounts: dict[str, list[str]] = {}
    for seller_id, member_id in rows.values_list("record__seller_id", "member_id"):
        accounts.setdefault(seller_id, []).append(member_id)
    subjects = list_tax_subjects([member_id for own in accounts.values() for member_id in own])
    return sorted(
        seller_id
        for seller_id, own in accounts.items()
        if not any(member_id in subjects and subjects[member_id].is_complete for member_id in own)
    )

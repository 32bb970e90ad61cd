"""What has changed since an authority was told: whether the year has to be corrected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dac7.lifecycle.filings import FilingStatus
from dac7.models import LateChange, TaxProfile
from dac7.models.filings import Filing, FilingOmission, RecordedMember

_S = FilingStatus
_TOLD: Final = (*(_S.UNCHANGED, _S.FILED, _S.ACCEPTED, _S.PARTLY_ACCEPTED, _S.REJECTED, _S.CORRECTED),)


@dataclass(frozen=True, slots=True)
class CorrectionsDue:
    """Sellers who changed since the year was last compiled for the authority; each may be nothing after all.

    ``sales``: of whom sales were taken back or given back. ``profiles``: who were reported and changed their
    tax profile. ``answers``: who were left out and have said who they are.
    """

    year: int
    since: datetime
    sales: int
    profiles: int
    answers: int

    @property
    def sellers(self) -> int:
        """All of them; who is in two counts twice."""
        return self.sales + self.profiles + self.answers


def find_corrections_due(year: int) -> CorrectionsDue | None:
    """None while nothing was filed for the year."""
    last = Filing.objects.filter(year=year, status__in=_TOLD).order_by("-number").first()
    if last is None or last.compiled_at is None:
        return None
    since = last.compiled_at
    changed = TaxProfile.objects.filter(changed_at__gte=since)
    reported = RecordedMember.objects.filter(record__filing__year=year, record__standing_key__isnull=False)
    omitted = FilingOmission.objects.filter(filing=last)
    return CorrectionsDue(
        year=year,
        since=since,
        sales=LateChange.objects.filter(year=year, changed_at__gte=since).count(),
        profiles=changed.filter(member_id__in=reported.values("member_id")).count(),
        answers=changed.filter(member_id__in=omitted.values("seller_id")).count(),
    )


def list_filed_years() -> list[int]:
    """Years of which an authority was told something, the latest first."""
    return sorted(set(Filing.objects.filter(status__in=_TOLD).values_list("year", flat=True)), reverse=True)

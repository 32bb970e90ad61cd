"""What has changed since an authority was told: whether the year has to be corrected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from dac7.lifecycle.filings import FilingStatus, RecordStatus
from dac7.models import LateChange, TaxProfile
from dac7.models.filings import Filing, FilingMessage, FilingOmission, FilingRecord, RecordedMember
from dac7.queries.filings import OPERATOR_ERROR

_S = FilingStatus
_REOPENED: Final = (_S.COMPILED, _S.VALIDATED, _S.APPROVED)
_TAKEN: Final = (_S.FILED, _S.ACCEPTED, _S.PARTLY_ACCEPTED, _S.CORRECTED)
_TOLD: Final = (*_TAKEN, _S.UNCHANGED, _S.REJECTED)


@dataclass(frozen=True, slots=True)
class CorrectionsDue:
    """Sellers who changed since the year was last compiled for the authority; each may be nothing after all.

    ``sales``: of whom sales were taken back or given back. ``profiles``: who were reported and changed their
    tax profile. ``answers``: who were left out and have said who they are. ``refused``: records that the
    authority has not taken, and nobody has sent again.
    """

    year: int
    since: datetime
    sales: int
    profiles: int
    answers: int
    refused: int

    @property
    def sellers(self) -> int:
        """All of them; who is in two counts twice."""
        return self.sales + self.profiles + self.answers + self.refused


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
        refused=_count_refused(last),
    )


@dataclass(frozen=True, slots=True)
class ChangedSince:
    """What happened since the figures of a filing were frozen: it would say something else if reopened."""

    sales: int
    profiles: int


def find_changes_since(filing: Filing) -> ChangedSince | None:
    """While a filing can still be reopened; None before it is frozen, and once it has left the house."""
    if filing.status not in _REOPENED or filing.compiled_at is None:
        return None
    told = RecordedMember.objects.filter(record__filing=filing).values("member_id")
    omitted = FilingOmission.objects.filter(filing=filing).values("seller_id")
    changed = TaxProfile.objects.filter(changed_at__gte=filing.compiled_at)
    return ChangedSince(
        sales=LateChange.objects.filter(year=filing.year, changed_at__gte=filing.compiled_at).count(),
        profiles=changed.filter(Q(member_id__in=told) | Q(member_id__in=omitted)).count(),
    )


def _count_refused(last: Filing) -> int:
    """Records of the year's last filing: a later one would have sent those of earlier ones again."""
    refused = (RecordStatus.IN_ERROR, RecordStatus.REJECTED)
    # A nil return has no record but the operator's.
    operators = FilingMessage.objects.filter(filing=last).filter(
        Q(status=RecordStatus.REJECTED, seller_count=0) | Q(answer_codes__contains=OPERATOR_ERROR)
    )
    return FilingRecord.objects.filter(filing=last, status__in=refused).count() + operators.count()


def is_reported(year: int) -> bool:
    """Whether the authority has the year's report, or is to answer it. One that it refused does not count."""
    return Filing.objects.filter(year=year, status__in=_TAKEN).exists()


def list_filed_years() -> list[int]:
    """Years of which an authority was told something, the latest first."""
    return sorted(set(Filing.objects.filter(status__in=_TOLD).values_list("year", flat=True)), reverse=True)

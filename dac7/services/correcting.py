"""Opens a filing that corrects: what differs from what the authority holds, and nothing else."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from dac7.errors.filings import FilingOpen, NothingFiledYet
from dac7.models.filings import Filing
from dac7.services.compiling import opening_values
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)


@atomic_retry
def open_correction(*, year: int, by: str, reason: str, now: datetime) -> str:
    """A filing in which changed sellers are corrected, former ones deleted, new and refused ones reported.

    Raises NothingFiledYet, FilingOpen (one is not finished, or the authority has not answered it),
    ReasonMissing, DialectUnknown.
    """
    state = settings.DAC7_OPERATOR_STATE
    last = Filing.objects.filter(state=state, year=year).order_by("-number").first()
    if last is None:
        raise NothingFiledYet(f"Nothing was filed for {year} in {state}.")
    if last.open_key is not None:
        raise FilingOpen(f"{last} is {last.status}.")
    values = opening_values(state=state, year=year, by=by, reason=reason, now=now)
    try:
        with transaction.atomic():
            filing = Filing.objects.create(state=state, year=year, number=last.number + 1, **values)
    except IntegrityError:
        raise FilingOpen(f"Somebody else has just opened a correction for {year}.") from None
    logger.info("filing_opened", filing_id=filing.id, year=year, state=state)
    return str(filing.id)

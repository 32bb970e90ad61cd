"""Staff's word on measured certainties: what counts for the provider from now on."""

from __future__ import annotations

import datetime as dt

import structlog

from ai_suggestions.errors import CalibrationDecided
from ai_suggestions.evaluation.tables import CalibrationFigure
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)


@atomic_retry
def approve_calibration(*, figure_id: str, approved_by: str, now: dt.datetime) -> None:
    """Let the provider use a figure; another one of the same certainty counts no more.

    Raises CalibrationDecided when it was approved before.
    """
    figure = CalibrationFigure.objects.select_for_update().get(id=figure_id)
    if figure.approved_at is not None:
        raise CalibrationDecided("Measure again to have a figure to approve.")
    same = CalibrationFigure.objects.filter(
        provider=figure.provider,
        step_version=figure.step_version,
        field=figure.field,
        certainty=figure.certainty,
        is_approved=True,
    )
    same.update(is_approved=None, withdrawn_at=now)
    CalibrationFigure.objects.filter(id=figure_id).update(
        is_approved=True, approved_at=now, approved_by=approved_by
    )
    logger.info("calibration_approved", figure_id=figure_id, approved_by=approved_by)


@atomic_retry
def withdraw_calibration(*, figure_id: str, withdrawn_by: str, now: dt.datetime) -> None:
    """The figure counts no more; what the model says is offered as a choice again.

    Raises CalibrationDecided when it does not count.
    """
    standing = CalibrationFigure.objects.filter(id=figure_id, is_approved=True)
    if not standing.update(is_approved=None, withdrawn_at=now):
        raise CalibrationDecided("It is not approved.")
    logger.info("calibration_withdrawn", figure_id=figure_id, withdrawn_by=withdrawn_by)

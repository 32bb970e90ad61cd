"""Doorbells: each makes one service call, and is safe to ring twice."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from dac7.services import (
    advancing,
    announcing,
    closing,
    diligence,
    erasing,
    forgetting,
    profiling,
    rates,
    rechecking,
    sharing,
    verifying,
    watching,
)
from foundation import clock
from foundation.doorbell import ring


@shared_task
def ask_registry(check_id: str) -> None:
    """Rung when a seller gave a number that a registry knows, and by the sweeper."""
    verifying.ask_registry(check_id=check_id, now=clock.now())


@shared_task
def sweep_profile_checks() -> None:
    """Every minute: registries that did not answer, and confirmations that grew old."""
    verifying.sweep_checks(now=clock.now())


@shared_task
def review_shared_numbers() -> None:
    """Every day: numbers that several members have."""
    sharing.review_shared_numbers(now=clock.now())


@shared_task
def review_holders() -> None:
    """Every day: bank accounts that were added after the profile."""
    profiling.review_holders(now=clock.now())


@shared_task
def purge_dossiers() -> None:
    """Every day; something happens in January."""
    erasing.purge_dossiers(now=clock.now())


@shared_task
def watch_sales() -> None:
    """Every minute: who sold for the first time, comes near the limits, or is over one."""
    watching.watch_sales(now=clock.now())


@shared_task
def tell_offering_sellers() -> None:
    """Every minute: who put something on offer hears of the rules before selling."""
    watching.tell_offering_sellers(now=clock.now())


@shared_task
def sweep_information_requests() -> None:
    """Every minute: reminders, and withdrawals to be held."""
    diligence.sweep_requests(now=clock.now())


@shared_task
def enforce_stops() -> None:
    """Rung by staff, and every hour: what stopped sellers have on offer, and their other accounts."""
    closing.enforce_stops(now=clock.now())


@shared_task
def note_late_changes() -> None:
    """Every hour: refunds of years that are over, after which a correction is due."""
    rechecking.note_late_changes(now=clock.now())


# Reads everybody's year; other tasks are ended after two minutes.
@shared_task(soft_time_limit=3000, time_limit=3060)
def check_quarter() -> None:
    """Every day; something happens once a quarter is over."""
    watching.check_quarter(now=clock.now())


@shared_task
def fetch_exchange_rates() -> None:
    """Every few hours, if DAC7_RATES_URL is set."""
    if settings.DAC7_RATES_URL:
        rates.fetch_rates(url=settings.DAC7_RATES_URL, now=clock.now())


@shared_task
def open_january_filing() -> None:
    """Every hour; in January the filing of the year before is opened, once."""
    advancing.open_january_filing(now=clock.now())


# Minutes for hundreds of thousands of sellers; other tasks are ended after two.
@shared_task(soft_time_limit=7200, time_limit=7260)
def advance_filing(filing_id: str) -> None:
    """Rung by staff and by the sweeper: compiles, then checks."""
    advancing.advance_filing(filing_id=filing_id, now=clock.now())


@shared_task
def sweep_filings() -> None:
    """Every few minutes: filings that no worker has, and those whose worker died."""
    for filing_id in advancing.list_waiting(now=clock.now()):
        ring(advance_filing, filing_id)


@shared_task
def announce_statements() -> None:
    """Every minute: sellers are told of their copy once a filing is approved."""
    announcing.announce_statements(now=clock.now())


@shared_task
def forget_filing_records() -> None:
    """Every day; something happens in January."""
    now = clock.now()
    forgetting.forget_records(now=now)
    forgetting.forget_figures(now=now)

"""What beat rings for. Every task here sweeps rows: a ring that is lost is made up for by the next one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

EVERY = {
    "foundation.tasks.purge_idempotency_records": timedelta(hours=1),
    "foundation.tasks.sweep_incoming_events": timedelta(seconds=5),
    "foundation.tasks.purge_incoming_bodies": timedelta(days=1),
    "foundation.tasks.sweep_outgoing_events": timedelta(seconds=5),
    "foundation.tasks.forget_outgoing_events": timedelta(days=1),
    "ai_suggestions.tasks.sweep_runs": timedelta(seconds=5),
    "ai_suggestions.tasks.sweep_photo_checks": timedelta(seconds=10),
    "ai_suggestions.tasks.refresh_photo_checks": timedelta(days=1),
    "ai_suggestions.tasks.sweep_shadows": timedelta(minutes=1),
    "ai_suggestions.tasks.roll_up_acceptance": timedelta(hours=1),
    "ai_suggestions.tasks.forget_readings": timedelta(days=1),
    "ai_suggestions.tasks.forget_runs": timedelta(days=1),
    "ai_suggestions.tasks.forget_llm_calls": timedelta(days=1),
    "members.tasks.forget_expired_sessions": timedelta(days=1),
    "members.tasks.send_notice_mails": timedelta(seconds=5),
    "members.tasks.forget_notices": timedelta(days=1),
    "listings.tasks.sweep_photos": timedelta(seconds=10),
    "listings.tasks.sweep_deadlines": timedelta(minutes=1),
    "listings.tasks.remove_orphans": timedelta(hours=1),
    "orders.tasks.sweep_offers": timedelta(seconds=10),
    "orders.tasks.sweep_orders": timedelta(seconds=5),
    "orders.tasks.remind_of_orders": timedelta(minutes=5),
    "orders.tasks.forget_details": timedelta(hours=1),
    "orders.tasks.measure_cases": timedelta(minutes=1),
    "orders.tasks.sweep_payments": timedelta(seconds=5),
    "orders.tasks.sweep_parcels": timedelta(seconds=10),
    "orders.tasks.remind_of_offers": timedelta(minutes=15),
    "balance.tasks.expire_holds": timedelta(seconds=10),
    "balance.tasks.sweep_withdrawals": timedelta(seconds=10),
    "balance.tasks.settle_donations": timedelta(hours=1),
    "balance.tasks.sweep_donation_settlements": timedelta(minutes=1),
    "balance.tasks.seal_ledger_days": timedelta(hours=1),
    "balance.tasks.audit_ledger": timedelta(days=1),
    "dac7.tasks.watch_sales": timedelta(minutes=1),
    "dac7.tasks.tell_offering_sellers": timedelta(minutes=1),
    "dac7.tasks.sweep_information_requests": timedelta(minutes=1),
    "dac7.tasks.enforce_stops": timedelta(hours=1),
    "dac7.tasks.note_late_changes": timedelta(hours=1),
    "dac7.tasks.check_quarter": timedelta(days=1),
    "dac7.tasks.fetch_exchange_rates": timedelta(hours=6),
    "dac7.tasks.sweep_profile_checks": timedelta(minutes=1),
    "dac7.tasks.purge_dossiers": timedelta(days=1),
    "dac7.tasks.review_shared_numbers": timedelta(days=1),
    "dac7.tasks.review_holders": timedelta(days=1),
    "dac7.tasks.open_january_filing": timedelta(hours=1),
    "dac7.tasks.sweep_filings": timedelta(minutes=5),
    "dac7.tasks.announce_statements": timedelta(minutes=1),
    "dac7.tasks.forget_filing_records": timedelta(days=1),
}
SANDBOX_EVERY = {"foundation.tasks.advance_sandbox_clock": timedelta(seconds=5)}


def schedule(*, sandbox: bool) -> dict[str, Any]:
    """CELERY_BEAT_SCHEDULE. A ring that no worker hears before the next one is due is dropped, or a worker
    that comes back after a night would first sweep thousands of times.
    """
    return {
        task: {"task": task, "schedule": every, "options": {"expires": every.total_seconds()}}
        for task, every in (EVERY | (SANDBOX_EVERY if sandbox else {})).items()
    }

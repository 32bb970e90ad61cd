"""Holding a listing against the rules, with what they have to know."""

from __future__ import annotations

import datetime as dt

from listings import metrics, rules
from listings.errors import InvalidListing
from listings.queries import ListingFacts, catalogue_snapshot, find_price_rules
from listings.rules import Stage
from members.queries import MemberFacts, get_member_facts


def require_rules_kept(
    facts: ListingFacts, *, stage: Stage, now: dt.datetime, seller: MemberFacts | None = None
) -> None:
    """Raises InvalidListing with every broken rule. `seller` spares a statement where it is known already."""
    seller = seller or get_member_facts(facts.seller_id)
    context = rules.Context(
        catalogue=catalogue_snapshot(),
        prices=find_price_rules(country=facts.country, on_date=now.date()),
        seller_is_verified=seller.is_verified,
    )
    problems = rules.problems_of(facts, stage=stage, context=context)
    if problems:
        if stage is Stage.PUBLISH:
            for problem in problems:
                metrics.PUBLISH_REFUSALS.labels(problem.code).inc()
        fields = ", ".join(dict.fromkeys(problem.pointer.split("/")[1] for problem in problems))
        raise InvalidListing(f"Please look at: {fields}.", errors=problems)

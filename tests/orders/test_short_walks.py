"""What a short walk seldom meets in one order, as rows of a table, with the model of the walk beside it."""

from __future__ import annotations

import copy
import itertools
from datetime import timedelta

import pytest
from django.db import transaction

from balance.services.posting import forget_opened_accounts
from orders.lifecycle import OrderStatus as S
from orders.providers.payments.contract import DisputeOutcome
from orders.services.selling import MOST_REFUSALS
from tests.factories.orders import load_small_world
from tests.orders.test_order_walk import STAGES, Orders

OPENED, WON, LOST = DisputeOutcome.OPENED, DisputeOutcome.WON, DisputeOutcome.LOST
# In the wallet, and what the bank takes first; 0: all that the card has paid.
TAKEN = [(0, 0), (0, 700), (0, 1900), (1000, 0), (1000, 700)]
# A part and what the bank takes are more than the item in some rows, and less than was paid.
DECIDED = [("refund_part", 1500), ("refund_part", 500), ("refund", 0), ("uphold_sale", 0)]
SECOND_MINOR = 970
ENDINGS = {"lost": [(1, LOST), (2, OPENED)], "won": [(2, OPENED), (1, WON), (2, WON)]}


def quarrel(walk: Orders, cents: int, verb: str, part: int, ending: str) -> None:
    """The bank takes the order's money, support decides, the bank takes more, and gives it back or not."""
    walk.the_bank_says(0, OPENED, 1, cents, times=1)
    walk.every_cent_is_where_it_belongs()
    [shadow] = walk.orders
    if shadow.order().status in (S.ISSUE_OPEN, S.UNDER_REVIEW):
        walk.support(shadow, verb, part)
    else:
        walk.support_refunds(0, part)
    walk.every_cent_is_where_it_belongs()
    for number, outcome in ENDINGS[ending]:
        walk.the_bank_says(0, outcome, number, SECOND_MINOR, times=1)
        walk.every_cent_is_where_it_belongs()


class TestQuarrels:
    @pytest.mark.parametrize("stage", ["completed", "objected"])
    def test_lose_no_cent(self, db: None, stage: str) -> None:
        load_small_world()
        for in_wallet, rows in itertools.groupby(TAKEN, key=lambda row: row[0]):
            walk = Orders()
            walk.sell((2000, in_wallet, stage))
            begun = walk.orders
            for (_, cents), (verb, part), ending in itertools.product(rows, DECIDED, ENDINGS):
                walk.orders, walk.seen = copy.deepcopy(begun), (-1, -1)
                with transaction.atomic():
                    quarrel(walk, cents, verb, part, ending)
                    transaction.set_rollback(True)
                forget_opened_accounts()
            walk.teardown()


class TestParts:
    @pytest.mark.parametrize("in_wallet", [0, 1000])
    def test_then_what_is_left_is_lost_or_goes_back(self, db: None, in_wallet: int) -> None:
        load_small_world()
        for stage, part in itertools.product(STAGES, (500, 1500)):
            walk = Orders()
            walk.sell((2000, in_wallet, stage))
            walk.support_refunds(0, part)
            walk.every_cent_is_where_it_belongs()
            walk.carry(0, ["lost"], False)
            walk.every_cent_is_where_it_belongs()
            walk.support_refunds(0, 0)
            walk.every_cent_is_where_it_belongs()
            walk.teardown()


class TestRefusals:
    @pytest.mark.parametrize("times", range(1, MOST_REFUSALS + 1))
    def test_hold_the_wallet_until_the_last(self, db: None, times: int) -> None:
        load_small_world()
        walk = Orders()
        walk.check_out(1000, False, "pm_card_declined", times)
        walk.every_cent_is_where_it_belongs()
        walk.time_passes(timedelta(minutes=16))
        walk.every_cent_is_where_it_belongs()
        walk.teardown()

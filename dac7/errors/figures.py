"""What may go wrong with figures and exchange rates."""

from __future__ import annotations

from foundation.errors import Conflict, RuleBroken


class ExchangeRateMissing(Conflict):
    """Sales in another currency cannot be tested against the limit: load the bank's file first."""

    code = "exchange_rate_missing"
    title = "An exchange rate is missing"


class ExchangeRatesUnreadable(RuleBroken):
    """The file is not what the European Central Bank publishes; nothing of it was loaded."""

    code = "exchange_rates_unreadable"
    title = "These are no exchange rates"


class ExchangeRateContradicts(Conflict):
    """A rate of that day is known with another value, and was perhaps used; nothing was loaded."""

    code = "exchange_rate_contradicts"
    title = "Another rate is known for this day"


class NumbersUnderFormerKeys(Conflict):
    """While index keys change, equal TINs look different: a person's accounts would be two small sellers."""

    code = "numbers_under_former_keys"
    title = "Tax numbers are indexed under former keys"


class FiguresDoNotAddUp(Conflict):
    """The sums of all sellers differ from those of the ledger; nothing was frozen."""

    code = "figures_do_not_add_up"
    title = "The figures differ from the ledger"

"""What can go wrong before an order. Codes are part of the API."""

from __future__ import annotations

from foundation.errors import (
    Conflict,
    NotFound,
    PreconditionFailed,
    RateLimited,
    RuleBroken,
    Unavailable,
)


class TermsMissing(Unavailable):
    """No row of orders/data/terms.csv has begun for this market: nothing can be priced there yet."""

    code = "market_terms_missing"
    title = "Nothing can be bought in this market yet"


class OwnListing(RuleBroken):
    code = "own_listing"
    title = "This is a listing of your own"


class ListingNotAvailable(Conflict):
    """Reserved, sold, or not for this buyer. Which it is, is not told: a block must not show."""

    code = "listing_not_available"
    title = "The listing is not available"


class PriceChanged(Conflict):
    """The listing now costs less than what was offered; `price` says what."""

    code = "price_changed"
    title = "The price has changed"


class InvalidTransition(Conflict):
    """The verb has no row from the status, is the other's, or comes too late; see `allowed_actions`."""

    code = "invalid_transition"
    title = "This is not possible any more, or not yet"


class OfferNotFound(NotFound):
    """It does not exist, or the one who asks is neither its buyer nor its seller."""

    code = "offer_not_found"
    title = "There is no such offer"


class OfferOutOfRange(RuleBroken):
    """`minimum` and `maximum` (both inclusive) say what is possible."""

    code = "offer_out_of_range"
    title = "The amount cannot be offered"


class OfferAlreadyOpen(Conflict):
    """One at a time: it is awaiting an answer, or agreed; `offer_id` names it."""

    code = "offer_already_open"
    title = "There is an offer of yours already"


class TooManyOffersOnListing(Conflict):
    code = "too_many_offers_on_listing"
    title = "You have made all the offers that one listing takes"


class TooManyOffersToday(RateLimited):
    """Counted by the day of the buyer's market; Retry-After says when the next begins."""

    code = "too_many_offers_today"
    title = "You have made all the offers of one day"


class InvalidBundleDiscounts(RuleBroken):
    """`errors` names each step: too_many_steps, items_not_rising, percent_not_rising."""

    code = "invalid_bundle_discounts"
    title = "The discounts do not form a ladder"


class BundleDiscountsStale(PreconditionFailed):
    code = "bundle_discounts_stale"
    title = "The discounts were changed in the meantime"


class BundleNotFound(NotFound):
    """It does not exist, or is somebody else's."""

    code = "bundle_not_found"
    title = "There is no such bundle"


class BundleExists(Conflict):
    """One bundle per seller; `bundle_id` names it."""

    code = "bundle_exists"
    title = "There is a bundle with this seller already"


class BundleStale(PreconditionFailed):
    code = "bundle_stale"
    title = "The bundle was changed in the meantime"


class InvalidBundle(RuleBroken):
    """`errors` names each listing: listing_not_available, another_seller, another_currency, repeated; or
    the list itself: too_many_items.
    """

    code = "invalid_bundle"
    title = "These listings do not make a bundle"

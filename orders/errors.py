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
    """The listing now costs less than what was offered: `price` says what. Or the checkout's quote is
    another than the one that was to be paid: `quote_version` says which.
    """

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


class OrderNotFound(NotFound):
    """It does not exist, or the one who asks is no part of it; to its seller, also while it is unpaid."""

    code = "order_not_found"
    title = "There is no such order"


class CheckoutStale(PreconditionFailed):
    code = "checkout_stale"
    title = "The checkout was changed in the meantime"


class PaymentInProgress(Conflict):
    """A payment of this checkout is under way: wait for its outcome."""

    code = "payment_in_progress"
    title = "A payment is under way"


class PaymentMethodInvalid(RuleBroken):
    code = "payment_method_invalid"
    title = "This is no payment method"


class RefundNotFailed(Conflict):
    code = "refund_not_failed"
    title = "Only a refund that failed can be tried again"


class SandboxPaymentNotFound(NotFound):
    """No payment of yours at the sandbox, or the sandbox is off."""

    code = "sandbox_payment_not_found"
    title = "The sandbox knows no such payment"


class DeliveryMissing(RuleBroken):
    code = "delivery_missing"
    title = "Say how and where the parcel shall be delivered"


class PaymentMethodMissing(RuleBroken):
    code = "payment_method_missing"
    title = "The wallet does not pay for all of it: name a payment method"


class InvalidDelivery(RuleBroken):
    """`errors` names each problem: unknown_option, pickup_point_missing, unknown_pickup_point,
    wrong_country.
    """

    code = "invalid_delivery"
    title = "It cannot be delivered like this"


class VerificationNotOffered(RuleBroken):
    """`minimum` is the price of the items from which on the item is looked at."""

    code = "verification_not_offered"
    title = "Verification is for more expensive items"


class DisputeWindowClosed(Conflict):
    """Too late to report an issue: `closed_at` says since when."""

    code = "dispute_window_closed"
    title = "The time to report an issue is over"


class RefundExceedsRemaining(RuleBroken):
    """`remaining` is what has not gone back yet."""

    code = "refund_exceeds_remaining"
    title = "More than what is left"


class CaseNotFound(NotFound):
    code = "case_not_found"
    title = "There is no such case"


class IssueNotFound(NotFound):
    """It does not exist, or the one who asks is no part of its order."""

    code = "issue_not_found"
    title = "There is no such issue"


class EvidenceNotFound(NotFound):
    code = "evidence_not_found"
    title = "There is no such photo"


class TooMuchEvidence(Conflict):
    code = "too_much_evidence"
    title = "The issue has all the photos that it takes"


class ProposalNotOpen(Conflict):
    """It was answered or replaced, or is one's own; read the issue again."""

    code = "proposal_not_open"
    title = "This proposal is not open to you"


class InvalidProposal(RuleBroken):
    code = "invalid_proposal"
    title = "The proposal does not say what it needs to"


class ReceiptNotReady(Conflict):
    code = "receipt_not_ready"
    title = "There is a receipt once the order is paid"


class AlreadyReviewed(Conflict):
    code = "already_reviewed"
    title = "You have reviewed this order"

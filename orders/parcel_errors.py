"""What can go wrong with parcels. Codes are part of the API."""

from __future__ import annotations

from foundation.errors import Conflict, NotFound, PreconditionFailed, RuleBroken, Unavailable


class LabelNotFound(NotFound):
    """No parcel of this order is yours to send."""

    code = "label_not_found"
    title = "There is no such label"


class LabelNotReady(Conflict):
    """The carrier has not made it yet, or refused to; `parcel_status` and `reason` say which."""

    code = "label_not_ready"
    title = "The label is not there"


class SenderAddressAbroad(RuleBroken):
    """What you sell is sent from your own market."""

    code = "sender_address_abroad"
    title = "You send from your own market"


class SenderAddressStale(PreconditionFailed):
    code = "sender_address_stale"
    title = "The address was changed in the meantime"


class PlaceMissing(RuleBroken):
    code = "place_missing"
    title = "Name a postal code or a place"


class PickupPointNotFound(NotFound):
    code = "pickup_point_not_found"
    title = "There is no such pick-up point"


class CarrierUnavailable(Unavailable):
    """The carrier gave no answer that could be read; try again."""

    code = "carrier_unavailable"
    title = "The carrier cannot be reached"


class SandboxParcelNotFound(NotFound):
    """Or the sandbox is off, or the parcel is of an order that you are no part of."""

    code = "sandbox_parcel_not_found"
    title = "The sandbox's carrier has no such parcel"

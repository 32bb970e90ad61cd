from __future__ import annotations

from foundation.errors import Conflict, RuleBroken


class EndpointUrlRefused(RuleBroken):
    code = "endpoint_url_refused"
    title = "Webhooks cannot be sent to this address"


class DeliveryUnderWay(Conflict):
    code = "delivery_under_way"
    title = "It is being sent already"

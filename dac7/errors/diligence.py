"""What may go wrong with requests for tax information."""

from __future__ import annotations

from foundation.errors import Conflict, NotFound


class InformationRequestNotFound(NotFound):
    code = "information_request_not_found"
    title = "There is no such request"


class InformationRequestMoved(Conflict):
    """It is no longer where this can be done; `extra.status` says where it is."""

    code = "information_request_moved"
    title = "The request has moved on"

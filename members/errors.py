"""What can go wrong with members. Codes are part of the API."""

from __future__ import annotations

from foundation.errors import Conflict, Forbidden, NotFound, RuleBroken, Unavailable


class MemberNotFound(NotFound):
    """No such member, or one that closed the account or blocked you."""

    code = "member_not_found"
    title = "There is no such member"


class MarketNotFound(NotFound):
    code = "market_not_found"
    title = "There is no such market"


class InvalidProfile(RuleBroken):
    """`errors` names every field: unknown_country, country_not_open, unknown_language, unknown_time_zone,
    unknown_locale, or a display name that is too_short, too_long, not_allowed or contact_details.
    """

    code = "invalid_profile"
    title = "The profile is not acceptable"


class AddressTaken(Conflict):
    """Never answered to a client: sign-up says the same as for a new address (no account enumeration)."""

    code = "address_taken"
    title = "There is an account with this address"


class CannotBlockYourself(RuleBroken):
    code = "cannot_block_yourself"
    title = "You cannot block yourself"


class TooManyBlocks(Conflict):
    """The list of blocked members is bounded, because browsing leaves their listings out."""

    code = "too_many_blocks"
    title = "You have blocked as many members as possible"


class BlockNotFound(NotFound):
    code = "block_not_found"
    title = "You have not blocked this member"


class MemberRestricted(Forbidden):
    """`capability` says what is not possible for now, `reason` why, `until` how long if that is known."""

    code = "member_restricted"
    title = "This is not possible for your account at the moment"


class InvalidRestriction(RuleBroken):
    """The reason or the source is missing or too long, or it would end before it starts."""

    code = "invalid_restriction"
    title = "The restriction is not acceptable"


class RestrictionNotFound(NotFound):
    code = "restriction_not_found"
    title = "There is no such restriction"


class MailUnavailable(Unavailable):
    code = "mail_unavailable"
    title = "The mail with the code could not be sent"


class SecondFactorRequired(Forbidden):
    """Give a code of the authenticator app again (POST /_allauth/app/v1/auth/2fa/reauthenticate): it counts
    for five minutes, in this session.
    """

    code = "second_factor_required"
    title = "Give a code of your authenticator app first"


class NoticeNotFound(NotFound):
    code = "notification_not_found"
    title = "There is no such notification"


class MailNotGivenUp(Conflict):
    code = "notification_mail_not_given_up"
    title = "The mail was not given up"

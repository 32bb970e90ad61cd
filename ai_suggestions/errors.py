"""What can go wrong with suggestions, as facts with stable codes."""

from __future__ import annotations

from foundation.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    RateLimited,
    RuleBroken,
)


class RunNotFound(NotFound):
    """It does not exist, or belongs to somebody else's listing."""

    code = "suggestion_run_not_found"
    title = "There is no such run of suggestions"


class NoUsablePhoto(Conflict):
    """The listing has no photo that is ready or being processed."""

    code = "no_usable_photo"
    title = "Suggestions need at least one photo"


class ListingNotOpen(Conflict):
    """The listing can no longer be changed, so there is nothing to suggest."""

    code = "listing_not_open_for_suggestions"
    title = "The listing can no longer be changed"


class RunStatusConflict(Conflict):
    """The verb has no row from the run's status in ai_suggestions.lifecycle."""

    code = "suggestion_run_status_conflict"
    title = "The run's status does not allow this"


class AnotherRunLive(Conflict):
    """A listing has one live run at a time."""

    code = "another_suggestion_run_live"
    title = "Another run of suggestions for this listing is under way"


class DepartmentUnknown(RuleBroken):
    code = "department_unknown"
    title = "There is no such department"


class DecisionsInvalid(RuleBroken):
    """One or more decisions cannot be taken; `errors` names each, and none was taken."""

    code = "suggestion_decisions_invalid"
    title = "These decisions cannot be taken"


class SuggestionsStale(PreconditionFailed):
    """The listing changed after the suggestions were read."""

    code = "suggestions_stale"
    title = "The listing was changed in the meantime"


class TwinRuledOn(Conflict):
    """A moderator has ruled on it already, or one of the photos is gone."""

    code = "photo_twin_ruled_on"
    title = "These photos have been ruled on already"


class RunQuotaSpent(RateLimited):
    """The plan's runs of today are used up; Retry-After is the beginning of the next day (UTC)."""

    code = "suggestion_run_quota_spent"
    title = "No more runs of suggestions today"


class BatchNotFound(NotFound):
    """It does not exist, or is somebody else's."""

    code = "suggestion_batch_not_found"
    title = "There is no such batch of suggestions"


class ProfessionalSellersOnly(Forbidden):
    """`reason` is `plan_private`: staff change the plan of a trade."""

    code = "professional_sellers_only"
    title = "Batches are for professional sellers"


class TooManyBatches(Conflict):
    """A seller has a bounded number of batches that have not ended."""

    code = "too_many_suggestion_batches"
    title = "Too many batches of suggestions are under way"


class BatchStatusConflict(Conflict):
    """The verb has no row from the batch's status in ai_suggestions.lifecycle."""

    code = "suggestion_batch_status_conflict"
    title = "The batch's status does not allow this"


class CalibrationDecided(Conflict):
    """A figure is approved once, and withdrawn once."""

    code = "calibration_decided"
    title = "The figure cannot be approved or withdrawn"

"""What can go wrong with listings and photos, as facts with stable codes."""

from __future__ import annotations

from foundation.errors import (
    Conflict,
    Malformed,
    NotFound,
    PreconditionFailed,
    RuleBroken,
    TooLarge,
    UnsupportedMedia,
)


class ListingNotFound(NotFound):
    """It does not exist, or is not for the one who asks."""

    code = "listing_not_found"
    title = "There is no such listing"


class PhotoNotFound(NotFound):
    code = "photo_not_found"
    title = "There is no such photo in this listing"


class CategoryNotFound(NotFound):
    code = "category_not_found"
    title = "There is no such category"


class ListingStale(PreconditionFailed):
    """A change was based on an older version."""

    code = "listing_stale"
    title = "The listing was changed in the meantime"


class ListingStatusConflict(Conflict):
    """The verb has no row from the listing's status in listings.lifecycle."""

    code = "listing_status_conflict"
    title = "The listing's status does not allow this"


class ListingHiddenByModeration(Conflict):
    """A moderator hid it: mend it and publish it again for review."""

    code = "listing_hidden_by_moderation"
    title = "Moderation has hidden this listing"


class TooManyDrafts(Conflict):
    code = "too_many_drafts"
    title = "There are too many unfinished drafts"


class TooManyPhotos(Conflict):
    code = "too_many_photos"
    title = "A listing has at most 20 photos"


class PhotoNotReady(Conflict):
    """Asked for the pixels of a photo that is not (or could not be) processed."""

    code = "photo_not_ready"
    title = "The photo is not processed yet"


class PhotoNotFlagged(Conflict):
    """No check asked for a look at the photo, or a moderator has had it already."""

    code = "photo_not_flagged"
    title = "The photo does not wait for a moderator"


class InvalidListing(RuleBroken):
    """One or more rules of listings are broken; `errors` names each with its pointer."""

    code = "listing_invalid"
    title = "The listing breaks rules"


class PhotoMissing(Malformed):
    """The form has no file of that name, several, or other fields."""

    code = "photo_missing"
    title = "Send one file in the form field 'photo'"


class PhotoTypeNotAccepted(UnsupportedMedia):
    """Neither JPEG, PNG, WebP nor HEIC, whatever it was called."""

    code = "photo_type_not_accepted"
    title = "Photos are JPEG, PNG, WebP or HEIC"


class PhotoTypeMismatch(UnsupportedMedia):
    """The declared type or the name's extension says something else than the bytes."""

    code = "photo_type_mismatch"
    title = "The file is not what it says it is"


class PhotoAnimated(UnsupportedMedia):
    """An animation or image sequence."""

    code = "photo_animated"
    title = "Animations are not accepted"


class PhotoTooLarge(TooLarge):
    """More than 20 MB."""

    code = "photo_too_large"
    title = "A photo has at most 20 MB"


class PhotoEmpty(RuleBroken):
    code = "photo_empty"
    title = "The file is empty"


class PhotoDamaged(RuleBroken):
    """Truncated, or its structure contradicts its format."""

    code = "photo_damaged"
    title = "The photo is damaged or incomplete"


class PhotoHasForeignData(RuleBroken):
    """Something that is no part of the picture follows it: a polyglot."""

    code = "photo_has_foreign_data"
    title = "The file holds more than a photo"


class PhotoTooSmall(RuleBroken):
    """The shorter side is below 100 pixels."""

    code = "photo_too_small"
    title = "The photo is too small"


class PhotoTooManyPixels(RuleBroken):
    """More than 60 megapixels."""

    code = "photo_too_many_pixels"
    title = "The photo has too many pixels"

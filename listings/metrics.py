"""Figures of listings and photos."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

TRANSITIONS = Counter("preloved_listings_transitions_total", "Changes of status", ["verb", "actor"])
DRAFTS = Counter("preloved_listings_drafts_total", "Drafts made", ["how"])
PUBLISH_REFUSALS = Counter(
    "preloved_listings_publish_problems_total", "Problems that kept a listing from being published", ["code"]
)
PHOTOS_RECEIVED = Counter("preloved_listings_photos_received_total", "Photos accepted", ["media_type"])
PHOTOS_REFUSED = Counter("preloved_listings_photos_refused_total", "Uploads refused", ["code"])
PHOTOS_PROCESSED = Counter(
    "preloved_listings_photos_processed_total", "Photos that a worker finished", ["outcome"]
)
PHOTO_SECONDS = Histogram(
    "preloved_listings_photo_processing_seconds",
    "From the stored bytes to the stored renditions",
    buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 30, 60),
)
PHOTO_WAIT_SECONDS = Histogram(
    "preloved_listings_photo_wait_seconds",
    "From upload to the end of processing",
    buckets=(0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800),
)
PHOTOS_RUNG_AGAIN = Counter(
    "preloved_listings_photos_rung_again_total", "Photos that nobody had picked up or finished in time"
)
PHOTO_CHECKS = Counter(
    "preloved_listings_photo_checks_total", "Photos looked at before they were shown", ["outcome"]
)
PHOTOS_FLAGGED = Counter(
    "preloved_listings_photos_flagged_total", "Photos that a person has to look at", ["reason"]
)
PHOTO_RULINGS = Counter(
    "preloved_listings_photo_rulings_total", "What moderators said of flagged photos", ["ruling"]
)
ORPHANS_REMOVED = Counter(
    "preloved_listings_orphan_originals_total", "Stored uploads that no photo names, removed"
)
FILES_NOT_DELETED = Counter(
    "preloved_listings_files_not_deleted_total", "Files that the storage would not delete"
)

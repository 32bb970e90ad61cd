"""For staff of a sandbox: how far its clock is ahead, and what happened on the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from foundation.admin import ReadOnly
from foundation.models import SandboxClock

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[SandboxClock]
else:  # generic only in the stubs, not at run time
    _Admin = admin.ModelAdmin


@admin.register(SandboxClock)
class SandboxClockAdmin(ReadOnly, _Admin):
    list_display = ("id", "ahead", "target", "is_settled", "advanced_at")
    fields = ("ahead", "target", "is_settled", "advanced_at", "owner", "lease_until", "done", "failed")
    readonly_fields = fields

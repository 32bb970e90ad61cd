"""How a member's statements are cut into months."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from foundation.ids import AsciiField


class StatementCalendar(models.Model):
    """Whose midnight ends a member's months: fixed once, so that a closed month stays what it was.

    It is the time zone of the market that the member was in when the first statement was asked for.
    """

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    time_zone = AsciiField(max_length=40, help_text="IANA name")
    fixed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="statement_zone_named", condition=~Q(time_zone=""))]

    def __str__(self) -> str:
        return f"{self.member_id} {self.time_zone}"

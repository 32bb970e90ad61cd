"""What the inbox looks like on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foundation.api.pagination import PageQuery, page_serializer
from foundation.api.serializers import StrictBooleanField, StrictSerializer
from foundation.ids import ID_PATTERN
from members.notices.kinds import SWITCHABLE, Category
from members.queries import MOST_COUNTED

CATEGORIES = [category.value for category in Category]


class NotificationsQuery(PageQuery):
    """Query parameters of your inbox."""

    unread = serializers.BooleanField(default=False, help_text="`true`: only what you have not read.")
    category = serializers.ChoiceField(choices=CATEGORIES, required=False)


class NoticeSubjectSerializer(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="Such as `order`, `offer`, `listing`.")
    id = serializers.CharField()


class NotificationSerializer(serializers.Serializer[Any]):
    """Something that you were told."""

    id = serializers.CharField()
    kind = serializers.CharField(help_text="Such as `order.paid`; new ones come without notice.")
    category = serializers.ChoiceField(choices=CATEGORIES)
    title = serializers.CharField(help_text="In your language, or that of Accept-Language; one line.")
    body = serializers.CharField(help_text="Plain text.")
    link = serializers.URLField(help_text="Leads to the subject in the app.")
    subject = NoticeSubjectSerializer()
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class NotificationPageSerializer(page_serializer("NotificationPage", NotificationSerializer)):  # type: ignore[misc]
    """A page of your inbox."""

    unread_count = serializers.IntegerField(
        help_text=f"Of the whole inbox, whatever the filters; {MOST_COUNTED} means that many or more."
    )


class ReadUntilSerializer(StrictSerializer):
    """The newest notification that was shown: it and all before it are read now."""

    until = serializers.RegexField(rf"^{ID_PATTERN}\Z", trim_whitespace=False)


class ReadUntilAnswerSerializer(serializers.Serializer[Any]):
    read = serializers.IntegerField(help_text="How many were unread.")


class MailChoiceSerializer(StrictSerializer):
    """By category, whether you also get mails that are not required. All have to be named."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {category.value: StrictBooleanField() for category in SWITCHABLE}


class NotificationSettingsSerializer(StrictSerializer):
    """What comes by mail. The inbox has everything, and some mails the law or your safety asks for."""

    mail = MailChoiceSerializer()

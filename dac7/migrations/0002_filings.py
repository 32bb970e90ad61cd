import django.db.models.deletion
import foundation.encryption.fields
import foundation.ids
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dac7", "0001_profiles"),
    ]

    operations = [
        migrations.CreateModel(
            name="Filing",
            fields=[
                (
                    "id",
                    foundation.ids.IdField(
                        default=foundation.ids.new_id,
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "state",
                    foundation.ids.AsciiField(help_text="Member state that is reported to", max_length=2),
                ),
                ("year", models.PositiveSmallIntegerField()),
                (
                    "number",
                    models.PositiveSmallIntegerField(
                        help_text="1 is the first of the year, later ones correct"
                    ),
                ),
                ("dialect", foundation.ids.AsciiField(help_text="Form of the message", max_length=20)),
                (
                    "status",
                    foundation.ids.AsciiField(
                        choices=[
                            ("collecting", "collecting"),
                            ("compiled", "compiled"),
                            ("unchanged", "unchanged"),
                            ("validated", "validated"),
                            ("approved", "approved"),
                            ("filed", "filed"),
                            ("accepted", "accepted"),
                            ("partly_accepted", "partly_accepted"),
                            ("rejected", "rejected"),
                            ("corrected", "corrected"),
                        ],
                        default="collecting",
                        max_length=20,
                    ),
                ),
                (
                    "open_key",
                    foundation.ids.AsciiField(editable=False, max_length=10, null=True, unique=True),
                ),
                ("opened_at", models.DateTimeField(help_text="Also the Timestamp in its messages")),
                ("opened_by", foundation.ids.AsciiField(help_text="staff:… or clock", max_length=60)),
                ("reason", models.CharField(max_length=500)),
                (
                    "operator",
                    models.TextField(blank=True, default="", help_text="Who reports, as frozen (JSON)"),
                ),
                (
                    "claim",
                    foundation.ids.IdField(help_text="The worker that compiles it", max_length=26, null=True),
                ),
                ("claimed_until", models.DateTimeField(null=True)),
                ("compiled_at", models.DateTimeField(null=True)),
                ("checked_at", models.DateTimeField(help_text="When the rules were last applied", null=True)),
                ("reviewed_by", foundation.ids.AsciiField(blank=True, default="", max_length=60)),
                ("reviewed_at", models.DateTimeField(null=True)),
                ("review_note", models.CharField(blank=True, default="", max_length=500)),
                ("approved_by", foundation.ids.AsciiField(blank=True, default="", max_length=60)),
                ("approved_at", models.DateTimeField(null=True)),
                ("approval_note", models.CharField(blank=True, default="", max_length=500)),
                ("filed_by", foundation.ids.AsciiField(blank=True, default="", max_length=60)),
                ("filed_at", models.DateTimeField(null=True)),
                (
                    "filing_note",
                    models.CharField(blank=True, default="", help_text="The receipt", max_length=500),
                ),
                (
                    "statements_sent_at",
                    models.DateTimeField(help_text="When the last seller was told", null=True),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["status", "id"], name="filing_status")],
                "constraints": [
                    models.UniqueConstraint(fields=("state", "year", "number"), name="filing_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "collecting",
                                    "compiled",
                                    "unchanged",
                                    "validated",
                                    "approved",
                                    "filed",
                                    "accepted",
                                    "partly_accepted",
                                    "rejected",
                                    "corrected",
                                ],
                            )
                        ),
                        name="filing_known_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("open_key__isnull", False),
                                ("status__in", ["collecting", "compiled", "validated", "approved", "filed"]),
                            ),
                            models.Q(
                                models.Q(
                                    (
                                        "status__in",
                                        ["collecting", "compiled", "validated", "approved", "filed"],
                                    ),
                                    _negated=True,
                                ),
                                ("open_key__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="filing_open_key_while_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="filing_has_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by", ""),
                            models.Q(
                                models.Q(("reviewed_by", ""), _negated=True),
                                models.Q(("approved_by", models.F("reviewed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="filing_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("approved_by", ""),
                                ("status__in", ["collecting", "compiled", "unchanged", "validated"]),
                            ),
                            models.Q(
                                models.Q(
                                    ("status__in", ["collecting", "compiled", "unchanged", "validated"]),
                                    _negated=True,
                                ),
                                models.Q(("approved_by", ""), _negated=True),
                                ("checked_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="filing_beyond_validated_is_approved",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FilingMessage",
            fields=[
                (
                    "id",
                    foundation.ids.IdField(
                        default=foundation.ids.new_id,
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("part", models.PositiveSmallIntegerField()),
                (
                    "indicator",
                    foundation.ids.AsciiField(
                        choices=[("DPI401", "DPI401"), ("DPI402", "DPI402"), ("DPI403", "DPI403")],
                        max_length=6,
                    ),
                ),
                ("message_ref", foundation.ids.AsciiField(max_length=170, unique=True)),
                (
                    "operator_ref",
                    foundation.ids.AsciiField(help_text="DocRefId of the operator's record", max_length=170),
                ),
                (
                    "operator_kind",
                    foundation.ids.AsciiField(
                        choices=[
                            ("OECD0", "OECD0"),
                            ("OECD1", "OECD1"),
                            ("OECD2", "OECD2"),
                            ("OECD3", "OECD3"),
                        ],
                        max_length=6,
                    ),
                ),
                ("file_name", foundation.ids.AsciiField(max_length=200)),
                ("seller_count", models.PositiveIntegerField()),
                ("byte_count", models.PositiveBigIntegerField()),
                ("sha256", foundation.ids.AsciiField(max_length=64)),
                (
                    "status",
                    foundation.ids.AsciiField(
                        choices=[
                            ("pending", "pending"),
                            ("accepted", "accepted"),
                            ("in_error", "in_error"),
                            ("rejected", "rejected"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "answered_by",
                    foundation.ids.AsciiField(
                        blank=True, default="", help_text="Who imported it", max_length=60
                    ),
                ),
                (
                    "answer_sha256",
                    foundation.ids.AsciiField(
                        blank=True, default="", help_text="Of the status file", max_length=64
                    ),
                ),
                (
                    "answer_codes",
                    foundation.ids.AsciiField(
                        blank=True, default="", help_text="Errors of the whole file", max_length=200
                    ),
                ),
                (
                    "filing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="dac7.filing"
                    ),
                ),
            ],
            options={
                "ordering": ("filing", "part"),
                "constraints": [
                    models.UniqueConstraint(fields=("filing", "part"), name="filingmessage_part_once"),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "accepted", "in_error", "rejected"])),
                        name="filingmessage_known_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("status", "pending")),
                            models.Q(
                                models.Q(("status", "pending"), _negated=True), ("answered_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="filingmessage_answered",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FilingFinding",
            fields=[
                (
                    "id",
                    foundation.ids.IdField(
                        default=foundation.ids.new_id,
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("rule", foundation.ids.AsciiField(max_length=40)),
                ("is_warning", models.BooleanField()),
                ("doc_ref", foundation.ids.AsciiField(blank=True, default="", max_length=170)),
                ("detail", models.CharField(max_length=300)),
                (
                    "filing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="findings", to="dac7.filing"
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="dac7.filingmessage",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="FilingRecord",
            fields=[
                (
                    "id",
                    foundation.ids.IdField(
                        default=foundation.ids.new_id,
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "seller_id",
                    foundation.ids.IdField(help_text="Lowest member id of the person", max_length=26),
                ),
                (
                    "kind",
                    foundation.ids.AsciiField(
                        choices=[
                            ("OECD0", "OECD0"),
                            ("OECD1", "OECD1"),
                            ("OECD2", "OECD2"),
                            ("OECD3", "OECD3"),
                        ],
                        max_length=6,
                    ),
                ),
                ("doc_ref", foundation.ids.AsciiField(max_length=170, unique=True)),
                ("corrects_ref", foundation.ids.AsciiField(blank=True, default="", max_length=170)),
                (
                    "figures",
                    foundation.encryption.fields.EncryptedTextField(
                        help_text="The record as it was frozen (JSON)"
                    ),
                ),
                (
                    "status",
                    foundation.ids.AsciiField(
                        choices=[
                            ("pending", "pending"),
                            ("accepted", "accepted"),
                            ("in_error", "in_error"),
                            ("rejected", "rejected"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("error_code", foundation.ids.AsciiField(blank=True, default="", max_length=10)),
                (
                    "standing_key",
                    foundation.ids.AsciiField(editable=False, max_length=40, null=True, unique=True),
                ),
                (
                    "filing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="records", to="dac7.filing"
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="dac7.filingmessage",
                    ),
                ),
            ],
            options={
                "ordering": ("filing", "seller_id"),
                "indexes": [models.Index(fields=["message", "status"], name="filingrecord_answer")],
                "constraints": [
                    models.UniqueConstraint(fields=("filing", "seller_id"), name="filingrecord_seller_once"),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "accepted", "in_error", "rejected"])),
                        name="filingrecord_known_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("corrects_ref", ""), ("kind", "OECD1")),
                            models.Q(
                                ("kind__in", ["OECD2", "OECD3"]),
                                models.Q(("corrects_ref", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="filingrecord_corrects_what_it_says",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("standing_key__isnull", True),
                            models.Q(("status", "accepted"), models.Q(("kind", "OECD3"), _negated=True)),
                            _connector="OR",
                        ),
                        name="filingrecord_stands_once_accepted",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "in_error"), models.Q(("error_code", ""), _negated=True)),
                            models.Q(models.Q(("status", "in_error"), _negated=True), ("error_code", "")),
                            _connector="OR",
                        ),
                        name="filingrecord_error_has_code",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordedMember",
            fields=[
                (
                    "id",
                    foundation.ids.IdField(
                        default=foundation.ids.new_id,
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("member_id", foundation.ids.IdField(max_length=26)),
                ("told_at", models.DateTimeField(help_text="When the statement was announced", null=True)),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="dac7.filingrecord",
                    ),
                ),
            ],
            options={
                "ordering": ("record", "member_id"),
                "indexes": [models.Index(fields=["member_id", "record"], name="recordedmember_member")],
                "constraints": [
                    models.UniqueConstraint(fields=("record", "member_id"), name="recordedmember_once")
                ],
            },
        ),
    ]

import django.db.models.deletion
import foundation.ids
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_orders"),
    ]

    operations = [
        migrations.CreateModel(
            name="Payment",
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
                ("provider", foundation.ids.AsciiField(help_text="Who charges the card", max_length=20)),
                (
                    "provider_id",
                    foundation.ids.AsciiField(
                        blank=True, help_text="The provider's own id, once known", max_length=100, null=True
                    ),
                ),
                (
                    "status",
                    foundation.ids.AsciiField(
                        choices=[
                            ("created", "created"),
                            ("sending", "sending"),
                            ("requires_action", "requires_action"),
                            ("authorised", "authorised"),
                            ("capturing", "capturing"),
                            ("captured", "captured"),
                            ("cancelling", "cancelling"),
                            ("cancelled", "cancelled"),
                            ("failed", "failed"),
                        ],
                        max_length=15,
                    ),
                ),
                ("is_open", models.BooleanField(default=True, editable=False, null=True)),
                ("amount_minor", models.BigIntegerField(help_text="Asked for")),
                ("currency", foundation.ids.AsciiField(help_text="ISO 4217", max_length=3)),
                (
                    "captured_minor",
                    models.BigIntegerField(
                        default=0, help_text="Taken; may be another amount than asked for"
                    ),
                ),
                (
                    "refunded_minor",
                    models.BigIntegerField(default=0, help_text="Gone back or going back; failed ones not"),
                ),
                (
                    "method",
                    foundation.ids.AsciiField(
                        blank=True,
                        default="",
                        help_text="The provider's token for the card; forgotten once it was used",
                        max_length=100,
                    ),
                ),
                ("return_url", models.CharField(blank=True, default="", max_length=500)),
                (
                    "action_url",
                    models.CharField(
                        blank=True, default="", help_text="Where the buyer confirms it", max_length=2000
                    ),
                ),
                (
                    "failure_code",
                    foundation.ids.AsciiField(
                        blank=True, default="", help_text="Why it failed or was cancelled", max_length=60
                    ),
                ),
                (
                    "calls",
                    models.PositiveIntegerField(
                        default=0, help_text="Begun in this status; also the fence of a call"
                    ),
                ),
                (
                    "due_at",
                    models.DateTimeField(help_text="When a worker is due to call or to ask", null=True),
                ),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("captured_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(help_text="Captured, cancelled or failed", null=True)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.order"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["due_at", "id"], name="payment_due"),
                    models.Index(fields=["status", "sent_at"], name="payment_status"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("order", "is_open"), name="payment_one_open_per_order"),
                    models.UniqueConstraint(
                        fields=("provider", "provider_id"), name="payment_provider_id_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "created",
                                    "sending",
                                    "requires_action",
                                    "authorised",
                                    "capturing",
                                    "captured",
                                    "cancelling",
                                    "cancelled",
                                    "failed",
                                ],
                            )
                        ),
                        name="payment_known_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="payment_amount_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("is_open", True),
                                ("is_open__isnull", False),
                                (
                                    "status__in",
                                    ["created", "sending", "requires_action", "authorised", "capturing"],
                                ),
                            ),
                            models.Q(
                                models.Q(
                                    (
                                        "status__in",
                                        ["created", "sending", "requires_action", "authorised", "capturing"],
                                    ),
                                    _negated=True,
                                ),
                                ("is_open__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="payment_open_until_decided",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("due_at__isnull", False),
                                ("ended_at__isnull", True),
                                (
                                    "status__in",
                                    [
                                        "created",
                                        "sending",
                                        "requires_action",
                                        "authorised",
                                        "capturing",
                                        "cancelling",
                                    ],
                                ),
                            ),
                            models.Q(
                                models.Q(
                                    (
                                        "status__in",
                                        [
                                            "created",
                                            "sending",
                                            "requires_action",
                                            "authorised",
                                            "capturing",
                                            "cancelling",
                                        ],
                                    ),
                                    _negated=True,
                                ),
                                ("due_at__isnull", True),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="payment_due_while_under_way",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("captured_at__isnull", False),
                                ("captured_minor__gt", 0),
                                ("status", "captured"),
                            ),
                            models.Q(
                                models.Q(("status", "captured"), _negated=True),
                                ("captured_at__isnull", True),
                                ("captured_minor", 0),
                            ),
                            _connector="OR",
                        ),
                        name="payment_captured_says_how_much",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("refunded_minor__gte", 0), ("refunded_minor__lte", models.F("captured_minor"))
                        ),
                        name="payment_refunds_within_capture",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
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
                ("provider", foundation.ids.AsciiField(max_length=20)),
                ("provider_id", foundation.ids.AsciiField(help_text="The provider's own id", max_length=100)),
                (
                    "status",
                    foundation.ids.AsciiField(
                        choices=[("open", "open"), ("won", "won"), ("lost", "lost")], max_length=5
                    ),
                ),
                ("amount_minor", models.BigIntegerField(help_text="Taken back")),
                (
                    "fee_minor",
                    models.BigIntegerField(help_text="What the provider keeps for it, beside the amount"),
                ),
                (
                    "seller_minor",
                    models.BigIntegerField(default=0, help_text="Of the amount: what the seller answers for"),
                ),
                ("currency", foundation.ids.AsciiField(help_text="ISO 4217", max_length=3)),
                (
                    "reason",
                    foundation.ids.AsciiField(blank=True, default="", help_text="The bank's", max_length=60),
                ),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.payment"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["status", "opened_at"], name="dispute_status")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "provider_id"), name="dispute_provider_id_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["open", "won", "lost"])),
                        name="dispute_known_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_minor__gt", 0),
                            ("fee_minor__gte", 0),
                            ("seller_minor__gte", 0),
                            ("seller_minor__lte", models.F("amount_minor")),
                        ),
                        name="dispute_amounts_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("status", "open")),
                            models.Q(
                                models.Q(("status", "open"), _negated=True), ("closed_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="dispute_closed_says_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
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
                    "key",
                    foundation.ids.AsciiField(
                        help_text="Of the caller: the same is refunded once", max_length=100, unique=True
                    ),
                ),
                (
                    "provider_id",
                    foundation.ids.AsciiField(
                        blank=True, help_text="The provider's own id, once known", max_length=100, null=True
                    ),
                ),
                (
                    "status",
                    foundation.ids.AsciiField(
                        choices=[
                            ("requested", "requested"),
                            ("sent", "sent"),
                            ("paid", "paid"),
                            ("failed", "failed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", foundation.ids.AsciiField(help_text="ISO 4217; the payment's", max_length=3)),
                (
                    "failure_code",
                    foundation.ids.AsciiField(
                        blank=True, default="", help_text="Why it failed", max_length=60
                    ),
                ),
                (
                    "calls",
                    models.PositiveIntegerField(default=0, help_text="Begun; also the fence of a call"),
                ),
                (
                    "due_at",
                    models.DateTimeField(help_text="When a worker is due to call or to ask", null=True),
                ),
                ("requested_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(help_text="Paid or failed", null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.payment"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["due_at", "id"], name="refund_due"),
                    models.Index(fields=["status", "sent_at"], name="refund_status"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["requested", "sent", "paid", "failed"])),
                        name="refund_known_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="refund_amount_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("due_at__isnull", True), ("status__in", ["requested", "sent"]), _connector="OR"
                        ),
                        name="refund_due_while_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("status__in", ["requested", "sent"])),
                            models.Q(
                                models.Q(("status__in", ["requested", "sent"]), _negated=True),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="refund_ended_has_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status", "requested"), ("sent_at__isnull", False), _connector="OR"
                        ),
                        name="refund_sent_has_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SandboxPayment",
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
                    "reference",
                    foundation.ids.AsciiField(
                        help_text="The payment; the idempotency key", max_length=60, unique=True
                    ),
                ),
                ("provider_id", foundation.ids.AsciiField(max_length=100, null=True, unique=True)),
                ("method", foundation.ids.AsciiField(max_length=100)),
                ("outcome", foundation.ids.AsciiField(default="pending", max_length=15)),
                (
                    "code",
                    foundation.ids.AsciiField(
                        blank=True, default="", help_text="Of a decline", max_length=60
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", foundation.ids.AsciiField(max_length=3)),
                ("captured_minor", models.BigIntegerField(default=0)),
                (
                    "captures",
                    models.PositiveIntegerField(default=0, help_text="How often the card was charged"),
                ),
                (
                    "answer",
                    foundation.ids.AsciiField(
                        blank=True, default="", help_text="What goes wrong with the next calls", max_length=12
                    ),
                ),
                ("answers_left", models.PositiveIntegerField(default=0, help_text="How many of them")),
                (
                    "calls",
                    models.PositiveIntegerField(default=0, help_text="How often it was called about it"),
                ),
            ],
            options={
                "ordering": ("-id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("answer__in", ["", "time_out", "unavailable"])),
                        name="sandboxpayment_known_answer",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SandboxRefund",
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
                    "reference",
                    foundation.ids.AsciiField(
                        help_text="The refund; the idempotency key", max_length=60, unique=True
                    ),
                ),
                ("provider_id", foundation.ids.AsciiField(max_length=100, null=True, unique=True)),
                ("outcome", foundation.ids.AsciiField(default="pending", max_length=10)),
                (
                    "code",
                    foundation.ids.AsciiField(
                        blank=True, default="", help_text="Of a failure", max_length=60
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                (
                    "answer",
                    foundation.ids.AsciiField(
                        blank=True, default="", help_text="What goes wrong with the next calls", max_length=12
                    ),
                ),
                ("answers_left", models.PositiveIntegerField(default=0, help_text="How many of them")),
                ("calls", models.PositiveIntegerField(default=0, help_text="How often it was asked to pay")),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.sandboxpayment",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("answer__in", ["", "time_out", "unavailable"])),
                        name="sandboxrefund_known_answer",
                    )
                ],
            },
        ),
    ]

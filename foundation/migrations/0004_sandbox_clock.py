import datetime as dt
import foundation.ids
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0003_outgoing_events"),
    ]

    operations = [
        migrations.CreateModel(
            name="SandboxClock",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("ahead", models.DurationField(default=dt.timedelta)),
                ("target", models.DurationField(default=dt.timedelta)),
                ("is_settled", models.BooleanField(default=True)),
                ("owner", foundation.ids.IdField(blank=True, default="", max_length=26)),
                ("lease_until", models.DateTimeField(null=True)),
                ("advanced_at", models.DateTimeField()),
                ("done", models.JSONField(default=dict)),
                ("failed", models.JSONField(default=list)),
            ],
            options={
                "verbose_name_plural": "sandbox clock",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="sandbox_clock_is_one"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ahead__gte", dt.timedelta(0)), ("target__gte", models.F("ahead"))
                        ),
                        name="sandbox_clock_goes_forward",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("target__lte", dt.timedelta(days=3660))),
                        name="sandbox_clock_stays_near",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_settled", False), ("target", models.F("ahead")), _connector="OR"
                        ),
                        name="sandbox_clock_settled_at_target",
                    ),
                ],
            },
        ),
    ]

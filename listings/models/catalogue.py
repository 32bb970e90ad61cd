"""What can be said about a thing: loaded from listings/data by `manage.py load_catalogue`.

Keys are slugs that never change; what is no longer offered is retired, never deleted, because old
listings name it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from foundation.ids import AsciiField
from members.models import Market

SLUG_LENGTH = 60


class CatalogueRelease(models.Model):
    """One row: what the tables hold now. Its digest is the catalogue's ETag and the key of its copies."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    digest = AsciiField(max_length=64)
    loaded_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="catalogue_release_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return str(self.digest)[:12]


class Term(models.Model):
    """A named value; `names` holds a name per language (ISO 639-1), English always."""

    id = AsciiField(max_length=SLUG_LENGTH, primary_key=True)
    position = models.PositiveSmallIntegerField()
    names = models.JSONField()
    is_retired = models.BooleanField(default=False)

    class Meta:
        abstract = True
        ordering = ("position", "id")

    def __str__(self) -> str:
        return str(self.names.get("en", self.id))


class Category(Term):
    """A node of the tree; roots are departments. `kind` ties the same thing across departments."""

    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kind = AsciiField(max_length=30, blank=True, help_text="What a photo can tell; leaves only")
    size_system = AsciiField(max_length=30, blank=True)
    attributes = AsciiField(max_length=80, blank=True, help_text="What a listing must state, space separated")
    parcel_size = AsciiField(max_length=10, blank=True, help_text="Usual parcel of such a thing")
    is_leaf = models.BooleanField(help_text="Whether listings may be put there")

    class Meta(Term.Meta):
        verbose_name_plural = "categories"
        constraints = [
            models.CheckConstraint(
                name="category_not_its_own_parent", condition=Q(parent__isnull=True) | ~Q(parent=F("id"))
            ),
            models.CheckConstraint(name="category_leaf_has_kind", condition=Q(is_leaf=False) | ~Q(kind="")),
        ]


class Brand(models.Model):
    """A brand. `no-brand` stands for a thing without one."""

    id = AsciiField(max_length=SLUG_LENGTH, primary_key=True)
    name = models.CharField(max_length=80)
    aliases = models.JSONField(default=list, blank=True)
    is_retired = models.BooleanField(default=False)

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class BrandName(models.Model):
    """Every way a brand is written, reduced to lower-case letters and digits: what a search compares."""

    key = AsciiField(max_length=80, primary_key=True)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return str(self.key)


class Size(models.Model):
    """A size of one system. `no-label` of the system `any` fits every category."""

    id = AsciiField(max_length=SLUG_LENGTH, primary_key=True)
    system = AsciiField(max_length=30)
    position = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=40)
    aliases = models.JSONField(default=list, blank=True)
    is_retired = models.BooleanField(default=False)

    class Meta:
        ordering = ("system", "position", "id")
        constraints = [models.UniqueConstraint(name="size_label_once_per_system", fields=["system", "label"])]

    def __str__(self) -> str:
        return f"{self.label} ({self.system})"


class Colour(Term):
    """One of the 28 of the palette. `various` has no hex value."""

    hex = AsciiField(max_length=7, blank=True, help_text="#RRGGBB")


class Condition(Term):
    """How worn a thing is. `within` limits it to some departments or branches (space separated ids)."""

    within = AsciiField(max_length=120, blank=True)


class Material(Term):
    """What a thing is made of; `aliases` are words found on labels."""

    aliases = models.JSONField(default=list, blank=True)


class MarketRules(models.Model):
    """The price limits of a market from a day on; the latest row that has begun holds."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")
    valid_from_date = models.DateField()
    currency = AsciiField(max_length=3, help_text="ISO 4217; the market's")
    price_min_minor = models.BigIntegerField()
    price_max_minor = models.BigIntegerField()
    verified_above_minor = models.BigIntegerField(help_text="Above this the seller must be verified")

    class Meta:
        ordering = ("market", "valid_from_date")
        verbose_name_plural = "market rules"
        constraints = [
            models.UniqueConstraint(name="market_rules_once_per_day", fields=["market", "valid_from_date"]),
            models.CheckConstraint(
                name="market_rules_limits_in_order",
                condition=Q(price_min_minor__gt=0)
                & Q(price_max_minor__gte=F("verified_above_minor"))
                & Q(verified_above_minor__gte=F("price_min_minor")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} from {self.valid_from_date}"

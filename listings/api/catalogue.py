"""The catalogue: public, small, cached by clients until its ETag changes. Names in Accept-Language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api import etags
from foundation.api.views import ApiView
from listings import queries, rules
from listings.api import shapes
from listings.api.answers import whole
from listings.api.documented import ACCEPT_LANGUAGE, IF_NONE_MATCH, NO_CATEGORY, NOT_MODIFIED
from listings.errors import CategoryNotFound
from listings.queries.catalogue import FALLBACK_LANGUAGE

MAX_AGE_S = 300
_PARAMETERS = [ACCEPT_LANGUAGE, IF_NONE_MATCH]


def _language() -> str:
    return (get_language() or FALLBACK_LANGUAGE).partition("-")[0]


class CatalogueView(ApiView):
    """Answers from the process's copy of the catalogue; one statement, or none with a known ETag."""

    permission_classes = (AllowAny,)

    def answer(self, request: Request, build: Callable[[queries.CatalogueSnapshot, str], Any]) -> Response:
        """200 with what `build` makes of the catalogue in a language, or 304."""
        snapshot, language = queries.catalogue_snapshot(), _language()
        etag = etags.etag_for("catalogue", snapshot.digest[:16], language)
        response = etags.not_modified(request, etag) or Response(
            build(snapshot, language), headers={"ETag": etag}
        )
        response["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
        return response


def _terms(terms: Iterable[queries.TermFacts], language: str) -> list[dict[str, Any]]:
    return [
        {"id": term.id, "name": queries.name_in(term.names, language)}
        for term in terms
        if not term.is_retired
    ]


def _sizes(sizes: Iterable[queries.SizeFacts]) -> list[dict[str, Any]]:
    return [
        {"id": size.id, "system": size.system, "label": size.label, "aliases": list(size.aliases)}
        for size in sizes
        if not size.is_retired
    ]


def _existing(snapshot: queries.CatalogueSnapshot, category_id: str) -> queries.CategoryFacts:
    category = snapshot.category_by_id.get(category_id)
    if category is None or category.is_retired:
        raise CategoryNotFound
    return category


class CategoriesView(CatalogueView):
    query_serializers = {"GET": shapes.CategoriesQuery}

    @extend_schema(
        operation_id="catalogue_categories_list",
        summary="The tree of categories, parents before children",
        parameters=[shapes.CategoriesQuery, *_PARAMETERS],
        responses={
            200: shapes.complete_list("CategoryListSerializer", shapes.CategorySerializer),
            304: NOT_MODIFIED,
            404: NO_CATEGORY,
        },
    )
    def get(self, request: Request) -> Response:
        def build(snapshot: queries.CatalogueSnapshot, language: str) -> Any:
            parent = self.query().get("parent")
            if parent is not None:
                found = list(snapshot.children_of(_existing(snapshot, parent).id))
            else:
                found = []
                pending = list(reversed(snapshot.children_of(None)))
                while pending:
                    category = pending.pop()
                    found.append(category)
                    pending.extend(reversed(snapshot.children_of(category.id)))
            return whole(
                {
                    "id": category.id,
                    "parent": category.parent_id,
                    "name": queries.name_in(category.names, language),
                    "is_leaf": category.is_leaf,
                }
                for category in found
                if not category.is_retired
            )

        return self.answer(request, build)


class CategoryAttributesView(CatalogueView):
    @extend_schema(
        operation_id="catalogue_category_attributes",
        summary="What a listing of a category has to state, and what it can choose from",
        parameters=_PARAMETERS,
        responses={200: shapes.CategoryAttributesSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request, category_id: str) -> Response:
        def build(snapshot: queries.CatalogueSnapshot, language: str) -> Any:
            category = _existing(snapshot, category_id)
            return {
                "category": category.id,
                "required": list(dict.fromkeys(["condition", *category.attributes]))
                if category.is_leaf
                else [],
                "parcel_size": category.parcel_size,
                "sizes": _sizes(snapshot.sizes_for(category)),
                "conditions": _terms(snapshot.conditions_for(category.id), language),
                "max_colours": rules.MAX_COLOURS,
                "max_materials": rules.MAX_MATERIALS,
            }

        return self.answer(request, build)


class BrandsView(CatalogueView):
    query_serializers = {"GET": shapes.BrandsQuery}

    @extend_schema(
        operation_id="catalogue_brands_list",
        summary="Brands that start so, however they are written",
        parameters=[shapes.BrandsQuery, *_PARAMETERS],
        responses={
            200: shapes.complete_list("BrandListSerializer", shapes.BrandSerializer),
            304: NOT_MODIFIED,
        },
    )
    def get(self, request: Request) -> Response:
        wanted = self.query()

        def build(snapshot: queries.CatalogueSnapshot, language: str) -> Any:
            found = queries.brands(starting=wanted.get("q", ""), limit=wanted["limit"])
            return whole({"id": brand.id, "name": brand.name} for brand in found)

        return self.answer(request, build)


class SizesView(CatalogueView):
    query_serializers = {"GET": shapes.SizesQuery}

    @extend_schema(
        operation_id="catalogue_sizes_list",
        summary="Sizes of all systems, or those of a category",
        parameters=[shapes.SizesQuery, *_PARAMETERS],
        responses={
            200: shapes.complete_list("SizeListSerializer", shapes.SizeSerializer),
            304: NOT_MODIFIED,
            404: NO_CATEGORY,
        },
    )
    def get(self, request: Request) -> Response:
        category_id = self.query().get("category")

        def build(snapshot: queries.CatalogueSnapshot, language: str) -> Any:
            if category_id is None:
                return whole(_sizes(snapshot.sizes))
            return whole(_sizes(snapshot.sizes_for(_existing(snapshot, category_id))))

        return self.answer(request, build)


class ColoursView(CatalogueView):
    @extend_schema(
        operation_id="catalogue_colours_list",
        summary="The palette",
        parameters=_PARAMETERS,
        responses={
            200: shapes.complete_list("ColourListSerializer", shapes.ColourSerializer),
            304: NOT_MODIFIED,
        },
    )
    def get(self, request: Request) -> Response:
        return self.answer(
            request,
            lambda snapshot, language: whole(
                {
                    "id": colour.id,
                    "name": queries.name_in(colour.names, language),
                    "hex": colour.hex or None,
                }
                for colour in snapshot.colours
                if not colour.is_retired
            ),
        )


class ConditionsView(CatalogueView):
    query_serializers = {"GET": shapes.ConditionsQuery}

    @extend_schema(
        operation_id="catalogue_conditions_list",
        summary="Conditions, or those of a category",
        parameters=[shapes.ConditionsQuery, *_PARAMETERS],
        responses={
            200: shapes.complete_list("ConditionListSerializer", shapes.TermSerializer),
            304: NOT_MODIFIED,
            404: NO_CATEGORY,
        },
    )
    def get(self, request: Request) -> Response:
        category_id = self.query().get("category")

        def build(snapshot: queries.CatalogueSnapshot, language: str) -> Any:
            if category_id is None:
                return whole(_terms(snapshot.conditions, language))
            return whole(_terms(snapshot.conditions_for(_existing(snapshot, category_id).id), language))

        return self.answer(request, build)


class MaterialsView(CatalogueView):
    @extend_schema(
        operation_id="catalogue_materials_list",
        summary="Materials",
        parameters=_PARAMETERS,
        responses={
            200: shapes.complete_list("MaterialListSerializer", shapes.TermSerializer),
            304: NOT_MODIFIED,
        },
    )
    def get(self, request: Request) -> Response:
        return self.answer(request, lambda snapshot, language: whole(_terms(snapshot.materials, language)))

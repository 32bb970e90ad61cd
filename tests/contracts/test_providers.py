"""Every provider there is against the one suite."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ai_suggestions.contract import (
    Field,
    PhotoFinding,
    PhotoInput,
    Provider,
    SellerFacts,
    Source,
    Standing,
    SuggestionRequest,
)
from ai_suggestions.ondevice import safety
from ai_suggestions.ondevice.views import opened
from ai_suggestions.providers import provider_named
from ai_suggestions.screening import Screened
from tests.ai_suggestions.ondevice.drawing import label
from tests.contracts.provider_suite import KeptReadings, ProviderContract, final, request_of
from tests.doubles.scripted_provider import WHOLE, ScriptedProvider

SAMPLES = Path(__file__).resolve().parents[2] / "demo" / "photos"


def sample(name: str) -> bytes:
    return (SAMPLES / name / "1.jpg").read_bytes()


class TestScripted(ProviderContract):
    @pytest.fixture
    def provider(self) -> Provider:
        return ScriptedProvider(WHOLE)


class Strangers:
    """A marketplace whose other photos are all by other sellers."""

    def own_twins_of(self, photo: PhotoInput) -> Sequence[PhotoFinding]:
        return ()


class TestScreened(ProviderContract):
    """A provider behind the safety step keeps the contract as it would alone."""

    @pytest.fixture
    def provider(self) -> Provider:
        def score(request: SuggestionRequest, photo: PhotoInput) -> tuple[float, bool]:
            reading = safety.read(opened(photo.content))
            return reading.unsafe, reading.needs_review

        return Screened(ScriptedProvider(WHOLE), score=score, safety_version=safety.model_version())

    def photos(self) -> tuple[bytes, ...]:
        return (sample("high-tops"), sample("camera"))

    def test_compares_only_where_there_are_other_photos(self, provider: Provider) -> None:
        request = request_of(*self.photos())
        assert next(step.name for step in provider.plan(request)) == "safety"
        assert "duplicates" not in {step.name for step in provider.plan(request)}
        compared = replace(request, index=Strangers())
        assert [report.step for report in provider.run(compared)][:2] == ["safety", "duplicates"]


class TestOnDevice(ProviderContract):
    @pytest.fixture
    def provider(self) -> Provider:
        return provider_named("on_device")

    def photos(self) -> tuple[bytes, ...]:
        return (sample("high-tops"), sample("clothing-label"))

    def test_reads_brand_size_and_materials_from_a_label(self, provider: Provider) -> None:
        said = final(
            list(provider.run(request_of(sample("clothing-label"), facts=SellerFacts(department="women"))))
        )
        assert said[Field.BRAND].value == "esprit"
        size = said[Field.SIZE]
        assert "women-clothing-m" in [size.value, *(a.value for a in size.alternatives)]
        assert said[Field.MATERIALS].value == ["cotton", "polyester"]
        evidence = said[Field.BRAND].evidence[0]
        assert (evidence.source, evidence.box is not None) == (Source.LABEL, True)

    def test_describes_how_a_label_wants_the_thing_washed(self, provider: Provider) -> None:
        photo = io.BytesIO()
        label("ESPRIT", "100% COTTON", "MACHINE WASH 30°C").save(photo, "JPEG")
        facts = SellerFacts(category_id="women-t-shirts")
        description = final(list(provider.run(request_of(photo.getvalue(), facts=facts))))[Field.DESCRIPTION]
        assert description.value.splitlines()[-1] == "Pflege: bei 30 °C waschen."
        read = [piece for piece in description.evidence if piece.note == "care_on_label"]
        assert [(piece.source, piece.box is not None) for piece in read] == [(Source.LABEL, True)]

    def test_shoes_without_a_department_are_a_choice_among_departments(self, provider: Provider) -> None:
        request = request_of(sample("sneakers"))
        category = final(list(provider.run(request)))[Field.CATEGORY]
        assert (category.standing, category.note) == (Standing.CHOICE, "department_unknown")
        departments = {request.catalogue.department_of(a.value) for a in category.alternatives}
        assert {"women", "men", "kids"} <= departments

    def test_shoes_of_a_known_department_stay_in_it(self, provider: Provider) -> None:
        request = request_of(sample("sneakers"), facts=SellerFacts(department="men"))
        category = final(list(provider.run(request)))[Field.CATEGORY]
        assert {request.catalogue.department_of(a.value) for a in category.alternatives} == {"men"}
        assert category.within is not None, "the leaf is open, the branch is sure"

    def test_a_photo_is_read_once(self, provider: Provider) -> None:
        readings = KeptReadings()
        first = list(provider.run(request_of(sample("camera"), readings=readings)))
        again = list(
            provider.run(
                request_of(sample("camera"), readings=readings, facts=SellerFacts(title="My camera"))
            )
        )
        assert {r.step: r.reused for r in first if r.reused} == {}
        assert {r.step for r in again if r.reused} == {"category", "colour", "label_text"}

    def test_one_unreadable_photo_does_not_spoil_the_others(self, provider: Provider) -> None:
        said = final(list(provider.run(request_of(b"broken", sample("camera")))))
        assert said[Field.COLOURS].standing is Standing.PROPOSED

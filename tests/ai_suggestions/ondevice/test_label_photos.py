"""A label among other photos is found by itself, within its time, and stated as surely as was measured."""

from __future__ import annotations

import pytest

from ai_suggestions.contract import Field, Proposal, SellerFacts, Standing, StepReport
from ai_suggestions.ondevice.label_facts import MOST_SURE
from ai_suggestions.providers.on_device import LABEL_BUDGET_S, OnDeviceProvider
from tests.ai_suggestions.ondevice.drawing import DEMO_PHOTOS
from tests.contracts.provider_suite import final, request_of

NAMES = ("sneakers", "high-tops", "armchair", "clothing-label", "sofa")
REQUEST = request_of(
    *((DEMO_PHOTOS / name / "1.jpg").read_bytes() for name in NAMES),
    facts=SellerFacts(department="women", description="Worn twice, but there is a small stain"),
)
LABEL = REQUEST.photos[NAMES.index("clothing-label")].id


@pytest.fixture(scope="module")
def reports() -> list[StepReport]:
    return list(OnDeviceProvider().run(REQUEST))


class TestLabelAmongOtherPhotos:
    @pytest.mark.parametrize("field", [Field.BRAND, Field.MATERIALS])
    def test_is_found_and_stated_no_surer_than_was_measured(
        self, reports: list[StepReport], field: Field
    ) -> None:
        found = final(reports)[field]
        assert found.standing is Standing.PROPOSED
        assert {piece.photo_id for piece in found.evidence} == {LABEL}
        assert found.confidence is not None
        assert found.confidence <= MOST_SURE

    def test_is_read_within_its_time(self, reports: list[StepReport]) -> None:
        step = next(report for report in reports if report.step == "label_text")
        assert step.elapsed_ms <= 1000 * LABEL_BUDGET_S

    def test_is_no_sign_of_the_things_colour(self, reports: list[StepReport]) -> None:
        assert LABEL not in {piece.photo_id for piece in final(reports)[Field.COLOURS].evidence}


class TestWordsOfTheSeller:
    def test_become_conditions_to_choose_from(self, reports: list[StepReport]) -> None:
        found: Proposal = final(reports)[Field.CONDITION]
        assert [alternative.value for alternative in found.alternatives] == [
            "good",
            "satisfactory",
            "very_good",
        ]
        assert [piece.text for piece in found.evidence] == ["small stain", "Worn twice"]


class TestReasonsOfATitle:
    def test_name_the_fact_and_the_photo_of_it(self, reports: list[StepReport]) -> None:
        brand = [piece for piece in final(reports)[Field.TITLE].evidence if piece.field is Field.BRAND]
        assert [(piece.photo_id, piece.text) for piece in brand] == [(LABEL, "ESPRIT")]

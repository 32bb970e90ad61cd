"""The same records in every authority's form, against the schema of each."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from dac7.message.dialects import DIALECTS
from dac7.message.schemas import SchemaUnusable, load_schema
from dac7.message.writer import MessageKind, RecordKind, UnwritableRecord
from tests.dac7.message.messages import (
    COMPANY,
    HEADINGS,
    NAMELESS_TIN,
    SELLER,
    doc,
    tree_of,
    written,
)

SHARED = Path(__file__).parents[4] / "shared" / "dac7"
FOLDERS = {"oecd": "oecd_v1.0", "de": "de_bzst", "uk": "uk_hmrc", "fr": "fr_v1.1-fr1", "hu": "hu_nav"}
needs_schemas = pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="the authorities' schemas are not ours to redistribute: ../shared/dac7 is absent",
)


def errors_in(name: str, document: bytes, folder: str = "") -> list[str]:
    schema = load_schema(DIALECTS[name], folder or str(SHARED / FOLDERS.get(name, "")))
    schema.validate(etree.fromstring(document))
    return [entry.message for entry in schema.error_log]


class TestEveryDialect:
    @pytest.mark.parametrize("name", ["sandbox", *(pytest.param(n, marks=needs_schemas) for n in FOLDERS)])
    def test_new_records_corrections_and_a_nil_return_pass_its_schema(self, name: str) -> None:
        heading = HEADINGS[name]
        people = ((doc("a"), SELLER), (doc("b"), NAMELESS_TIN), (doc("c"), COMPANY))
        assert errors_in(name, written(name, heading, people)) == []
        corrections = replace(
            heading,
            indicator="DPI402",
            operator_doc=doc("o", RecordKind.RESENT),
            message_ref="OP_2026_302345678_2",
        )
        chain = (
            (doc("a2", RecordKind.CORRECTED, corrects="a"), SELLER),
            (doc("b2", RecordKind.DELETED, corrects="b"), NAMELESS_TIN),
        )
        assert errors_in(name, written(name, corrections, chain)) == []
        assert errors_in(name, written(name, replace(heading, indicator=MessageKind.NIL), ())) == []

    def test_all_are_known_by_name(self) -> None:
        assert set(DIALECTS) == {"sandbox", *FOLDERS}

    def test_french_taxes_have_names_of_their_own_and_one_residence(self) -> None:
        text = written("fr", HEADINGS["fr"], ((doc("a"), SELLER),)).decode()
        assert "<dpi:TaxesQ1" in text
        assert 'xmlns:dpi="urn:oecd:ties:dpi"' in text
        assert "<dpi:ResCountryCode>LT<" not in text
        assert "FR</dpi:ResCountryCode><dpi:TIN" in text
        assert "SendingEntityIN" not in text

    @pytest.mark.parametrize(
        ("home", "residences", "written_one"),
        [("LT", ("FR", "LT"), "LT"), ("GB", ("EE", "GB"), "EE"), ("GB", ("GB",), "GB")],
    )
    def test_the_one_residence_is_that_of_the_address_inside_the_union(
        self, home: str, residences: tuple[str, ...], written_one: str
    ) -> None:
        seller = replace(SELLER, residences=residences, address=replace(SELLER.address, country=home))
        root = tree_of(written("fr", HEADINGS["fr"], ((doc("a"), seller),)))
        assert [e.text for e in root.iterfind(".//{*}IndSellerID/{*}ResCountryCode")] == [written_one]

    def test_hungary_has_its_own_root_and_no_countries(self) -> None:
        text = written("hu", HEADINGS["hu"], ((doc("c"), COMPANY),)).decode()
        assert "<dpi:DPI_HU" in text
        assert "TransmittingCountry" not in text
        assert "<dpi:PermanentEstablishments><dpi:Address><dpi:CountryCode>DE<" in text


class TestWriting:
    def test_the_same_input_gives_the_same_bytes(self) -> None:
        assert written("sandbox", HEADINGS["sandbox"], ((doc("a"), SELLER),)) == written(
            "sandbox", HEADINGS["sandbox"], ((doc("a"), SELLER),)
        )

    def test_zeros_are_written_and_each_quarter_has_its_currency(self) -> None:
        quarters = (replace(SELLER.quarters[0], currency="PLN"), *SELLER.quarters[1:])
        root = tree_of(
            written("sandbox", HEADINGS["sandbox"], ((doc("a"), replace(SELLER, quarters=quarters)),))
        )
        amounts = root.findall(".//{*}Consideration/*")
        assert [(e.get("currCode"), e.text) for e in amounts] == [
            ("PLN", "10"),
            ("EUR", "0"),
            ("EUR", "0"),
            ("EUR", "2000"),
        ]

    def test_the_timestamp_is_central_european_without_a_zone(self) -> None:
        root = tree_of(written("sandbox", HEADINGS["sandbox"], ()))
        # 2027-01-12T09:30:00Z in winter
        assert root.findtext(".//{*}Timestamp") == "2027-01-12T10:30:00"

    def test_somebody_without_a_tin_is_written_as_unknown_with_a_place_of_birth(self) -> None:
        root = tree_of(written("sandbox", HEADINGS["sandbox"], ((doc("b"), NAMELESS_TIN),)))
        tin = root.find(".//{*}IndSellerID/{*}TIN")
        assert tin is not None
        assert (tin.text, tin.get("unknown")) == ("NOTIN", "true")
        assert root.findtext(".//{*}BirthPlace/{*}City") == "Kaunas"

    @pytest.mark.parametrize("name", ["Ona\x01", "Ona\x00", "\ud800"])
    def test_a_character_that_xml_cannot_hold_names_the_record(self, name: str) -> None:
        with pytest.raises(UnwritableRecord) as raised:
            written("sandbox", HEADINGS["sandbox"], ((doc("a"), replace(SELLER, first_name=name)),))
        assert raised.value.doc_ref == "a"


class TestSchemas:
    def test_a_folder_that_is_not_set_or_empty_is_named(self, tmp_path: Path) -> None:
        for folder in ("", str(tmp_path), str(tmp_path / "nowhere")):
            with pytest.raises(SchemaUnusable) as raised:
                load_schema(DIALECTS["oecd"], folder)
            assert raised.value.rule == "schema_missing"

    def test_a_schema_of_another_dialect_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "other.xsd").write_text(
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x">'
            '<xs:element name="Other"/></xs:schema>'
        )
        with pytest.raises(SchemaUnusable) as raised:
            load_schema(DIALECTS["hu"], str(tmp_path))
        assert raised.value.rule == "schema_of_another_dialect"
        assert "Other" in str(raised.value)

    def test_a_half_downloaded_schema_is_no_schema(self, tmp_path: Path) -> None:
        (tmp_path / "half.xsd").write_text("<xs:schema")
        with pytest.raises(SchemaUnusable) as raised:
            load_schema(DIALECTS["hu"], str(tmp_path))
        assert raised.value.rule == "schema_missing"

    @needs_schemas
    def test_one_without_the_files_that_it_imports_is_incomplete(self, tmp_path: Path) -> None:
        main = SHARED / "hu_nav" / "DPIXML_v1.0.xsd"
        (tmp_path / main.name).write_bytes(main.read_bytes())
        with pytest.raises(SchemaUnusable) as raised:
            load_schema(DIALECTS["hu"], str(tmp_path))
        assert raised.value.rule == "schema_missing"
        assert os.fspath(tmp_path) not in str(raised.value).splitlines()[0] or "incomplete" in str(
            raised.value
        )


def test_a_message_can_be_written_to_any_binary_file() -> None:
    target = io.BytesIO()
    target.write(written("sandbox", HEADINGS["sandbox"], ()))
    assert target.getvalue().startswith(b"<?xml version='1.0' encoding='utf-8'?>")

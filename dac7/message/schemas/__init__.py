"""The schema of a dialect: our own for the sandbox, else what the operator downloaded from his authority."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Final

from lxml import etree

from dac7.message.dialects import Dialect
from foundation.xml_reading import safe_parser

_HERE: Final = Path(__file__).parent
_XSD: Final = "{http://www.w3.org/2001/XMLSchema}"


class SchemaUnusable(ValueError):
    """``rule``: ``schema_missing`` or ``schema_of_another_dialect``."""

    def __init__(self, rule: str, words: str) -> None:
        super().__init__(words)
        self.rule = rule


def load_schema(dialect: Dialect, folder: str) -> etree.XMLSchema:
    """The schema that a message in this dialect has to pass; read once per process and change of the folder.

    ``folder`` holds the authority's files as downloaded; the one that declares the dialect's root counts.
    Raises SchemaUnusable.
    """
    if dialect.has_own_schema:
        return _compiled(_HERE / "sandbox_message.xsd", 0.0)
    if not folder:
        raise SchemaUnusable(
            "schema_missing", "DAC7_SCHEMA_DIR is not set: it names the folder with the schema."
        )
    directory = Path(folder)
    files = sorted(directory.glob("*.xsd")) if directory.is_dir() else []
    if not files:
        raise SchemaUnusable("schema_missing", "There is no .xsd file in DAC7_SCHEMA_DIR.")
    found = []
    for file in files:
        roots = _roots(file)
        if (dialect.namespace, dialect.root) in roots:
            return _compiled(file, file.stat().st_mtime)
        found += [name for _, name in roots]
    others = ", ".join(sorted(set(found))) or "no root element"
    raise SchemaUnusable(
        "schema_of_another_dialect",
        f"DAC7_SCHEMA_DIR holds no schema for {dialect.title} ({dialect.root} in {dialect.namespace}), "
        f"but one for {others}.",
    )


def status_schema() -> etree.XMLSchema:
    """The form in which the sandbox authority answers."""
    return _compiled(_HERE / "sandbox_status.xsd", 0.0)


def _roots(file: Path) -> set[tuple[str, str]]:
    try:
        schema = etree.parse(str(file), safe_parser()).getroot()
    except (etree.XMLSyntaxError, OSError) as error:
        raise SchemaUnusable(
            "schema_missing", f"{file.name} in DAC7_SCHEMA_DIR cannot be read: {error}"
        ) from None
    namespace = schema.get("targetNamespace", "")
    return {(namespace, element.get("name", "")) for element in schema.iterchildren(f"{_XSD}element")}


@functools.lru_cache(maxsize=8)
def _compiled(file: Path, changed_at: float) -> etree.XMLSchema:
    try:
        return etree.XMLSchema(etree.parse(str(file), safe_parser()))
    except etree.XMLSchemaParseError as error:
        raise SchemaUnusable(
            "schema_missing", f"{file.name} in DAC7_SCHEMA_DIR is incomplete: {error}"
        ) from None

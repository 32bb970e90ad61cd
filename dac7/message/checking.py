"""Checks a written message as an authority would: the second layer, then the schema, each streamed.

Memory does not grow with the file, but for eight bytes a record (no DocRefId twice).
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from datetime import date
from typing import IO, Final

from lxml import etree

from dac7.message.dialects import Dialect
from dac7.message.findings import Finding, KnownReferences
from dac7.message.rules import FORBIDDEN, OF_HEAD, OF_OPERATOR, OF_SELLER, Part, Rule
from foundation.xml_reading import RefusedXml, refuse_doctype

MOST_FINDINGS: Final = 500
_ASKED_AT_ONCE: Final = 500
_BLOCK: Final = 1 << 20


def check_message(
    file: IO[bytes],
    dialect: Dialect,
    schema: etree.XMLSchema,
    *,
    year: int,
    today: date,
    known: KnownReferences,
) -> list[Finding]:
    """What is wrong with the file, the first MOST_FINDINGS of it; warnings are among it (see RULES)."""
    checker = _Checker(dialect, year=year, today=today, known=known)
    try:
        refuse_doctype(file)
        checker.read(file)
        checker.validate(file, schema)
    except RefusedXml as refused:
        checker.add(refused.rule, str(refused))
    except _Enough:
        pass
    return checker.findings[:MOST_FINDINGS]


class _Enough(Exception):
    """There is enough to tell."""


class _Checker:
    def __init__(self, dialect: Dialect, *, year: int, today: date, known: KnownReferences) -> None:
        self.dialect, self.year, self.today, self.known = dialect, year, today, known
        self.findings: list[Finding] = []
        self.indicator = ""
        self.message_ref = ""
        self.kinds: set[str] = set()
        self.sellers = 0
        self.seen: set[bytes] = set()
        self.fresh: list[str] = []
        self.corrected: dict[str, str] = {}

    def add(self, rule: str, detail: str, ref: str = "") -> None:
        self.findings.append(Finding(rule, detail, ref))
        if len(self.findings) >= MOST_FINDINGS:
            raise _Enough

    def read(self, file: IO[bytes]) -> None:
        try:
            for name, element in self._events(file):
                self._take(name, element)
        except etree.XMLSyntaxError as error:
            raise RefusedXml("not_well_formed", f"The file is not well-formed XML: {error.msg}") from None
        self._ask()
        self._end()
        file.seek(0)
        if not any(f.rule == "forbidden_sequence" for f in self.findings) and (sign := _forbidden_in(file)):
            self.add("forbidden_sequence", f"{sign} is in the file.")

    def validate(self, file: IO[bytes], schema: etree.XMLSchema) -> None:
        # A pass of its own: with a schema lxml tells a file that breaks it from one that is cut off only by
        # texts. By now it is known to be well-formed, so that any error is one of the schema.
        file.seek(0)
        try:
            for _ in self._events(file, schema):
                pass
        except etree.XMLSyntaxError:
            file.seek(0)
            self._name_schema_errors(file, schema)

    def _name_schema_errors(self, file: IO[bytes], schema: etree.XMLSchema) -> None:
        """Which record breaks the schema: each alone between the head and the operator of the message."""
        shell: etree._Element | None = None
        before = len(self.findings)
        for name, element in self._events(file):
            if name == "MessageSpec":
                root = etree.Element(f"{{{self.dialect.namespace}}}{self.dialect.root}", version="1.0")
                root.append(copy.deepcopy(element))
                shell = etree.SubElement(root, f"{{{self.dialect.namespace}}}DPIBody")
            elif shell is not None:
                shell.append(copy.deepcopy(element))
                if not schema.validate(shell.getroottree()):
                    for words in dict.fromkeys(_words(entry) for entry in schema.error_log):
                        self.add("schema", words, self._part(element).ref)
                if name == "ReportableSeller":
                    shell.remove(shell[-1])
        if len(self.findings) == before:
            self.add("schema", "The file does not have the elements of the schema.")

    def _events(
        self, file: IO[bytes], schema: etree.XMLSchema | None = None
    ) -> Iterator[tuple[str, etree._Element]]:
        names = {
            f"{{{self.dialect.namespace}}}{n}": n
            for n in ("MessageSpec", "PlatformOperator", "ReportableSeller")
        }
        for _, element in etree.iterparse(
            file, events=("end",), tag=tuple(names), schema=schema, resolve_entities=False, no_network=True
        ):
            yield names[str(element.tag)], element
            # What was looked at is not needed any more: the tree would grow with the file.
            element.clear(keep_tail=False)
            parent = element.getparent()
            while parent is not None and element.getprevious() is not None:
                del parent[0]

    def _part(self, element: etree._Element) -> Part:
        return Part(element, self.dialect, year=self.year, today=self.today)

    def _take(self, name: str, element: etree._Element) -> None:
        part = self._part(element)
        if name == "MessageSpec":
            self._apply(OF_HEAD, part, "")
            self.indicator, self.message_ref = part.text("MessageTypeIndic"), part.text("MessageRefId")
            return
        is_seller = name == "ReportableSeller"
        self._apply(OF_SELLER if is_seller else OF_OPERATOR, part, part.ref)
        if is_seller:
            self.sellers += 1
            self.kinds.add(part.kind)
        key = hashlib.blake2b(part.ref.encode(), digest_size=8).digest()
        if key in self.seen:
            self.add("doc_ref_duplicate", "Another record of this file has the same DocRefId.", part.ref)
        self.seen.add(key)
        if part.kind != "OECD0":
            self.fresh.append(part.ref)
        if part.corrects:
            self.corrected[part.corrects] = part.ref
        if len(self.fresh) >= _ASKED_AT_ONCE:
            self._ask()

    def _apply(self, rules: tuple[Rule, ...], part: Part, ref: str) -> None:
        for rule in rules:
            if rule.broken is not None and (detail := rule.broken(part)):
                self.add(rule.code, detail, ref)

    def _ask(self) -> None:
        fresh, corrected = self.fresh, self.corrected
        self.fresh, self.corrected = [], {}
        for ref in sorted(self.known.used_elsewhere(fresh)):
            self.add("ref_reused", "This DocRefId was used before.", ref)
        for ref in sorted(set(corrected) - self.known.correctable(list(corrected))):
            self.add(
                "corr_doc_ref_unknown",
                "CorrDocRefId names no accepted record that still stands.",
                corrected[ref],
            )

    def _end(self) -> None:
        if self.known.used_elsewhere([self.message_ref]):
            self.add("ref_reused", "This MessageRefId was used before.")
        new, correcting = "OECD1" in self.kinds, bool(self.kinds & {"OECD2", "OECD3"})
        if new and correcting:
            self.add("mixed_records", "New records and corrections in one message.")
        expected = self.dialect.corrections if correcting else "DPI401"
        if self.indicator == "DPI403":
            if self.sellers:
                self.add("nil_with_sellers", f"DPI403 with {self.sellers} sellers.")
        elif not self.sellers:
            self.add("sellers_missing", f"{self.indicator} without sellers.")
        elif self.indicator != expected:
            self.add(
                "indicator_mismatch", f"{self.indicator} with records of {', '.join(sorted(self.kinds))}."
            )


def _words(entry: etree._LogEntry) -> str:
    """Which element and what kind of error, without the value: it may be personal."""
    named = entry.message.partition("'")[2].partition("'")[0]
    facet = entry.message.partition("[facet '")[2].partition("'")[0]
    return f"{named.rpartition('}')[2]}: {facet or entry.type_name.removeprefix('SCHEMAV_').lower()}"


def _forbidden_in(file: IO[bytes]) -> str:
    signs = [sign.encode() for sign in FORBIDDEN]
    tail = b""
    while block := file.read(_BLOCK):
        for sign in signs:
            if sign in tail + block:
                return sign.decode()
        tail = block[-1:]
    return ""

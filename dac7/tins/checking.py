"""Whether a text may be the TIN that somebody says it is, and how far that could be checked."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import stdnum
from stdnum.exceptions import ValidationError

from dac7.dossiers import EntityType, Level
from dac7.tins import national
from dac7.tins.table import TinKind, kinds_of

_CLASSES = {"9": "[0-9]", "A": "[A-Z]", "*": "[0-9A-Z]", "S": "[-+A-FU-Y]"}


@dataclass(frozen=True, slots=True)
class CheckedTin:
    """A number that stood its checks. `by`: what checked it, such as "python-stdnum 2.2 lt.asmens"."""

    number: str = field(repr=False)
    kind: TinKind
    level: Level
    by: str


class TinProblem(Exception):
    """Why a text is no TIN of that state. `code` and `detail` are for the one who typed it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def normalised(text: str, state: str) -> str:
    """The form that is stored, compared and reported: upper case, no separators.

    Finland's century sign belongs to the number and stays.
    """
    separators = r"[\s./]" if state == "FI" else r"[\s./\-]"
    return re.sub(separators, "", text).upper()


def check_tin(text: str, *, state: str, who: EntityType) -> CheckedTin:
    """Raises TinProblem: unknown_tin_state, tin_wrong_format, tin_wrong_check_digits, tin_of_other_kind."""
    kinds = kinds_of(state, who)
    if not kinds:
        asked_for = "Only numbers of member states, the United Kingdom and Canada are asked for."
        raise TinProblem("unknown_tin_state", f"We know no tax number of {state!r}. {asked_for}")
    number = normalised(text, state)
    candidates = _forms(number, state)
    fitting = [(form, kind) for form in candidates for kind in kinds if _has_shape(form, kind)]
    for form, kind in fitting:
        checker = _checker(kind.check)
        if checker is None:
            continue
        if checker(form):
            return CheckedTin(form, kind, Level.CHECKSUM, _name_of(kind.check))
    # Eleven digits in Germany are sooner an IdNr with a typo than a Steuernummer, which has strokes.
    has_failed = any(kind.check for _, kind in fitting)
    for form, kind in fitting:
        if not kind.check and ("/" in text or not has_failed):
            return CheckedTin(form, kind, Level.FORMAT, "preloved shape")
    other = EntityType.ENTITY if who is EntityType.INDIVIDUAL else EntityType.INDIVIDUAL
    if not fitting and any(_has_shape(form, kind) for form in candidates for kind in kinds_of(state, other)):
        owners = "a company" if other is EntityType.ENTITY else "a person"
        raise TinProblem("tin_of_other_kind", f"This looks like the number of {owners}; {_hint(kinds[0])}")
    if fitting:
        raise TinProblem(
            "tin_wrong_check_digits", f"The check digits do not fit, something is mistyped; {_hint(kinds[0])}"
        )
    raise TinProblem("tin_wrong_format", f"This is not how the number looks; {_hint(kinds[0])}")


def contradicts_birth(checked: CheckedTin, born: date) -> bool:
    """Whether the number tells another day of birth than the one given: it is then somebody else's.

    Numbers without a day of birth, or with one that was left open, contradict nothing. Centuries are not
    compared: short forms leave them open.
    """
    told = _birth_in(checked)
    return told is not None and told != (born.year % 100, born.month, born.day)


def _birth_in(checked: CheckedTin) -> tuple[int, int, int] | None:
    number = checked.number
    if checked.kind.check == "fi.hetu":
        return int(number[4:6]), int(number[2:4]), int(number[:2])
    if checked.kind.check == "national.se_individual":
        day = int(number[-6:-4])
        return int(number[-10:-8]), int(number[-8:-6]), day - 60 if day > 60 else day
    if checked.kind.check == "national.lu_individual":
        return int(number[2:4]), int(number[4:6]), int(number[6:8])
    if checked.kind.check == "national.lv_individual":
        return (
            None
            if number[0] == "3" and number[1] >= "2"
            else (int(number[4:6]), int(number[2:4]), int(number[:2]))
        )
    if checked.kind.state == "DK" and checked.kind.who is EntityType.INDIVIDUAL:
        return int(number[4:6]), int(number[2:4]), int(number[:2])
    if checked.kind.check.startswith("national.") or checked.level is not Level.CHECKSUM:
        return None
    read = getattr(_module(checked.kind.check), "get_birth_date", None)
    try:
        born = None if read is None else read(number)
    except (ValidationError, ValueError):
        return None
    return None if born is None else (born.year % 100, born.month, born.day)


def _forms(number: str, state: str) -> list[str]:
    """As typed, and without the state's letters before it."""
    prefixes = (state, "EL") if state == "GR" else (state,)
    return [number, *(number[2:] for prefix in prefixes if number.startswith(prefix))]


def _has_shape(number: str, kind: TinKind) -> bool:
    return any(
        re.fullmatch("".join(_CLASSES.get(sign, sign) for sign in shape), number) for shape in kind.shapes
    )


def _hint(kind: TinKind) -> str:
    return f"{kind.name} of {kind.state}, for example {kind.example}."


@functools.cache
def _checker(check: str) -> Callable[[str], bool] | None:
    if not check:
        return None
    if check.startswith("national."):
        own: Callable[[str], bool] = getattr(national, check.removeprefix("national."))
        return own
    return _module(check).is_valid  # type: ignore[no-any-return]  # stdnum has no types of its modules


@functools.cache
def _module(check: str) -> Any:
    return importlib.import_module(f"stdnum.{check}")


def _name_of(check: str) -> str:
    return (
        f"preloved {check}"
        if check.startswith("national.")
        else f"python-stdnum {stdnum.__version__} {check}"
    )

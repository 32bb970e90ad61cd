"""An evaluation from folder and provider's name to figures: what the commands have in common."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ai_suggestions.catalogue import Catalogue
from ai_suggestions.evaluation.catalogue import find_loaded_catalogue, shipped_catalogue
from ai_suggestions.evaluation.folds import NoFolds, read_folds
from ai_suggestions.evaluation.known_photos import known_photos
from ai_suggestions.evaluation.labelled import LabelledFolder, LabelledPhoto, NothingLabelled, read_folder
from ai_suggestions.evaluation.looking import Look, Unreadable, looks_of
from ai_suggestions.evaluation.scores import Scores, scores_of
from ai_suggestions.ondevice import sessions
from ai_suggestions.ondevice.garments import kind_model, using_kind_model
from ai_suggestions.providers import UnknownProvider, provider_named

Say = Callable[[str], None]


class CannotEvaluate(Exception):
    """There is nothing to give figures about; the text says why."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one provider said about a folder. ``left_out`` counts photos and rows by reason."""

    provider: str
    looks: tuple[Look, ...]
    scores: Scores
    left_out: Mapping[str, int]
    notes: tuple[str, ...]


def opened_folder(
    folder: Path, *, colours: Path | None, limit: int | None, say: Say
) -> tuple[LabelledFolder, Catalogue]:
    """The labelled photos and the catalogue to see them with. Raises CannotEvaluate."""
    catalogue = find_loaded_catalogue()
    if catalogue is None:
        say("No catalogue in the database; taking the one that is shipped.")
        catalogue = shipped_catalogue()
    try:
        labelled = read_folder(folder, catalogue=catalogue, colours=colours, limit=limit)
    except NothingLabelled as problem:
        raise CannotEvaluate(str(problem)) from problem
    for reason, count in sorted(labelled.left_out.items()):
        say(f"Left out, {reason}: {count}.")
    say(f"{len(labelled.photos)} of {labelled.total} labelled photos in {folder}.")
    if nameless := sum(photo.kind is None for photo in labelled.photos):
        say(f"Without a label, so that their category is not judged: {nameless}.")
    return labelled, catalogue


def evaluated(name: str, labelled: LabelledFolder, catalogue: Catalogue, *, say: Say) -> Evaluated:
    """What a registered provider says about each photo. Raises CannotEvaluate when it answers about none."""
    looks, unreadable = _looks(name, labelled.photos, catalogue, say)
    return _summed_up(name, labelled, looks, unreadable, say, notes=_learned_from(looks))


def evaluated_by_folds(
    name: str, labelled: LabelledFolder, catalogue: Catalogue, *, work: Path, say: Say
) -> Evaluated:
    """As ``evaluated``, each photo with the garment model of the fold that held its sender out.

    Photos that no fold held out are left out. Raises CannotEvaluate.
    """
    try:
        folds = read_folds(work, labelled.photos)
    except NoFolds as problem:
        raise CannotEvaluate(str(problem)) from problem
    looks: list[Look] = []
    unreadable: list[Unreadable] = []
    for model, photos in folds:
        say(f"{model.version}: {len(photos)} photos of senders that it never saw.")
        with using_kind_model(model):
            more, broken = _looks(name, photos, catalogue, say)
        if more and not _took_part(model.version, more):
            raise CannotEvaluate(f"{name} does not use the garment model, so folds say nothing about it.")
        looks += more
        unreadable += broken
    left_out = Counter(labelled.left_out)
    judged = sum(len(photos) for _, photos in folds)
    if judged < len(labelled.photos):
        left_out["photo that no fold held out"] = len(labelled.photos) - judged
    note = (
        f"Grouped cross-validation: each photo was looked at by one of {len(folds)} models that never saw "
        "its sender. Calibration, gate and thresholds are the shipped ones."
    )
    return _summed_up(name, replace(labelled, left_out=left_out), looks, unreadable, say, notes=[note])


def _looks(
    name: str, photos: Sequence[LabelledPhoto], catalogue: Catalogue, say: Say
) -> tuple[list[Look], list[Unreadable]]:
    try:
        provider = provider_named(name)
    except UnknownProvider as problem:
        raise CannotEvaluate(f"No provider is called {name!r}.") from problem
    provider.warm_up()

    def each(done: int) -> None:
        if done % 50 == 0 or done == len(photos):
            say(f"{name}: {done} of {len(photos)} photos.")

    return looks_of(photos, provider=provider, catalogue=catalogue, each=each)


def _summed_up(
    name: str,
    labelled: LabelledFolder,
    looks: Sequence[Look],
    unreadable: Sequence[Unreadable],
    say: Say,
    *,
    notes: Sequence[str],
) -> Evaluated:
    left_out = Counter(labelled.left_out) + Counter(f"photo {entry.reason}" for entry in unreadable)
    for entry in unreadable:
        say(f"Left out, {entry.reason}: {entry.photo.file}.")
    if not looks:
        raise CannotEvaluate(f"None of the {len(unreadable)} photos can be read.")
    scores = scores_of(looks, named_kinds=labelled.named_kinds)
    errors = Counter(look.error_code or "nothing proposed" for look in looks if not look.answered)
    if scores.unanswered == len(looks):
        raise CannotEvaluate(f"{name} answered about no photo: {_counted(errors)}.")
    notes = [*notes, *_faults(scores, errors)]
    for note in notes:
        say(note)
    return Evaluated(name, tuple(looks), scores, dict(left_out), tuple(notes))


def _faults(scores: Scores, errors: Counter[str]) -> list[str]:
    notes = []
    if scores.unanswered:
        notes.append(f"Not answered, counted as wrong: {scores.unanswered} photos, {_counted(errors)}.")
    if scores.offered_otherwise:
        notes.append(
            f"The category offered first is of another kind than the one recognised on "
            f"{scores.offered_otherwise} of {scores.n} photos. The figures are about the one recognised."
        )
    return notes


def _learned_from(looks: Sequence[Look]) -> list[str]:
    """A warning if the model has learned from photos whose category is judged."""
    version = kind_model().version
    labelled = [look.photo.path for look in looks if look.photo.kind is not None]
    known = known_photos(labelled) if _took_part(version, looks) else ()
    if not known:
        return []
    return [
        f"The model {version} was trained on {len(known)} of these {len(labelled)} photos, so the "
        f"category's figures are flattering. {_held_out(version)}"
    ]


def _took_part(version: str, looks: Sequence[Look]) -> bool:
    """Whether a step names this version of the model as its own."""
    return any(step.version.partition("/")[0] == version for look in looks for step in look.steps)


def _held_out(version: str) -> str:
    """What the training measured on senders that the model had not seen, as far as it left word of it."""
    table = sessions.MODELS / "metrics.json"
    metrics = json.loads(table.read_text(encoding="utf-8")) if table.is_file() else {}
    figures = metrics.get("garments_after_gate") or metrics.get("garments")
    if metrics.get("version") != version or not figures:
        return "Figures of senders that it had not seen are in the model card."
    return (
        f"On {figures['n']} photos of senders that it had not seen it reached top-1 {figures['top1']:.3f}, "
        f"top-3 {figures['top3']:.3f}, calibration error {figures['ece']:.3f}."
    )


def _counted(errors: Counter[str]) -> str:
    return ", ".join(f"{code} ({count})" for code, count in errors.most_common(3))

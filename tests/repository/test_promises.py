"""What the code promises by a name, some test has to hold by that name."""

from __future__ import annotations

import importlib
import pkgutil

from django.apps import apps
from django.db import models

from foundation.errors import DomainError
from tests.repository.sources import service_packages, text_of_tests


def load_everything() -> None:
    """Import every module of the service, so that all subclasses are known."""
    importlib.import_module("config.urls")  # registers the path converters that the apps' routes use
    for name in service_packages():
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, prefix=f"{name}."):
            if ".migrations" not in module.name and ".training" not in module.name:
                importlib.import_module(module.name)


def error_kinds() -> list[type[DomainError]]:
    load_everything()
    found: list[type[DomainError]] = []
    waiting = [DomainError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return [kind for kind in found if kind.__module__.partition(".")[0] in service_packages()]


def own_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in service_packages()]


class TestErrorCodes:
    def test_each_is_named_in_a_test(self) -> None:
        text = text_of_tests()
        unnamed = {
            kind.code: kind.__module__
            for kind in error_kinds()
            if kind is not DomainError and f'"{kind.code}"' not in text
        }
        assert not unnamed

    def test_each_belongs_to_one_error(self) -> None:
        owners: dict[str, type[DomainError]] = {}
        for kind in error_kinds():
            if "code" in vars(kind):
                assert kind.code not in owners, f"{kind} and {owners.get(kind.code)} share {kind.code}"
                owners[kind.code] = kind


class TestConstraints:
    def test_each_is_named_in_a_test(self) -> None:
        text = text_of_tests()
        unnamed = [
            f"{model._meta.label}: {constraint.name}"
            for model in own_models()
            for constraint in model._meta.constraints
            if constraint.name not in text
        ]
        assert not unnamed


class TestForeignKeys:
    def test_protect_what_they_point_to(self) -> None:
        """Nothing of one app vanishes with a row of another; inside an app a part may go with its whole."""
        loose = [
            f"{model._meta.label}.{field.name}"
            for model in own_models()
            for field in model._meta.local_fields
            if isinstance(field, models.ForeignKey)
            and field.remote_field.on_delete is not models.PROTECT
            and not (
                field.remote_field.on_delete is models.CASCADE
                and field.related_model._meta.app_label == model._meta.app_label
            )
        ]
        assert not loose

    def test_point_downwards_only(self) -> None:
        """The order of the import contracts: foundation below members below listings below ai_suggestions."""
        floor = {
            "foundation": 0,
            "members": 1,
            "listings": 2,
            "balance": 2,
            "orders": 3,
            "ai_suggestions": 3,
            "dac7": 4,
        }
        upward = [
            f"{model._meta.label}.{field.name}"
            for model in own_models()
            for field in model._meta.local_fields
            if isinstance(field, models.ForeignKey)
            and field.related_model._meta.app_label in floor
            and floor[field.related_model._meta.app_label] > floor[model._meta.app_label]
        ]
        assert not upward

"""Whatever registry is asked answers alike: the sandbox, and VIES on the wire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from dac7.registries import vat_registry
from dac7.registries.contract import RegistryUnavailable, VatAnswer, VatRegistry
from dac7.registries.sandbox import SandboxVatRegistry
from dac7.registries.vies import Vies
from tests.doubles.vies_server import FAULTS, PATH, REFUSALS, ViesServer

REGISTERED, UNKNOWN, DOWN = "LT119511515", "LT100001919100", "LT100001919101"


@pytest.fixture
def server() -> Iterator[ViesServer]:
    with ViesServer() as vies:
        vies.double.registered.add(REGISTERED)
        yield vies


@pytest.fixture(params=["sandbox", "vies"])
def registry(request: pytest.FixtureRequest) -> VatRegistry:
    if request.param == "sandbox":
        return SandboxVatRegistry()
    return Vies(request.getfixturevalue("server").url, timeout_s=0.2)


class TestEveryRegistry:
    def test_knows_a_registered_number(self, registry: VatRegistry) -> None:
        assert registry.look_up(REGISTERED).is_registered is True

    def test_does_not_know_another(self, registry: VatRegistry) -> None:
        answer = registry.look_up(UNKNOWN)
        assert (answer.is_registered, answer.name, answer.address) == (False, "", "")

    def test_says_when_it_is_down(self, registry: VatRegistry, request: pytest.FixtureRequest) -> None:
        if isinstance(registry, Vies):
            request.getfixturevalue("server").double.faults.append("MS_UNAVAILABLE")
        with pytest.raises(RegistryUnavailable) as refusal:
            registry.look_up(DOWN)
        assert refusal.value.reason == "MS_UNAVAILABLE"

    def test_keeps_names_out_of_what_is_printed(self, registry: VatRegistry) -> None:
        assert "ODA" not in repr(registry.look_up(REGISTERED))


class TestVies:
    def test_is_asked_with_the_prefix_apart(self, server: ViesServer) -> None:
        answer = Vies(f"{server.url}/").look_up(REGISTERED)
        assert server.double.requests == [{"path": PATH, "countryCode": "LT", "vatNumber": "119511515"}]
        assert (answer.name, answer.address) == ("UAB ANTRA ODA", "")

    @pytest.mark.parametrize("fault", FAULTS)
    def test_never_reads_a_fault_as_not_registered(self, server: ViesServer, fault: str) -> None:
        server.double.faults.append(fault)
        with pytest.raises(RegistryUnavailable) as refusal:
            Vies(server.url, timeout_s=0.2).look_up(REGISTERED)
        assert 0 < len(refusal.value.reason) <= 40

    @pytest.mark.parametrize("refusal", REFUSALS)
    def test_knows_when_no_state_has_such_a_number(self, server: ViesServer, refusal: str) -> None:
        server.double.faults.append(refusal)
        assert Vies(server.url).look_up(REGISTERED) == VatAnswer(is_registered=False)

    def test_that_is_not_there_is_unavailable(self) -> None:
        with pytest.raises(RegistryUnavailable):
            Vies("http://127.0.0.1:9").look_up(REGISTERED)


class TestSetting:
    def test_names_the_registry(self) -> None:
        assert vat_registry().name == "sandbox"
        assert vat_registry("vies").name == "vies"

    def test_of_the_sandbox_is_refused_where_members_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "HTTPS", True)
        with pytest.raises(SystemCheckError, match=r"preloved\.E006"):
            call_command("check", "--deploy", "--tag", "money")

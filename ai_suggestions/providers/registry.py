"""Which provider answers to which name. A provider is made once per process, when first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ai_suggestions.contract import Provider

if TYPE_CHECKING:
    from ai_suggestions.llm.combined import Rules

Maker = Callable[[], Provider]


class UnknownProvider(LookupError):
    """No provider has this name: a run of a version that knew it, or a misspelt setting."""


def _on_device() -> Provider:
    from ai_suggestions.providers.on_device import OnDeviceProvider

    return OnDeviceProvider()


def _llm() -> Provider:
    from ai_suggestions.llm.wiring import llm_provider

    return llm_provider()


def _fallback(llm: Provider, on_device: Provider) -> Provider:
    from ai_suggestions.llm.combined import Fallback

    return Fallback("llm_or_on_device", llm, on_device)


def _cascade(llm: Provider, on_device: Provider) -> Provider:
    from ai_suggestions.llm.combined import Cascade

    return Cascade("on_device_then_llm", on_device, llm)


CASCADE = "on_device_then_llm"
# How an LLM and the models of this machine answer together.
_combinations: dict[str, Callable[[Provider, Provider], Provider]] = {
    "llm": lambda llm, _on_device: llm,
    "llm_or_on_device": _fallback,
    CASCADE: _cascade,
}
_makers: dict[str, Maker] = {
    "on_device": _on_device,
    "llm": _llm,
    "llm_or_on_device": lambda: _fallback(_llm(), _on_device()),
    CASCADE: lambda: _cascade(_llm(), _on_device()),
}
_made: dict[str, Provider] = {}
_making = threading.Lock()


def provider_names() -> tuple[str, ...]:
    """Every name that `provider_named` knows."""
    return tuple(sorted(_makers))


def asks_llm(name: str) -> bool:
    """Whether a provider of this name may cost money."""
    return name in _combinations


def provider_named(name: str, *, rules: Rules | None = None) -> Provider:
    """The provider of this process; a cascade under other rules if any are given. Raises UnknownProvider."""
    with _making:
        if name not in _made:
            if name not in _makers:
                raise UnknownProvider(name)
            _made[name] = _makers[name]()
        made = _made[name]
    return _ruled(made, rules)


def _ruled(provider: Provider, rules: Rules | None) -> Provider:
    from ai_suggestions.llm.combined import Cascade

    return provider.with_rules(rules) if rules and isinstance(provider, Cascade) else provider


@contextmanager
def shadow_named(name: str, *, daily_cap_micro: int | None, rules: Rules | None = None) -> Iterator[Provider]:
    """A provider for one shadow run: an LLM spends at most this on all shadows of a day, and has a circuit
    of its own, so that it cannot hold up the provider of sellers' runs. Raises UnknownProvider.
    """
    if name not in _combinations:
        yield provider_named(name)
        return
    from ai_suggestions.llm.wiring import shadow_llm_provider

    llm = shadow_llm_provider(daily_cap_micro=daily_cap_micro)
    try:
        yield _ruled(_combinations[name](llm, provider_named("on_device")), rules)
    finally:
        llm.close()


@contextmanager
def register_provider(name: str, make: Maker) -> Iterator[None]:
    """Another provider under this name, for as long as the block lasts (an evaluation, a test)."""
    before = _makers.get(name)
    with _making:
        _makers[name] = make
        kept = _made.pop(name, None)
    try:
        yield
    finally:
        with _making:
            _made.pop(name, None)
            if before is None:
                del _makers[name]
            else:
                _makers[name] = before
            if kept is not None:
                _made[name] = kept

"""Which provider answers to which name. A provider is made once per process, when first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ai_suggestions.contract import Provider


class UnknownProvider(LookupError):
    """No provider has this name: a run of a version that knew it, or a misspelt setting."""


def _on_device() -> Provider:
    from ai_suggestions.providers.on_device import OnDeviceProvider

    return OnDeviceProvider()


def _llm() -> Provider:
    from ai_suggestions.llm.wiring import llm_provider

    return llm_provider()


def _llm_or_on_device() -> Provider:
    from ai_suggestions.llm.combined import Fallback

    return Fallback("llm_or_on_device", _llm(), _on_device())


def _on_device_then_llm() -> Provider:
    from ai_suggestions.llm.combined import Cascade

    return Cascade("on_device_then_llm", _on_device(), _llm())


_makers: dict[str, Callable[[], Provider]] = {
    "on_device": _on_device,
    "llm": _llm,
    "llm_or_on_device": _llm_or_on_device,
    "on_device_then_llm": _on_device_then_llm,
}
_made: dict[str, Provider] = {}
_making = threading.Lock()


def provider_names() -> tuple[str, ...]:
    """Every name that `provider_named` knows."""
    return tuple(sorted(_makers))


def provider_named(name: str) -> Provider:
    """The provider of this process. Raises UnknownProvider."""
    with _making:
        if name not in _made:
            if name not in _makers:
                raise UnknownProvider(name)
            _made[name] = _makers[name]()
        return _made[name]


@contextmanager
def register_provider(name: str, make: Callable[[], Provider]) -> Iterator[None]:
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

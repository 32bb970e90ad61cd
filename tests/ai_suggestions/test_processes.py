"""Which process loads what: the web process never loads a model, a worker does it once, at its start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

THREADS = Path("/proc/self/task")

# The last two, the LLM's SDK and the recogniser of languages, are 130 MB.
RUNTIMES = "onnxruntime rapidocr cv2 torch openai py3langid"


def fresh_process(code: str) -> list[str]:
    """The words that a process of its own prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def loaded_by(code: str) -> list[str]:
    """The runtimes that a fresh process has imported after `code`."""
    script = (
        "import sys\n"
        "from tests import environment; environment.prepare()\n"
        f"{code}\n"
        f"print(*[name for name in '{RUNTIMES}'.split() if name in sys.modules])"
    )
    return fresh_process(script)


@pytest.mark.slow
def test_the_web_process_loads_no_model_runtime() -> None:
    assert (
        loaded_by(
            "import config.wsgi\nfrom django.urls import get_resolver\nassert get_resolver().url_patterns\n"
            "import ai_suggestions.tasks, ai_suggestions.providers.on_device"
        )
        == []
    )


@pytest.mark.slow
def test_a_workers_child_loads_them_at_its_start() -> None:
    assert {"onnxruntime", "rapidocr"} <= set(
        loaded_by(
            "import django; django.setup()\n"
            "import ai_suggestions.tasks\n"
            "from celery import signals\n"
            "signals.worker_process_init.send(sender=None)"
        )
    )


@pytest.mark.skipif(
    not THREADS.is_dir() or (os.cpu_count() or 1) < 2, reason="threads are counted in /proc, on two cores"
)
def test_numpy_starts_no_threads_beside_the_workers_own() -> None:
    count = f"import os, config.settings, numpy; print(len(os.listdir('{THREADS}')))"
    prepared = "from tests import environment; environment.prepare();"
    assert fresh_process(prepared + count) == ["1"]

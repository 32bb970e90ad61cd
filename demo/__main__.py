"""`make demo`: set up the embedded default, do the main job on real photos, keep serving until Ctrl-C.

Environment: ONCE=1 exits after the journey with status 0 or 1; PHOTOS=folder takes your photos (each
sub-folder one listing, loose photos together one); PORT=8001 another port.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from rich.console import Console

from demo.client import DemoFailed
from demo.commands import ROOT, manage
from demo.filing import file_year
from demo.journey import Journey

HOME = Path(os.environ.get("PRELOVED_HOME") or ROOT / "var").resolve()
STARTS_WITHIN_S = 180
PHOTO_TYPES = {".jpg", ".jpeg", ".png", ".webp", ".heic"}
MAX_PHOTOS = 20

console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)


def photos_of_listings(folder: Path) -> dict[str, list[Path]]:
    """Name of the listing -> its photos. Raises DemoFailed when there is none."""
    if not folder.is_dir():
        raise DemoFailed(f"PHOTOS={folder} is not a folder.")

    def photos_in(place: Path) -> list[Path]:
        return sorted(p for p in place.iterdir() if p.suffix.lower() in PHOTO_TYPES)[:MAX_PHOTOS]

    found = {place.name: photos_in(place) for place in sorted(folder.iterdir()) if place.is_dir()}
    found[folder.name] = photos_in(folder)
    found = {name: photos for name, photos in found.items() if photos}
    if not found:
        raise DemoFailed(f"There is no photo ({', '.join(sorted(PHOTO_TYPES))}) in {folder}.")
    return found


def free_port() -> int:
    """The port asked for, else 8000, else any free one. Raises DemoFailed when the one asked for is taken."""
    wanted = os.environ.get("PORT", "")
    if wanted and not (wanted.isdigit() and 0 < int(wanted) < 65536):
        raise DemoFailed(f"PORT={wanted} is not a port number.")

    def usable(port: int) -> int | None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return None
            return int(probe.getsockname()[1])

    port = usable(int(wanted or 8000))
    if port is None and wanted:
        raise DemoFailed(
            f"Port {wanted} is taken by another program. Choose another: make demo PORT={int(wanted) + 1}"
        )
    if port is None:
        port = usable(0) or 0
        console.print(f"Port 8000 is taken by another program, so this runs on port {port}.")
    return port


@contextlib.contextmanager
def served(port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Web and worker, stopped at the end. Raises DemoFailed when they do not come up."""
    logs = HOME / "log"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "serve.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # our own command
            [sys.executable, "manage.py", "serve", "--port", str(port), "--logs", str(logs)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        started = time.monotonic()
        while True:
            if process.poll() is not None:
                said = (logs / "serve.log").read_text(errors="replace").strip().splitlines()[-3:]
                raise DemoFailed("The server did not start. It said:\n" + "\n".join(said))
            with contextlib.suppress(httpx.HTTPError):
                if (
                    httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5, trust_env=False).status_code
                    == 200
                ):
                    break
            if time.monotonic() - started > STARTS_WITHIN_S:
                raise DemoFailed(f"The server was not ready after {STARTS_WITHIN_S} s; see {logs}.")
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


def main() -> int:
    """0 when the photos became visible listings, and what was bought is paid and reported; else 1."""
    once = os.environ.get("ONCE", "") not in ("", "0")
    started = time.monotonic()
    try:
        photos = photos_of_listings(Path(os.environ.get("PHOTOS") or ROOT / "demo" / "photos"))
        port = free_port()
        base_url = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "PUBLIC_URL": base_url, "PRELOVED_HOME": str(HOME), "LOG_LEVEL": "INFO"}
        console.print("[bold]Preloved[/bold]: setting up the database and starting web and worker …")
        with served(port, environment) as server:
            console.print(f"Ready after {time.monotonic() - started:.1f} s at {base_url}\n")
            journey = Journey(base_url, HOME / "mail", console)
            try:
                journey.run(photos)
                journey.books(json.loads(manage(environment, "trial_balance", "--format", "json")))
                staff = file_year(journey.seller, environment, base_url, HOME / "tax", console)
                journey.farewell(staff, seconds=time.monotonic() - started)
            finally:
                journey.close()
            if once:
                return 0
            console.print("\nServing until Ctrl-C.")
            with contextlib.suppress(KeyboardInterrupt):
                server.wait()
            return 0
    except DemoFailed as reason:
        console.print(f"\n[bold red]The demo could not be finished.[/bold red] {reason}", soft_wrap=True)
        console.print(f"Logs are in {HOME / 'log'}.")
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main())

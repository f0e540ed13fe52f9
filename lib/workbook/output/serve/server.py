"""The server of `workbook serve`: Voila on the loopback, behind a door that only a token opens.

Run as a process of its own (`python -m workbook.output.serve.server`), since Voila takes over the process; nothing
imports it. The token is random, lives in this process alone and is printed once, within the address. Whoever comes
without it, or without the cookie that it is exchanged for, is answered 403: page, scripts and kernels alike.

What a browser may send to a kernel is what controls send: no code. Pages may load nothing from elsewhere, and the
browser is told so. A kernel ends when its page is left; one whose page was lost ends after `LOST_SECONDS`.
"""

from __future__ import annotations

import argparse
import hmac
import os
import secrets
import webbrowser
from pathlib import Path
from typing import Any

from voila.app import Config, Voila

from workbook.output import i18n
from workbook.output.serve.style import page_style

HERE = Path(__file__).parent
LOST_SECONDS = 120
ONLY_FROM_HERE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; form-action 'none'"
)


class Door:
    """Lets nobody in without the token, or the cookie of who has shown it; mixed into every handler of the server."""

    async def prepare(self: Any) -> None:
        token, cookie = self.settings["door_token"], self.settings["door_cookie"]
        shown = hmac.compare_digest(self.get_query_argument("token", "").encode(), token.encode())
        if shown:
            self.set_signed_cookie(cookie, "in", expires_days=None, httponly=True, samesite="Strict")
        elif self.get_signed_cookie(cookie) != b"in":
            self.set_status(403)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish("403: open the address that `workbook serve` printed; it holds the token.\n")
            return
        made = super().prepare()
        if made is not None:
            await made
        if shown and not self._finished:
            self.set_cookie("_xsrf", self.xsrf_token.decode(), samesite="Strict")  # by it the page may end its kernel


class Explored(Voila):
    """Voila with the door, the house's template, and nothing from elsewhere."""

    door_token = ""  # what opens the door

    def setup_template_dirs(self) -> None:
        super().setup_template_dirs()
        self.template_paths = [str(HERE / "template"), *self.template_paths]

    def init_settings(self) -> dict[str, Any]:
        headers = {"Content-Security-Policy": ONLY_FROM_HERE, "Referrer-Policy": "no-referrer",
                   "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}  # fmt: skip
        return super().init_settings() | {
            "door_token": self.door_token, "door_cookie": f"workbook-{self.port}", "headers": headers,
            "allow_remote_access": False, "local_hostnames": ["localhost", "127.0.0.1"],
            "log_function": lambda _handler: None,  # an address may hold the token
        }  # fmt: skip

    def init_handlers(self) -> list[Any]:
        guarded: dict[type, type] = {}
        found = []
        for pattern, handler, *rest in super().init_handlers():
            guarded.setdefault(handler, type(f"Guarded{handler.__name__}", (Door, handler), {}))
            found.append((pattern, guarded[handler], *rest))
        return found

    def listen(self) -> None:
        address = f"http://{self.ip}:{self.port}/?token={self.door_token}"
        print(f"The explorers: {address}\nStop with Ctrl+C.", flush=True)
        if self.open_browser:
            webbrowser.open(address)
        self.open_browser = False
        super().listen()


def configured(port: int, *, lang: str, browser: bool) -> Config:
    """What the server is told."""
    words = {"language": i18n.HTML_LANGUAGE[lang], "waiting": i18n._("The explorers are getting ready …"),
             "title": i18n._("Explore"), "style": page_style()}  # fmt: skip
    return Config({
        "Voila": {
            "ip": "127.0.0.1", "port": port, "port_retries": 0, "open_browser": browser, "root_dir": str(HERE),
            "notebook_path": str(HERE / "explore.ipynb"), "log_level": "ERROR", "config_file_paths": [],
        },
        "VoilaConfiguration": {
            "template": "lab", "allow_template_override": "NO", "allow_theme_override": "NO", "strip_sources": True,
            "file_allowlist": [], "resources": {"wb": words}, "http_keep_alive_timeout": 60,
            "extension_allowlist": ["@voila-dashboards/widgets-manager8", "@jupyter-widgets/jupyterlab-manager"],
        },
        "KernelManager": {
            "transport": "ipc" if os.name == "posix" else "tcp",
            "client_class": "workbook.output.kernels.client.PromptClient",
        },
        "MappingKernelManager": {
            "cull_idle_timeout": LOST_SECONDS, "cull_interval": 20, "cull_connected": False,
        },
    })  # fmt: skip


def main() -> None:
    """Serve until stopped."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--port", type=int, required=True)
    asked.add_argument("--lang", default="en")
    asked.add_argument("--browser", action="store_true")
    given = asked.parse_args()
    i18n.use(given.lang)
    server = Explored(config=configured(given.port, lang=given.lang, browser=given.browser))
    server.door_token = secrets.token_urlsafe(24)
    server.initialize([])
    server.start()


if __name__ == "__main__":
    main()

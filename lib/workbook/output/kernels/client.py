"""Speaking with a kernel: without waiting for it to fall silent when it begins, and without missing what it says."""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.manager import AsyncKernelManager

ASK_AGAIN = 1.0  # seconds without an answer, as jupyter_client has it
LOOK_AGAIN = 1.0  # seconds
HEARD_WITHIN = 0.2  # seconds in which an answer's echo arrives, once the channel of outputs is connected


class LookingChannel(AsyncZMQSocketChannel):
    """jupyter_client's own, that looks again each second for what may have come unannounced.

    On a busy machine it happens that a message lies there and nobody is woken: the page of `workbook serve` then waited
    for ever for a kernel that had long answered (voila issue 1446).
    """

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        if timeout is not None:
            return await super().get_msg(timeout)
        while True:
            try:
                return await super().get_msg(LOOK_AGAIN)
            except Empty:
                continue


class PromptClient(AsyncKernelClient):
    """jupyter_client's own, that is ready when it hears the kernel.

    The original then reads on until nothing has come for a fifth of a second: a tenth of what a notebook takes beside
    its cells. Whatever is still on its way belongs to no cell, and is passed over by its sender's id.
    """

    shell_channel_class = iopub_channel_class = LookingChannel

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Until the kernel has answered, and its outputs are heard.

        Raises:
            RuntimeError: it died, or was silent for `timeout` seconds.
        """
        until = float("inf") if timeout is None else time.monotonic() + timeout
        while not await self._is_heard():
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > until:
                raise RuntimeError(f"Kernel didn't respond in {timeout:.0f} seconds")

    async def _is_heard(self) -> bool:
        self.kernel_info()
        try:
            while (await self.get_shell_msg(timeout=ASK_AGAIN))["msg_type"] != "kernel_info_reply":
                pass
            await self.get_iopub_msg(timeout=HEARD_WITHIN)
        except Empty:
            return False
        return True


class PromptManager(AsyncKernelManager):
    """jupyter_client's own, with such a client."""

    client_factory = PromptClient

"""Speaking with a kernel that has just begun, without waiting for it to fall silent."""

from __future__ import annotations

import time
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

ASK_AGAIN = 1.0  # seconds without an answer, as jupyter_client has it
HEARD_WITHIN = 0.2  # seconds in which an answer's echo arrives, once the channel of outputs is connected


class PromptClient(AsyncKernelClient):
    """jupyter_client's own, that is ready when it hears the kernel.

    The original then reads on until nothing has come for a fifth of a second: a tenth of what a notebook takes beside
    its cells. Whatever is still on its way belongs to no cell, and is passed over by its sender's id.
    """

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

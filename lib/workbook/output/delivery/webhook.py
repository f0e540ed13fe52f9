"""A summary posted to a webhook, in the form that its receiver takes.

| format | body | accepted when |
|---|---|---|
| generic | `{"text": …, "run": {…}}`: the text, and the facts to be read by a program | 2xx |
| slack | `{"text": …}` | 2xx |
| teams | a message with an adaptive card, the only form that Workflows take | 2xx |
| feishu | `{"msg_type": "text", "content": {"text": …}}`, signed by `timestamp` and `sign` in the body | `code` 0 |
| wecom | `{"msgtype": "text", "text": {"content": …}}`, at most 2,048 bytes | `errcode` 0 |
| dingtalk | as wecom; signed by `timestamp` and `sign` in the address | `errcode` 0 |

Feishu, WeCom and DingTalk answer 200 also when they refuse: their code is read. A redirection is a refusal, since the
message would be lost on the way.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from workbook.data.settings import Webhook, secret

WECOM_LONGEST = 2048  # bytes of a text
ANSWER = 65_536  # bytes that are read of an answer


class Refused(Exception):
    """The receiver answered, and did not accept: asking again would not help."""


class _NoRedirection(HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


def post(webhook: Webhook, text: str, facts: dict[str, Any], *, timeout: float) -> None:
    """Send it.

    Raises:
        Refused: the receiver does not accept it.
        OSError: it could not be reached, or did not answer in time.
    """
    now = time.time()
    content = json.dumps(body(webhook, text, facts, now=now), ensure_ascii=False).encode()
    request = Request(address(webhook, now=now), content, {"Content-Type": "application/json; charset=utf-8"})
    try:
        with build_opener(_NoRedirection).open(request, timeout=timeout) as answer:
            said = answer.read(ANSWER).decode(errors="replace")
    except HTTPError as error:
        if error.code >= 500:
            raise OSError(f"HTTP {error.code} {error.reason}") from None
        raise Refused(f"HTTP {error.code} {error.reason}") from None
    if webhook.format in ("feishu", "wecom", "dingtalk"):
        _accepted(said)


def body(webhook: Webhook, text: str, facts: dict[str, Any], *, now: float) -> dict[str, Any]:
    """What is posted."""
    match webhook.format:
        case "slack":
            return {"text": text}
        case "teams":
            return _card(text)
        case "feishu":
            return {**_feishu_signature(webhook, now), "msg_type": "text", "content": {"text": text}}
        case "wecom":
            return {"msgtype": "text", "text": {"content": _cut(text, WECOM_LONGEST)}}
        case "dingtalk":
            return {"msgtype": "text", "text": {"content": text}}
        case _:
            return {"text": text, "run": facts}


def address(webhook: Webhook, *, now: float) -> str:
    """Where it is posted."""
    url = secret(webhook.url)
    if webhook.format != "dingtalk" or webhook.secret is None:
        return url
    stamp, key = str(round(now * 1000)), secret(webhook.secret)
    sign = _signed(key.encode(), f"{stamp}\n{key}".encode())
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'timestamp': stamp, 'sign': sign})}"


def _feishu_signature(webhook: Webhook, now: float) -> dict[str, str]:
    """Feishu takes time and secret together as the key, and signs nothing with it."""
    if webhook.secret is None:
        return {}
    stamp = str(round(now))
    return {"timestamp": stamp, "sign": _signed(f"{stamp}\n{secret(webhook.secret)}".encode(), b"")}


def _signed(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def _card(text: str) -> dict[str, Any]:
    blocks = [{"type": "TextBlock", "text": line, "wrap": True} for line in text.splitlines() if line]
    content = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard",
               "version": "1.2", "body": blocks}
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [card]}


def _cut(text: str, longest: int) -> str:
    """The text, at most so many bytes of it, and no half character at its end."""
    content = text.encode()
    return text if len(content) <= longest else content[: longest - 3].decode(errors="ignore") + "…"


def _accepted(said: str) -> None:
    try:
        answer = json.loads(said)
    except json.JSONDecodeError:
        raise Refused(f"an answer that is no JSON: {said[:80]}") from None
    code = next((answer[name] for name in ("errcode", "code", "StatusCode") if name in answer), None)
    if code != 0:
        raise Refused(f"{code}: {answer.get('errmsg', answer.get('msg', said[:80]))}")

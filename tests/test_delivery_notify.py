"""A summary after a run: to a real web server and a real mail server, and what becomes of it when they refuse."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from typer.testing import CliRunner

from workbook.cli import app
from workbook.data import periods
from workbook.data.errors import WorkbookError
from workbook.data.findings import Finding
from workbook.data.lock import Busy
from workbook.data.settings import Settings, load_settings
from workbook.output import i18n
from workbook.output.delivery import notify
from workbook.output.delivery.log import lines
from workbook.output.delivery.notify import Sent, delivered, send
from workbook.output.delivery.summary import Figure, Summary
from workbook.output.report.backfill import Filled

SECRET, PHONE = "hook-token-4711", "13812345678"
SETTINGS = """
name: Corner shop
currency: EUR
languages: [en, zh]
sources: [{table: orders, path: orders.csv, columns: {a: order_id, b: amount, c: ordered_at}}]
"""
DONE = Summary(
    "Corner shop", "2026-06", "done", link="https://reports.example.com/2026-06/",
    figures=(Figure("03_profiling.net_revenue", Finding(1100.0, "money"), Finding(1000.0, "money")),
             Figure("03_profiling.active_customers", Finding(45, "customers"), None)))
FAILED = Summary("Corner shop", "2026-06", "failed", failed=(("04_rfm", "cell [5]: ValueError: x"),),
                 skipped=("05_clustering",), good="/r/2026-06/index.html")


@dataclass
class Hook:
    """A web server that notes what it is sent, and answers as it is told."""

    url: str = ""
    code: int = 200
    answer: str = "{}"
    delay: float = 0.0
    drip: bool = False  # a byte now and then, for ever
    seen: list[tuple[str, dict]] = field(default_factory=list)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            state.seen.append((self.path, json.loads(content)))
            time.sleep(state.delay)
            self.send_response(state.code)
            if state.code == 302:
                self.send_header("Location", state.url)
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked has given up waiting, as is tested
                while state.drip and not closing.wait(0.05):
                    self.wfile.write(b" ")
                self.wfile.write(state.answer.encode())

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    closing = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield state
    closing.set()
    server.shutdown()
    server.server_close()


@dataclass
class Letterbox:
    """A mail server's letters."""

    port: int
    letters: list = field(default_factory=list)


class _Handler:
    def __init__(self) -> None:
        self.letters: list = []

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:
        if address.startswith("nobody"):
            return "550 no such user nobody-personal@example.com"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that nobody else trusts, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


@pytest.fixture
def mail_server(certificate: tuple[Path, Path]) -> Iterator[Callable[[str], Letterbox]]:
    """`mail_server("starttls")` is a server that wants that, and the login robot / right."""
    running: list[Controller] = []

    def login(_server, _session, _envelope, _mechanism, given) -> AuthResult:
        right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"robot", b"right")
        return AuthResult(success=right, handled=right)

    def start(security: str) -> Letterbox:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        handler = _Handler()
        safe = {} if security == "plain" else {"authenticator": login}
        if security == "starttls":
            safe |= {"tls_context": context, "require_starttls": True, "auth_required": True}
        if security == "ssl":
            safe |= {"ssl_context": context, "auth_require_tls": False}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(handler, hostname="127.0.0.1", port=port, **safe)
        controller.start()
        running.append(controller)
        return Letterbox(port, handler.letters)

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def shop(tmp_path: Path) -> Callable[[str], Settings]:
    """`shop("notify: …")` is a shop with these settings beside the usual ones."""

    def make(more: str) -> Settings:
        (tmp_path / "workbook.yaml").write_text(SETTINGS + more, encoding="utf-8")
        return load_settings(tmp_path)

    return make


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "PAUSE", 0.05)


def sent(settings: Settings, summary: Summary = DONE) -> tuple[list[Sent], list[str]]:
    said: list[str] = []
    return send(settings, summary, said.append), said


def webhook(hook: Hook, more: str = "", rest: str = "") -> str:
    return f"notify: {{webhooks: [{{url: '{hook.url}'{more}}}]{rest}}}"


# --- what is said -------------------------------------------------------------------------------


def test_the_message_says_what_came_of_it(shop: Callable[[str], Settings]) -> None:
    subject, text = DONE.told_in("en", shop(""))
    assert subject == "Corner shop: the report of 2026-06 is ready"
    assert "Net revenue: €1,100 (+10.0% against the period before)" in text
    assert "Customers who bought: 45\n" in text and "The report: https://reports.example.com/2026-06/" in text
    subject, text = FAILED.told_in("en", shop(""))
    assert subject == "Corner shop: 1 chapter of 2026-06 failed"
    assert "04_rfm failed: cell [5]: ValueError: x\nNot run because of that: 05_clustering" in text
    assert "The last good report is still there: /r/2026-06/index.html" in text


def test_the_message_is_in_the_readers_language(shop: Callable[[str], Settings]) -> None:
    for summary in (DONE, FAILED, Summary("Corner shop", "", "refused", error="x")):
        subject, text = summary.told_in("zh", shop(""))
        i18n.untranslated.clear()
        words = re.sub(r"Corner shop|https?://\S+|/\S+|cell \[5\]: ValueError: x|0\d_\w+|\bx\b|€", "", subject + text)
        assert not re.search(r"[A-Za-z]{2,}", words), words
    assert i18n.lang() == "en", "whoever spoke before goes on in their language"


def test_many_periods_are_one_message(hook: Hook, shop: Callable[[str], Settings]) -> None:
    settings, may, june = shop(webhook(hook)), periods.period_of("2026-05"), periods.period_of("2026-06")
    with delivered(settings, print) as delivery:
        delivery.filled = [Filled(may, "rendered", 9.0, ""), Filled(june, "failed", 2.0, "04_rfm: call 13812345678")]
    (_, body), = hook.seen
    assert body["text"].startswith("Corner shop: 1 report of 2026-05 – 2026-06 failed")
    assert "2026-06 failed: 04_rfm: call [phone]" in body["text"] and "reports/index.html" in body["text"]
    with delivered(settings, print) as delivery:
        delivery.filled = [Filled(may, "unchanged", 0.1, ""), Filled(june, "unchanged", 0.1, "")]
    assert len(hook.seen) == 1, "nothing has changed"


def test_a_run_that_breaks_off_is_told_and_one_that_finds_another_at_work_is_not(
    hook: Hook, shop: Callable[[str], Settings]
) -> None:
    settings = shop(webhook(hook))
    with pytest.raises(WorkbookError), delivered(settings, print):
        raise WorkbookError("The table raw/orders could not be written.", way_out="Free some disk space.")
    assert hook.seen[0][1]["run"]["error"] == "The table raw/orders could not be written."
    with pytest.raises(Busy), delivered(settings, print):
        raise Busy(None, tmp := settings.store_folder / "lock")
    with pytest.raises(KeyError), delivered(settings, print, wanted=False):
        raise KeyError(tmp)
    assert len(hook.seen) == 1


# --- webhooks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "where"), [
    ("generic", lambda body: body["text"]), ("slack", lambda body: body["text"]),
    ("feishu", lambda body: body["content"]["text"]), ("wecom", lambda body: body["text"]["content"]),
    ("dingtalk", lambda body: body["text"]["content"]),
    ("teams", lambda body: "\n".join(block["text"] for block in body["attachments"][0]["content"]["body"]))])
def test_each_receiver_gets_its_form(hook: Hook, shop: Callable[[str], Settings], form: str, where: Callable) -> None:
    hook.answer = '{"errcode": 0}' if form in ("wecom", "dingtalk") else '{"code": 0}'
    results, said = sent(shop(webhook(hook, f", format: {form}")))
    assert [one.state for one in results] == ["sent"] and not said
    _, body = hook.seen[0]
    assert "Corner shop: the report of 2026-06 is ready" in where(body)
    kinds = {"feishu": ("msg_type", "text"), "wecom": ("msgtype", "text"), "dingtalk": ("msgtype", "text"),
             "teams": ("type", "message")}
    if form in kinds:
        assert body[kinds[form][0]] == kinds[form][1]
    if form == "generic":
        revenue = body["run"]["figures"]["03_profiling.net_revenue"]
        assert revenue == {"value": 1100.0, "unit": "money", "before": 1000.0}


def test_signed_robots_get_the_signature_of_their_documentation(
    hook: Hook, shop: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGN", "the secret")
    hook.answer = '{"errcode": 0, "code": 0}'
    sent(shop(webhook(hook, ", format: dingtalk, secret: '${SIGN}'")))
    query = parse_qs(urlparse(hook.seen[0][0]).query)
    text = f"{query['timestamp'][0]}\nthe secret".encode()
    assert query["sign"][0] == base64.b64encode(hmac.new(b"the secret", text, hashlib.sha256).digest()).decode()
    assert len(query["timestamp"][0]) == 13, "milliseconds"
    sent(shop(webhook(hook, ", format: feishu, secret: '${SIGN}'")))
    body = hook.seen[1][1]
    key = f"{body['timestamp']}\nthe secret".encode()
    assert body["sign"] == base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
    assert len(body["timestamp"]) == 10, "seconds"


def test_a_long_text_is_cut_for_wecom_between_characters(hook: Hook, shop: Callable[[str], Settings]) -> None:
    hook.answer = '{"errcode": 0}'
    many = Summary("店", "2026-06", "failed", failed=tuple((f"{n:02d}", "错误" * 60) for n in range(16)))
    sent(shop(webhook(hook, ", format: wecom, lang: zh")), many)
    content = hook.seen[0][1]["text"]["content"]
    assert 2000 < len(content.encode()) <= 2048 and content.endswith("…")


@pytest.mark.parametrize(("code", "answer", "says", "asked"), [
    (404, "", "HTTP 404", 1), (302, "", "HTTP 302", 1), (503, "", "HTTP 503", 2),
    (200, '{"errcode": 93000, "errmsg": "invalid webhook url"}', "93000: invalid webhook url", 1),
    (200, "<html>", "no JSON", 1)])
def test_a_refusal_is_told_and_logged_and_a_broken_server_asked_again(
    hook: Hook, shop: Callable[[str], Settings], code: int, answer: str, says: str, asked: int
) -> None:
    hook.code, hook.answer = code, answer
    settings = shop(webhook(hook, ", format: wecom"))
    results, said = sent(settings)
    assert results[0].state == "failed" and says in results[0].error and says in said[0]
    assert len(hook.seen) == asked
    (line,) = [line for line in lines(settings) if line["event"] == "notified"]
    assert line["state"] == "failed" and says in line["error"] and hook.url not in json.dumps(line)


@pytest.mark.parametrize("drip", [False, True])
def test_a_slow_server_does_not_hold_the_run(hook: Hook, shop: Callable[[str], Settings], drip: bool) -> None:
    hook.delay, hook.drip = (0, True) if drip else (5, False)
    began = time.monotonic()
    results, _ = sent(shop(webhook(hook, "", ", timeout_seconds: 0.4")))
    assert time.monotonic() - began < 4
    assert results[0].state == "failed" and re.search("timed out|no answer", results[0].error)


def test_who_is_told_of_what(hook: Hook, shop: Callable[[str], Settings]) -> None:
    unchanged = Summary("Corner shop", "2026-06", "unchanged")
    for when, told in (("changed", [True, False, True]), ("failed", [False, False, True]), ("always", [True] * 3)):
        settings = shop(webhook(hook, "", f", when: {when}"))
        assert [bool(sent(settings, one)[0]) for one in (DONE, unchanged, FAILED)] == told


# --- mail ---------------------------------------------------------------------------------------

MAIL = ("notify: {{timeout_seconds: {timeout}, mail: {{server: localhost, port: {port}, security: {security}, "
        "sender: reports@shop.example, to: [{to}]{login}}}}}")
LOGIN = ", user: robot, password: '${MAIL_PASSWORD}'"


def letter(port: int, security: str = "starttls", to: str = "ann@shop.example", login: str = LOGIN,
           timeout: float = 10) -> str:
    return MAIL.format(port=port, security=security, to=to, login=login, timeout=timeout)


@pytest.mark.parametrize("security", ["starttls", "ssl", "plain"])
def test_a_mail_arrives(
    mail_server: Callable[[str], Letterbox], certificate: tuple[Path, Path], shop: Callable[[str], Settings],
    monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "right")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    box = mail_server(security)
    login = "" if security == "plain" else LOGIN
    text = letter(box.port, security, "ann@shop.example, bo@shop.example", login)
    results, said = sent(shop(text[:-2] + ", lang: zh}}"))
    assert [one.state for one in results] == ["sent"], said
    (arrived,) = box.letters
    assert arrived["Subject"] == "Corner shop：2026-06 的报告已生成" and arrived["Auto-Submitted"] == "auto-generated"
    assert arrived["To"] == "ann@shop.example, bo@shop.example"
    assert "https://reports.example.com/2026-06/" in arrived.get_content()


def test_what_a_mail_server_refuses_is_told_without_addresses_or_passwords(
    mail_server: Callable[[str], Letterbox], certificate: tuple[Path, Path], shop: Callable[[str], Settings],
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "wrong-password")
    box, plain = mail_server("starttls"), mail_server("plain")
    untrusted, _ = sent(shop(letter(box.port)))
    assert "CERTIFICATE_VERIFY_FAILED" in untrusted[0].error, "nothing is sent to a server that cannot prove itself"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    login, _ = sent(shop(letter(box.port)))
    assert "SMTPAuthenticationError 535" in login[0].error
    no_tls, _ = sent(shop(letter(plain.port)))
    assert "STARTTLS extension not supported" in no_tls[0].error
    nobody, said = sent(shop(letter(plain.port, "plain", "nobody@shop.example", "")))
    assert "no receiver was accepted (550)" in nobody[0].error
    some, _ = sent(shop(letter(plain.port, "plain", "nobody@shop.example, ann@shop.example", "")))
    assert "1 of 2 receivers were not accepted (550)" in some[0].error and len(plain.letters) == 1
    told = str([untrusted, login, no_tls, nobody, said, some])
    assert "wrong-password" not in told and "@shop.example" not in told and "personal" not in told


def test_a_mail_server_that_is_down_or_silent_costs_only_the_time_it_is_given(shop: Callable[[str], Settings]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    down, _ = sent(shop(letter(port, "plain", login="")))
    assert "refused" in down[0].error
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        mute, _ = sent(shop(letter(silent.getsockname()[1], "plain", login="", timeout=0.4)))
        assert time.monotonic() - began < 4 and "timed out" in mute[0].error


def test_an_unset_secret_is_told_and_nothing_is_sent(shop: Callable[[str], Settings]) -> None:
    results, _ = sent(shop("notify: {webhooks: [{url: '${NOT_SET_ANYWHERE}'}]}"))
    assert "NOT_SET_ANYWHERE is not set" in results[0].error


@pytest.mark.parametrize(("more", "says"), [
    ("notify: {webhooks: [{url: hooks.example.com}]}", "no http(s) address"),
    ("notify: {webhooks: [{url: 'https://x', format: slak}]}", "'generic', 'slack'"),
    ("notify: {webhooks: [{url: 'https://x', secret: s}]}", "signs messages to feishu and dingtalk"),
    ("notify: {mail: {server: x, sender: a@b, to: []}}", "at least 1 item"),
    ("notify: {mail: {server: x, sender: a, to: [c@d]}}", "'a' is no mail address"),
    ("notify: {mail: {server: x, sender: a@b, to: [c@d], user: u}}", "belong together"),
    ("notify: {mail: {server: x, sender: a@b, to: [c@d], user: u, password: p, security: plain}}", "not sent over"),
    ("notify: {link: 'https://x/{month}'}", "{period}"), ("notify: {wen: always}", "did you mean 'when'")])
def test_a_mistaken_declaration_is_refused_at_once(shop: Callable[[str], Settings], more: str, says: str) -> None:
    with pytest.raises(WorkbookError) as refused:
        shop(more)
    assert says in str(refused.value)


# --- the whole way ------------------------------------------------------------------------------


def test_a_run_is_told_and_its_log_and_messages_hold_no_secret_and_no_phone(
    hook: Hook, mail_server: Callable[[str], Letterbox], book: Callable[..., None], shop: Callable[[str], Settings],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One chapter fails with a secret and a phone number in its message; a second webhook cannot be reached."""
    monkeypatch.setenv("HOOK_TOKEN", SECRET)
    box = mail_server("plain")
    shop(f"""
notify:
  link: https://reports.example.com/{{period}}/
  webhooks: [{{url: "{hook.url}?key=${{HOOK_TOKEN}}"}}, {{url: "http://127.0.0.1:9/", format: slack}}]
  mail: {{server: localhost, port: {box.port}, security: plain, sender: a@b.example, to: [c@d.example], lang: zh}}
""")
    book("10_fine")
    book("11_broken", f"raise ValueError('no answer to {SECRET} for {PHONE}')", makes=["x"])
    book("12_after", needs=["x"])
    command = ["render", "--as-of", "2026-06", "--lang", "en", "--settings", str(tmp_path)]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 1, "the chapter's failure, not that of the notification"
    assert "notification by webhook (slack) failed" in ran.output
    path, body = hook.seen[0]
    assert path == f"/hook?key={SECRET}", "the receiver gets the token"
    assert body["run"]["failed"] == [
        {"chapter": "11_broken", "error": "cell [5]: ValueError: no answer to [secret] for [phone]"}]
    assert body["run"]["skipped"] == ["12_after"]
    (arrived,) = box.letters
    assert "11_broken" in arrived.get_content() and "[phone]" in arrived.get_content()
    log = (tmp_path / ".workbook" / "log" / "runs.jsonl").read_text(encoding="utf-8")
    pages = "".join(p.read_text("utf-8") for p in (tmp_path / "reports").rglob("*") if p.suffix in (".html", ".json"))
    for told in (json.dumps(body), arrived.get_content(), log, ran.output, pages):
        assert SECRET not in told and PHONE not in told
    assert "[phone]" in pages and "c@d.example" not in log
    events = [json.loads(line) for line in log.splitlines()]
    assert [line["event"] for line in events][:2] == ["run_started", "chapter_started"]
    assert {line["state"] for line in events if line["event"] == "notified"} == {"sent", "failed"}
    book("11_broken", "run.keep('x', pa.table({'n': [1]}))", makes=["x"])
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 0, ran.output
    body = hook.seen[-1][1]
    assert "No revenue figure was made in this run" in body["text"], "the verdict of page one"
    assert body["run"]["link"] == "https://reports.example.com/2026-06/" and body["run"]["state"] == "done"

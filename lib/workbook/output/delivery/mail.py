"""A summary sent by mail: one plain text, over STARTTLS, TLS from the start, or in the clear.

The certificate of the server is checked against those that the system trusts; SSL_CERT_FILE names others, such as a
company's own.
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from workbook.data.settings import Mail, secret
from workbook.output.delivery.webhook import Refused

PORTS = {"starttls": 587, "ssl": 465, "plain": 25}


def send(mail: Mail, subject: str, text: str, *, timeout: float) -> None:
    """Send it.

    Raises:
        Refused: the server does not accept the login, the sender or a receiver, or offers no TLS.
        OSError: it could not be reached, did not answer in time, or its certificate is not trusted.
    """
    try:
        with _connected(mail, timeout) as server:
            if mail.user is not None and mail.password is not None:
                server.login(secret(mail.user), secret(mail.password))
            turned_away = server.send_message(message(mail, subject, text))
    except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError) as error:
        raise OSError(f"{type(error).__name__}: {error}") from None
    except smtplib.SMTPRecipientsRefused as error:
        raise Refused(f"no receiver was accepted ({_codes(error.recipients)})") from None
    except smtplib.SMTPResponseException as error:
        raise Refused(f"{type(error).__name__} {error.smtp_code}") from None
    except smtplib.SMTPException as error:
        raise Refused(f"{type(error).__name__}: {error}") from None
    if turned_away:
        raise Refused(f"{len(turned_away)} of {len(mail.to)} receivers were not accepted ({_codes(turned_away)})")


def message(mail: Mail, subject: str, text: str) -> EmailMessage:
    """The mail; marked as sent by a machine, so that no absence note answers it."""
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = subject, mail.sender, ", ".join(mail.to)
    letter["Date"], letter["Message-ID"] = formatdate(localtime=False), make_msgid(domain=mail.sender.split("@")[1])
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text, cte="base64" if not text.isascii() else None)
    return letter


def _connected(mail: Mail, timeout: float) -> smtplib.SMTP:
    port = mail.port or PORTS[mail.security]
    if mail.security == "ssl":
        return smtplib.SMTP_SSL(mail.server, port, timeout=timeout, context=ssl.create_default_context())
    server = smtplib.SMTP(mail.server, port, timeout=timeout)
    if mail.security == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _codes(refused: dict[str, tuple[int, bytes]]) -> str:
    """The codes alone: the addresses and what the server says of them are personal."""
    return ", ".join(sorted({str(code) for code, _said in refused.values()}))

"""Read what stands in somebody's calendars on a CalDAV server (RFC 4791) within some months. Every request goes out by `crm.channels.fetching`, so it
goes nowhere that an address may not lead to."""

from __future__ import annotations

import logging
import re
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from caldav.davclient import DAVClient
from caldav.lib.error import AuthorizationError, DAVError, NotFoundError
from caldav.lib.http_sync import CaseInsensitiveDict

from crm.channels.fetching import WITHIN, Answer, CannotFetch, Login, Trouble, fetch

MOST_CALENDARS = 20
LARGEST = 5 * 1024 * 1024
BESIDE = timedelta(days=1)
_XML = re.compile(rb"\s*<(\?xml|[a-z0-9]*:?multistatus)", re.IGNORECASE)

# The library tells at length of what a server does otherwise than it likes; that may hold what is in the calendar.
logging.getLogger("caldav").setLevel(logging.CRITICAL)


def read(
    url: str,
    *,
    username: str,
    password: str,
    start: datetime,
    end: datetime,
    is_private_allowed: bool = False,
    within: float = WITHIN,
) -> str:
    """Everything that takes place in this time, as one text of many calendars: those in the calendar at this address, or where it is the address of
    an account, in all calendars of it. Raises `CannotFetch`."""
    session = _Session(urlsplit(url).netloc, Login(username, password), is_private_allowed, within)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            client: Any = DAVClient(
                url=url,
                username=username,
                password=password,
                auth_type="basic",
                enable_rfc6764=False,
                require_tls=False,  # `fetching` asks for it.
            )
            client.session = session
            return _everything(client, url, start, end)
    except CannotFetch:
        raise
    except Exception as error:  # What a server answers may break the library in any place.
        raise session.trouble or _in_our_words(error) from error


def _everything(client: Any, url: str, start: datetime, end: datetime) -> str:
    texts: list[str] = []
    for calendar in _calendars(client, url):
        # Without the filter of the library, which follows every rule, however often it repeats; days and floating times lie up to a day beside.
        for found in calendar.search(
            start=start - BESIDE, end=end + BESIDE, event=True, expand=False, post_filter=False
        ):
            texts.append(str(found.data).strip())
            if sum(map(len, texts)) > LARGEST:
                raise CannotFetch(Trouble.TOO_LARGE)
    return "\r\n".join(texts)


def _calendars(client: Any, url: str) -> list[Any]:
    here = client.calendar(url=url)
    kinds = str(
        client.propfind(url, props='<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/></D:prop></D:propfind>').raw
    )
    if "calendar" in kinds.partition("resourcetype")[2].partition("resourcetype")[0]:
        return [here]
    found = client.principal().calendars()
    if not found:
        raise CannotFetch(Trouble.NO_CALENDAR)
    return list(found[:MOST_CALENDARS])


def _in_our_words(error: Exception) -> CannotFetch:
    if isinstance(error, AuthorizationError):
        return CannotFetch(Trouble.PASSWORD)
    if isinstance(error, NotFoundError):
        return CannotFetch(Trouble.GONE)
    if isinstance(error, DAVError):
        return CannotFetch(Trouble.SERVER, type(error).__name__)
    return CannotFetch(Trouble.NO_CALENDAR)


@dataclass
class _Response:
    """As much of an answer as the library looks at."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    url: str

    @property
    def reason(self) -> str:
        try:
            return HTTPStatus(self.status_code).phrase
        except ValueError:
            return ""

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


class _Session:
    """Takes the place of the library's own connections. A server that was given the password may name others of its house; once it has led on to
    somebody else, whatever is named gets none."""

    def __init__(self, host: str, login: Login, is_private_allowed: bool, within: float) -> None:
        self.host = host
        self.login = login
        self.is_led_away = False
        self.is_private_allowed = is_private_allowed
        self.until = time.monotonic() + within
        self.trouble: CannotFetch | None = None

    def request(self, method: str, url: str, *, data: Any = b"", headers: Any = None, **_rest: Any) -> _Response:
        body = data.encode() if isinstance(data, str) else data or b""
        try:
            answer: Answer = fetch(
                url,
                method=method,
                headers=dict(headers or {}),
                body=body,
                login=None if self.is_led_away and urlsplit(url).netloc != self.host else self.login,
                is_private_allowed=self.is_private_allowed,
                within=max(self.until - time.monotonic(), 0),
            )
        except CannotFetch as trouble:
            self.trouble = trouble
            raise
        self.is_led_away |= urlsplit(answer.url).netloc != urlsplit(url).netloc
        if answer.status in (401, 403):
            self.trouble = CannotFetch(Trouble.PASSWORD)
            raise self.trouble
        if answer.status in (404, 410):
            self.trouble = CannotFetch(Trouble.GONE)
        elif answer.status in (405, 501):  # A web server that knows of no calendars.
            self.trouble = CannotFetch(Trouble.NO_CALENDAR)
        # What is no answer in XML, such as the page of an error, the library would write into a log.
        content = answer.content if _XML.match(answer.content) else b""
        return _Response(answer.status, CaseInsensitiveDict(answer.headers), content, answer.url)

    def close(self) -> None:
        """Each request had a connection of its own."""

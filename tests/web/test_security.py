"""What somebody who means harm tries, and does not get. Who may open what is told by `test_roles.py`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as kring
from django.core import mail
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.cache import SharedCache
from config.settings import CACHES as REAL_CACHES
from config.settings import env_hosts
from crm import conversations, metrics, reports
from crm.models import (
    Attachment,
    CaptureForm,
    Conversation,
    Lead,
    MailMessage,
    MessageState,
    OutgoingMail,
    Promise,
    Role,
    User,
)
from crm.web import limits
from crm.web.lists import LISTINGS
from qualification.models import Answer
from tests import make
from tests.conftest import PASSWORD

Login = Callable[[User], Client]
HARM = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    caches["default"].clear()


# ---- Rows of others, by their number -------------------------------------------------------------------------------


def test_an_own_deal_is_no_way_to_log_words_with_somebody_elses_person(
    login: Login, account_manager: User, outsider: User
) -> None:
    deal, theirs = make.deal(account_manager, at=timezone.now()), make.person(owner=outsider)
    for screen in ("crm:conversation-new", "crm:promise-new"):
        answer = login(account_manager).get(reverse(screen), {"deal": deal.pk, "person": theirs.pk})
        assert answer.status_code == 403, screen
    form = {"kind": "call", "direction": "both", "when": "2026-11-20T10:00", "people": theirs.pk}
    login(account_manager).post(f"{reverse('crm:conversation-new')}?deal={deal.pk}", form)
    assert not Conversation.objects.filter(people=theirs).exists()
    promise = {"side": "ours", "text": "x", "due_on": "2027-01-05"}
    login(account_manager).post(f"{reverse('crm:promise-new')}?deal={deal.pk}&person={theirs.pk}", promise)
    assert not Promise.objects.exists()


def test_the_people_of_an_own_deal_may_be_named_whoever_owns_them(
    login: Login, account_manager: User, outsider: User
) -> None:
    deal = make.deal(account_manager, at=timezone.now())
    colleague = make.person(organisation=deal.organisation, owner=outsider)
    for screen in ("crm:conversation-new", "crm:promise-new"):
        assert login(account_manager).get(reverse(screen), {"deal": deal.pk, "person": colleague.pk}).status_code == 200


def test_an_old_definition_of_a_customer_begins_nothing(login: Login, sdr: User) -> None:
    lead, old = make.working_lead(sdr, at=timezone.now()), make.scorecard("Old and easy")
    old.is_active = False
    old.save(update_fields=["is_active"])
    make.scorecard()
    criterion = old.criteria.first()
    assert criterion is not None
    where = reverse("crm:lead-criterion", args=[lead.pk, criterion.pk])
    assert login(sdr).post(where, {"value": "yes", "evidence": "so"}).status_code == 404
    assert not Answer.objects.exists()


def test_a_user_changes_their_hours_and_never_their_role(login: Login, sdr: User) -> None:
    form = {"name": "Sofie", "language": "en", "time_zone": "Europe/Brussels", "working_days": [0, 1],
            "work_start": "09:00", "work_end": "17:00", "most_follow_ups": "12", "digest_at": "08:00",
            "role": Role.ADMIN, "team": "", "is_superuser": "on", "email": "root@kring.test"}  # fmt: skip
    assert login(sdr).post(reverse("crm:preferences"), form).status_code == 302
    fresh = User.objects.get(pk=sdr.pk)
    assert (fresh.name, fresh.role, fresh.team, fresh.is_superuser, fresh.email) == (
        "Sofie", Role.SDR, sdr.team, False, sdr.email
    )  # fmt: skip


@pytest.mark.parametrize("value", ["\x00", "9" * 5000, "9999-12-31", "²", "-1", "a\x00b"])
def test_nonsense_in_an_address_is_never_a_broken_page(login: Login, manager: User, value: str) -> None:
    client = login(manager)
    for screen, names in {
        "crm:inbox": ("owner", "origin", "content", "team", "received_from", "received_to", "after"),
        "crm:deals": ("owner", "stage", "team", "won_from", "won_to", "after", "before"),
        "crm:dashboard": ("team", "from", "to", "report"),
        "crm:people": ("named", "owner", "after"),
        "crm:search": ("q",),
        "crm:conversation-new": ("person", "deal", "named"),
        "crm:import-new": ("like",),
    }.items():
        asked = dict.fromkeys(names, value) | ({"period": "custom"} if screen == "crm:dashboard" else {})
        assert client.get(reverse(screen), asked).status_code in (200, 404), screen
    for address in (reverse("crm:number", args=["open_deals"]), reverse("crm:forecast-month", args=["won", 2026, 1])):
        assert client.get(address, {"team": value, "owner": value, "after": value}).status_code == 200


def test_what_no_database_holds_and_no_calendar_knows_is_refused_not_broken(login: Login, manager: User) -> None:
    client, person, referral = login(manager), make.person(), make.referral(manager)
    for screen, form in {
        "crm:email-add": {"address": "a\x00@b.example"},
        "crm:phone-add": {"number": "+32\x0015"},
        "crm:position-add": {"organisation": "A\x00B", "title": "\x00"},
        "crm:advocate-name": {"evidence": "a\x00b"},
    }.items():
        assert client.post(reverse(screen, args=[person.pk]), form).status_code in (200, 302), screen
    answer = client.post(reverse("crm:referral-promise", args=[referral.pk]), {"promise-not_before": "9999-12-31"})
    assert "between the years" in answer.content.decode()
    deep = {"file": SimpleUploadedFile("a.csv", b"id\n1\n"), "map_text": "a=" + "[" * 30_000}
    assert client.post(reverse("crm:import-new"), deep).status_code == 200


# ---- Words of others, in our pages and files -----------------------------------------------------------------------


def test_what_strangers_write_is_text_on_every_page(login: Login, manager: User, client: Client) -> None:
    now = timezone.now()
    lead = make.working_lead(
        manager, at=now, name=f"Eve {HARM}", organisation=f"Firm {HARM}", message=HARM, origin=HARM
    )
    assert lead.person
    make.scorecard()
    make.conversation(lead.person, by=manager, at=now, summary=HARM, quote=HARM, lead=lead)
    make.promise(lead.person, by=manager, due_on=now.date() + timedelta(days=3), text=HARM, at=now)
    deal = make.deal(manager, name=HARM, at=now, next_step=HARM)
    pages = [
        reverse(name, args=args)
        for name, args in (
            ("crm:lead", [lead.pk]), ("crm:inbox", []), ("crm:person", [lead.person_id]), ("crm:people", []),
            ("crm:organisation", [lead.organisation_id]), ("crm:deal", [deal.pk]), ("crm:board", []), ("crm:deals", []),
            ("crm:promises", []), ("crm:today", []), ("crm:dashboard", []), ("crm:number", ["open_deals"]),
            ("crm:lead-decline", [lead.pk]), ("crm:lead-answer", [lead.pk]),
        )
    ]  # fmt: skip
    browser = login(manager)
    shown = 0
    for page in (*pages, f"{reverse('crm:search')}?q=eve", f"{reverse('crm:inbox')}?owner=anyone&origin={HARM}"):
        text = browser.get(page).content.decode()
        assert HARM not in text, page
        shown += "&lt;script&gt;" in text
    assert shown >= 10


def test_an_act_with_a_harmful_name_says_it_as_text(login: Login, manager: User) -> None:
    deal = make.deal(manager, name=HARM, at=timezone.now())
    stage = deal.stage.pipeline.stages.last()
    assert stage
    assert stage is not None
    answer = login(manager).post(
        reverse("crm:deal-move", args=[deal.pk]), {"stage": stage.pk, "from": "deal"},
        headers={"HX-Request": "true", "HX-Target": "deal"},
    )  # fmt: skip
    assert "now stands in" in answer.content.decode()
    assert HARM not in answer.content.decode()
    assert "\n" not in answer.headers.get("HX-Trigger", "")


def test_a_report_runs_nothing_in_a_spreadsheet(login: Login, manager: User) -> None:
    make.lead(origin="=HYPERLINK(A1)", at=timezone.now())
    text = login(manager).get(reverse("crm:report-csv", args=["origins"])).content.decode("utf-8-sig")
    assert "'=HYPERLINK(A1)" in text
    assert not re.search(r"(^|[,;\"])[=@]", text, re.MULTILINE)


def test_a_subject_is_one_line(login: Login, sdr: User) -> None:
    lead = make.working_lead(sdr, at=timezone.now())
    form = {"subject": "Hello\r\nBcc: everybody@elsewhere.example", "message": "Good day"}
    login(sdr).post(reverse("crm:lead-answer", args=[lead.pk]), form)
    letter = OutgoingMail.objects.get()
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject


# ---- Ways out of the site ------------------------------------------------------------------------------------------


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "javascript:alert(1)",
    "http:evil",
    "evil",
    "\x00/",
]


@pytest.mark.parametrize("there", ELSEWHERE)
def test_no_act_leads_to_another_site(login: Login, sdr: User, there: str) -> None:
    client, now = login(sdr), timezone.now()
    promise = make.promise(make.person(), by=sdr, due_on=now.date() + timedelta(days=3), at=now)
    for where, form in (
        (reverse("crm:promise-keep", args=[promise.pk]), {}),
        (reverse("crm:language"), {"language": "en"}),
        (reverse("crm:follow-up-new"), {"note": "Call", "due_on": now.date() + timedelta(days=1), "owner": sdr.pk}),
    ):
        answer = client.post(where, form | {"next": there})
        assert answer.status_code == 302, where
        assert answer.headers["Location"].startswith("/"), where
        assert "evil" not in answer.headers["Location"] or where == reverse("crm:language")
        assert not re.match(r"/[/\\]", answer.headers["Location"]), where


def test_a_link_to_a_new_password_never_carries_a_name_that_is_not_ours(client: Client, sdr: User) -> None:
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        client.post("/accounts/password/reset/", {"email": sdr.email}, headers=headers)
    assert all("evil.example" not in letter.body for letter in mail.outbox)
    assert Client().get("/", headers={"Host": "evil.example"}).status_code == 400


# ---- Headers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/", "/leads/", "/settings/", "/admin/", "/admin/crm/user/", "/no/such/page/", "/accounts/password/change/"],
)
def test_every_answer_is_fenced_in_and_kept_by_nobody(login: Login, admin_user: User, path: str) -> None:
    headers = login(admin_user).get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert {"private", "no-store"} <= set(re.split(r",\s*", headers["Cache-Control"]))


@pytest.mark.parametrize("path", ["/accounts/login/", "/no/such/page/", "/offline/", "/healthz", "/f/none/"])
@pytest.mark.django_db
def test_a_stranger_is_fenced_in_as_well(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_refusals_before_any_view_are_fenced_in(client: Client) -> None:
    for answer in (
        Client(enforce_csrf_checks=True).post("/language/"),
        client.post("/accounts/login/", "x" * (kring.DATA_UPLOAD_MAX_MEMORY_SIZE + 1), content_type="text/plain"),
    ):
        assert answer.status_code in (403, 413)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


# ---- Sessions ------------------------------------------------------------------------------------------------------


def test_a_login_begins_a_session_of_its_own(client: Client, sdr: User) -> None:
    client.get("/accounts/login/")
    client.session["planted"] = "yes"
    session = client.session
    session["planted"] = "yes"
    session.save()
    client.cookies[kring.SESSION_COOKIE_NAME] = str(session.session_key)
    before = session.session_key
    client.post("/accounts/login/", {"login": sdr.email, "password": PASSWORD})
    cookie = client.cookies[kring.SESSION_COOKIE_NAME]
    assert cookie.value != before
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_who_may_no_longer_come_in_is_out_at_once(login: Login, sdr: User) -> None:
    client = login(sdr)
    assert client.get("/me/").status_code == 200
    User.objects.filter(pk=sdr.pk).update(is_active=False)
    assert client.get("/me/").status_code == 302


def test_a_new_password_ends_the_other_sessions(login: Login, sdr: User) -> None:
    here, elsewhere = login(sdr), login(sdr)
    new = "a quiet morning on the Scheldt"
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert here.get("/me/").status_code == 200
    assert elsewhere.get("/me/").status_code == 302


# ---- Too much ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_announced_as_too_large_is_not_read(client: Client) -> None:
    make.form("ask")
    answer = client.post("/f/ask/", b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="99999999999")
    assert answer.status_code == 413
    assert "larger than Kring takes" in answer.content.decode()
    assert (
        client.post("/settings/imports/new/", b"", content_type="text/csv", CONTENT_LENGTH=str(10**9)).status_code
        == 413
    )


def test_a_file_of_the_size_that_is_promised_may_come(login: Login, manager: User) -> None:
    lines = b"id,date\n" + b"".join(b"%d,2026-01-05\n" % number for number in range(200_000))
    assert len(lines) > kring.DATA_UPLOAD_MAX_MEMORY_SIZE
    form = {"file": SimpleUploadedFile("big.csv", lines),
            "map_text": 'kind = "leads"\nexternal_id = "id"\n[columns]\nreceived_at = "date"\n'}  # fmt: skip
    assert login(manager).post("/settings/imports/new/", form).status_code == 302


def _write(client: Client, number: int, **how: Any) -> int:
    page = client.get("/f/ask/").content.decode()
    message_id = re.search(r'name="message_id" value="([^"]+)"', page)
    assert message_id
    form = {"name": f"Jan {number}", "email": f"jan{number}@jan{number}.example", "message_id": message_id[1]}
    return client.post("/f/ask/", form, **how).status_code


@pytest.mark.django_db
def test_one_address_sends_only_so_many_messages(client: Client, settings: Any) -> None:
    make.form("ask")
    settings.FORM_LIMIT = 3
    assert [_write(client, number) for number in range(5)] == [302, 302, 302, 429, 429]
    assert Lead.objects.count() == 3
    assert _write(client, 9, REMOTE_ADDR="192.0.2.9") == 302, "somebody else is not held up"
    settings.FORM_LIMIT = 0
    assert _write(client, 10) == 302


@pytest.mark.parametrize(
    ("proxies", "passed", "seen"),
    [
        (0, "198.51.100.1", "192.0.2.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1", "192.0.2.1"),
        (1, "not an address", limits.UNKNOWN),
    ],
)
def test_a_visitor_does_not_choose_the_address_that_is_counted(
    rf: Any, settings: Any, proxies: int, passed: str, seen: str
) -> None:
    settings.PROXIES = proxies
    request = rf.get("/", headers={"X-Forwarded-For": passed}, REMOTE_ADDR="192.0.2.1")
    assert limits.address(request) == seen


def test_a_subscriber_of_ipv6_is_one_household() -> None:
    assert limits.household("2001:db8:1:2::5") == limits.household("2001:db8:1:2:ffff::9")
    assert limits.household("2001:db8:1:2::5") != limits.household("2001:db8:1:3::5")


# ---- Guessing passwords --------------------------------------------------------------------------------------------


@pytest.fixture
def shared(settings: Any, running_servers: None) -> Iterator[SharedCache]:
    """The cache of the real settings, in the broker of the tests."""
    location = {"LOCATION": kring.REDIS_URL, "KEY_PREFIX": "kring-cache-test"}
    settings.CACHES = {"default": REAL_CACHES["default"] | location}
    cache: Any = caches["default"]
    cache.clear()
    yield cache
    SharedCache.away_until = 0.0
    cache.clear()


@pytest.fixture
def broker_away(shared: SharedCache, settings: Any) -> Iterator[None]:
    settings.CACHES = {"default": REAL_CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    caches["default"].clear_here()  # type: ignore[attr-defined]
    yield
    caches["default"].clear_here()  # type: ignore[attr-defined]
    SharedCache.away_until = 0.0


def guess(client: Client, email: str, password: str = "wrong") -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password})


def is_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def test_guessing_is_stopped_for_all_processes_together(shared: SharedCache, sdr: User) -> None:
    assert sdr.email
    for _ in range(5):
        guess(Client(), sdr.email)
    with redis.Redis.from_url(kring.REDIS_URL) as broker:
        assert list(broker.scan_iter("kring-cache-test:*login_failed*")), "the count is where each process finds it"
    client = Client()
    answer = guess(client, sdr.email, PASSWORD)
    assert not is_in(client)
    assert "Too many" in answer.content.decode()


def test_the_count_holds_nothing_that_could_run(shared: SharedCache, sdr: User) -> None:
    shared.set("list", [1.5, 2.5])
    with redis.Redis.from_url(kring.REDIS_URL) as broker:
        (key,) = broker.scan_iter("kring-cache-test:*list")
        assert broker.get(key) == b"[1.5, 2.5]"
    assert shared.get("list") == [1.5, 2.5]


def test_clearing_the_count_leaves_the_errands_of_the_workers(shared: SharedCache) -> None:
    with redis.Redis.from_url(kring.REDIS_URL) as broker:
        broker.set("an-errand", "1")
        shared.set("a-count", 1)
        shared.clear()
        assert broker.get("an-errand") == b"1"
        broker.delete("an-errand")
    assert shared.get("a-count") is None


def test_a_broker_that_is_away_keeps_nobody_out(broker_away: None, sdr: User, caplog: Any) -> None:
    client = Client()
    guess(client, sdr.email or "", PASSWORD)
    assert is_in(client)
    assert caplog.text.count("The broker is away") == 1, "it is asked once and not again for a while"


def test_a_broker_that_is_away_still_stops_guessing(broker_away: None, sdr: User) -> None:
    for _ in range(5):
        guess(Client(), sdr.email or "")
    client = Client()
    guess(client, sdr.email or "", PASSWORD)
    assert not is_in(client)


def test_a_public_form_works_while_the_broker_is_away(broker_away: None, db: None, settings: Any) -> None:
    make.form("ask")
    settings.FORM_LIMIT = 2
    assert [_write(Client(), number) for number in range(3)] == [302, 302, 429]
    assert CaptureForm.objects.exists()


def test_settings_refuse_to_answer_to_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRING_HOSTS", "kring.example,*")
    with pytest.raises(ImproperlyConfigured, match="KRING_HOSTS"):
        env_hosts("KRING_HOSTS", [])


# ---- What somebody keeps to themselves -----------------------------------------------------------------------------

SECRET = "Zilverreiger"


@pytest.fixture
def kept_private(account_manager: User, sdr: User) -> dict[str, Any]:
    """A mail with somebody that its writer keeps private, after it was noted, put right and answered in the open."""
    now = timezone.now()
    offered = make.hand_off(sdr, account_manager, at=now)
    deal, lead = make.deal(account_manager, at=now), offered.lead
    person, organisation = lead.person, make.organisation(at=now)
    assert person
    said = make.conversation(
        person, by=account_manager, at=now, lead=lead, deal=None, kind="email", direction="outgoing",
        subject=SECRET, summary="Slip of the pen", learned=SECRET, quote=SECRET, organisation=organisation,
    )  # fmt: skip
    conversations.change(conversation=said, by=account_manager, at=now, summary=f"{SECRET} {SECRET}")
    Conversation.objects.filter(pk=said.pk).update(deal=deal)
    message = MailMessage.objects.create(
        key="one@x.example", thread="one@x.example", state=MessageState.TAKEN, conversation=said, sent_at=now, taken_at=now,
        direction="outgoing", subject=SECRET, text=SECRET, quoted=SECRET, signature=SECRET, html=SECRET, from_name=SECRET,
    )  # fmt: skip
    file = Attachment.objects.create(
        message=message, name=f"{SECRET}.txt", content_type="text/plain", size=4, content=SECRET.encode()
    )
    answer = make.conversation(person, by=sdr, at=now, kind="email", direction="incoming", summary="Thank you")
    MailMessage.objects.create(
        key="two@x.example", thread="one@x.example", state=MessageState.TAKEN, conversation=answer, sent_at=now,
        taken_at=now, direction="incoming", text="Thank you",
    )  # fmt: skip
    OutgoingMail.objects.create(
        to="p@x.example", subject=SECRET, body=SECRET, by=account_manager, person=person, conversation=said, try_at=now,
        created_at=now, sent_at=now, message_id="one@x.example",
    )  # fmt: skip
    conversations.keep_private(conversation=said, by=account_manager, at=now)
    return {
        "person": person, "lead": lead, "deal": deal, "organisation": organisation, "hand_off": offered, "said": said,
        "answer": answer, "message": message, "file": file,
    }  # fmt: skip


def test_what_is_kept_private_is_told_nowhere(
    login: Login, manager: User, admin_user: User, teammate: User, account_manager: User, kept_private: dict[str, Any]
) -> None:
    rows = {name: row.pk for name, row in kept_private.items()}
    other = make.person()
    pages = [
        reverse("crm:person", args=[rows["person"]]), reverse("crm:organisation", args=[rows["organisation"]]),
        reverse("crm:lead", args=[rows["lead"]]), reverse("crm:deal", args=[rows["deal"]]),
        reverse("crm:hand-off", args=[rows["hand_off"]]), reverse("crm:conversation", args=[rows["said"]]),
        reverse("crm:conversation", args=[rows["answer"]]), reverse("crm:conversation-edit", args=[rows["said"]]),
        reverse("crm:conversation-delete", args=[rows["said"]]), reverse("crm:call", args=[rows["person"]]),
        f"{reverse('crm:mail-new')}?person={rows['person']}", f"{reverse('crm:mail-new')}?reply_to={rows['message']}",
        f"{reverse('crm:conversation-new')}?person={rows['person']}", reverse("crm:mail-file", args=[rows["file"]]),
        f"{reverse('crm:person-merge', args=[rows['person']])}?with={other.pk}",
        f"{reverse('crm:outgoing')}?whose=all", f"{reverse('crm:search')}?q={SECRET.lower()}", reverse("crm:today"),
        reverse("crm:people"), reverse("crm:organisations"), reverse("crm:inbox"), reverse("crm:board"), reverse("crm:deals"),
        reverse("crm:promises"), reverse("crm:hand-offs"), reverse("crm:dashboard"), reverse("crm:health"), reverse("crm:circle"),
        *(reverse("crm:number", args=[key]) for key in metrics.METRICS),
        *(reverse("crm:report-csv", args=[name]) for name in reports.TABLES),
    ]  # fmt: skip
    assert SECRET in login(account_manager).get(reverse("crm:conversation", args=[rows["said"]])).content.decode()
    for reader in (manager, admin_user, teammate):
        client = login(reader)
        for page in pages:
            answer = client.get(page)
            told = b"".join(answer) if answer.streaming else answer.content
            assert SECRET not in told.decode(), (reader.role, page)
        for screen in ("people", "organisations"):
            columns = [column.key for column in LISTINGS[screen].columns]
            file = client.post(reverse("crm:list-download", args=[screen]), {"column": columns})
            assert SECRET not in b"".join(file).decode(), (reader.role, screen)


def test_an_address_that_is_none_breaks_neither_today_nor_the_way_to_the_login(
    login: Login, client: Client, sdr: User
) -> None:
    asked = {"HX-Request": "true", "HX-Target": "today", "HX-Current-URL": "http://[x"}
    assert client.get("/now/", headers=asked).status_code == 200
    assert login(sdr).get("/now/?seen=x", headers=asked).status_code == 200

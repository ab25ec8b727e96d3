"""The screens of mailboxes: connect one in words that everybody understands, see how it goes, and nobody sees a password or somebody else's mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm import correspondence
from crm.channels.imap import Trouble
from crm.mailboxes import NotConnected
from crm.models import Mailbox, MailExclusion, MailMessage, MailSecurity, MessageState, User
from tests import make
from tests.mail import PASSWORD, ImapServer, _own_pymap, letter, one_imap_server

__all__ = ["_own_pymap", "one_imap_server"]

NEW = "/me/mailboxes/new/?at=own"


@pytest.fixture
def typed() -> dict[str, Any]:
    return {
        "address": "sofie@kring.test",
        "password": PASSWORD,
        "reads_since": timezone.localdate().isoformat(),
        "imap_host": "127.0.0.1",
        "imap_port": 1,
        "imap_security": MailSecurity.NONE,
        "smtp_port": 465,
        "smtp_security": MailSecurity.TLS,
    }


def said(answer: Any) -> str:
    return answer.content.decode()


def test_who_has_no_mailbox_is_shown_the_way(sdr, login):
    page = said(login(sdr).get("/me/mailboxes/"))
    assert "No mailbox of yours is connected" in page
    assert "Shared mailboxes" not in page


def test_the_choice_of_a_provider_fills_in_its_servers(sdr, login):
    client = login(sdr)
    assert "Gmail" in said(client.get("/me/mailboxes/new/"))
    page = said(client.get("/me/mailboxes/new/?at=gmail"))
    assert 'value="imap.gmail.com"' in page
    assert "app password" in page
    assert 'value="sofie@kring.test"' in page
    assert "smtp.office365.com" in said(client.get("/me/mailboxes/new/?at=microsoft"))


@pytest.mark.stack
def test_connecting_leads_to_the_mailbox_and_the_password_is_never_shown(
    one_imap_server: ImapServer, sdr: User, login: Callable[[User], Client], typed: dict[str, Any]
) -> None:
    client = login(sdr)
    typed |= {"imap_port": one_imap_server.port, "username": one_imap_server.username}
    answer = client.post(NEW, typed, follow=True)
    box = Mailbox.objects.get()
    assert answer.redirect_chain == [(f"/me/mailboxes/{box.pk}/", 302)]
    for path in ("", "edit/", "folders/", "disconnect/"):
        page = said(client.get(f"/me/mailboxes/{box.pk}/{path}"))
        assert PASSWORD not in page
        assert box.sealed_password not in page
    assert "checked" in said(client.get(f"/me/mailboxes/{box.pk}/folders/"))
    answer = client.post(f"/me/mailboxes/{box.pk}/folders/", {"folders": ["INBOX"]})
    assert answer.status_code == 302


def test_what_is_wrong_is_said_and_what_was_typed_is_kept_but_the_password(sdr, login, typed):
    page = said(login(sdr).post(NEW, typed))
    assert str(Trouble.NO_ANSWER.label) in page
    assert 'value="127.0.0.1"' in page
    assert PASSWORD not in page
    assert not Mailbox.objects.exists()


def test_what_a_server_says_is_shown_as_text(sdr, login, typed, monkeypatch):
    def refuse(**fields: Any) -> None:
        raise NotConnected(Trouble.PASSWORD.label, "<script>alert(1)</script>")

    monkeypatch.setattr("crm.web.mailboxes.mailboxes.connect", refuse)
    page = said(login(sdr).post(NEW, typed))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


def test_somebody_who_knocks_on_many_doors_is_asked_to_wait(sdr, login, typed, monkeypatch):
    monkeypatch.setattr("crm.web.mailboxes.limits.may", lambda *about, **how: False)
    assert "Wait ten minutes" in said(login(sdr).post(NEW, typed))


def test_a_mailbox_in_trouble_says_since_when_and_what_to_do(sdr, login):
    box = make.mailbox(sdr, failure="password: [AUTH] no", failing_since=timezone.now() - timedelta(hours=2))
    page = said(login(sdr).get(f"/me/mailboxes/{box.pk}/"))
    assert "Cannot be read since" in page
    assert "does not accept this user name and password" in page
    assert "[AUTH] no" in page


@pytest.mark.parametrize("act", ["pause", "resume", "look"])
def test_acts_on_a_mailbox_lead_back_to_it(sdr, login, act):
    box = make.mailbox(sdr, is_active=act != "resume")
    answer = login(sdr).post(f"/me/mailboxes/{box.pk}/{act}/", follow=True)
    assert answer.redirect_chain == [(f"/me/mailboxes/{box.pk}/", 302)]
    box.refresh_from_db()
    assert box.is_active == (act != "pause")


def test_other_servers_need_the_password_again(sdr, login, typed):
    box = make.mailbox(sdr)
    typed |= {"imap_host": "127.0.0.1", "password": ""}
    page = said(login(sdr).post(f"/me/mailboxes/{box.pk}/edit/", typed))
    assert "Type the password again" in page
    box.refresh_from_db()
    assert box.imap_host == "imap.kring.example"


def test_disconnecting_asks_first(sdr, login):
    box, client = make.mailbox(sdr), login(sdr)
    assert "Disconnect this mailbox?" in said(client.get(f"/me/mailboxes/{box.pk}/disconnect/"))
    assert Mailbox.objects.exists()
    page = said(client.post(f"/me/mailboxes/{box.pk}/disconnect/", follow=True))
    assert "Its conversations stay" in page
    assert not Mailbox.objects.exists()


def failed(box: Mailbox, raw: bytes = b"") -> MailMessage:
    return correspondence.keep_failed(
        raw=raw or letter(), reason="ValueError", mailbox=box, place=None, at=timezone.now()
    )


def test_what_could_not_be_read_is_listed_tried_again_and_dropped(sdr, login):
    make.person("Luc Maes", email="luc@maes.example")
    box, client = make.mailbox(sdr), login(sdr)
    first, second = failed(box), failed(box)
    page = said(client.get(f"/me/mailboxes/{box.pk}/"))
    assert page.count("Kring stumbled over this message (ValueError)") == 2
    client.post(reverse("crm:message-again", args=[box.pk, first.pk]))
    assert MailMessage.objects.exclude(pk=second.pk).get().state == MessageState.TAKEN
    part = client.post(
        reverse("crm:message-drop", args=[box.pk, second.pk]), headers={"HX-Request": "true", "HX-Target": "wrong"}
    )
    assert said(part).lstrip().startswith("<section")
    second.refresh_from_db()
    assert second.raw is None


def test_a_message_that_stumbles_again_is_kept_and_says_so(sdr, login, monkeypatch):
    def stumble(**fields: Any) -> None:
        raise ZeroDivisionError

    box, client = make.mailbox(sdr), login(sdr)
    message = failed(box)
    monkeypatch.setattr("crm.web.mailboxes.correspondence.try_again", stumble)
    page = said(client.post(reverse("crm:message-again", args=[box.pk, message.pk]), follow=True))
    assert "It still cannot be read" in page
    message.refresh_from_db()
    assert message.state == MessageState.FAILED


def test_a_message_of_another_mailbox_is_not_there(sdr, teammate, login):
    message = failed(make.mailbox(teammate))
    mine = make.mailbox(sdr)
    assert login(sdr).post(reverse("crm:message-again", args=[mine.pk, message.pk])).status_code == 404


def test_a_long_list_of_messages_costs_as_many_questions_as_a_short_one(sdr, login, django_assert_max_num_queries):
    box, client = make.mailbox(sdr), login(sdr)
    MailMessage.objects.bulk_create(
        MailMessage(key=f"k{n}", state=MessageState.REFUSED, reason="too large", mailbox=box, taken_at=timezone.now())
        for n in range(60)
    )
    with django_assert_max_num_queries(12):
        page = said(client.get(f"/me/mailboxes/{box.pk}/"))
    assert page.count("too large") == 20
    with django_assert_max_num_queries(10):
        client.get("/me/mailboxes/")


def test_shared_mailboxes_are_for_those_who_lead(sdr, manager, login):
    make.mailbox(None, address="info@kring.test")
    assert "info@kring.test" in said(login(manager).get("/me/mailboxes/"))
    assert "info@kring.test" not in said(login(sdr).get("/me/mailboxes/"))


# ---- Private addresses ---------------------------------------------------------------------------------------------


def test_an_address_stays_out_of_my_mail_until_i_take_it_in_again(sdr, login):
    client = login(sdr)
    client.post("/me/private-addresses/", {"pattern": "Els@Thuis.example", "mine": "1"})
    row = MailExclusion.objects.get()
    assert (row.user, row.pattern) == (sdr, "els@thuis.example")
    assert "els@thuis.example" in said(client.get("/me/private-addresses/"))
    client.post(f"/me/private-addresses/{row.pk}/remove/")
    assert not MailExclusion.objects.exists()


def test_only_those_who_lead_keep_something_out_for_everybody(sdr, manager, login):
    typed = {"pattern": "school.example", "everybody": "1"}
    assert login(sdr).post("/me/private-addresses/", typed).status_code == 403
    login(manager).post("/me/private-addresses/", typed)
    assert MailExclusion.objects.get().user is None
    assert "school.example" in said(login(sdr).get("/me/private-addresses/"))


def test_what_is_no_address_is_refused_and_kept_on_the_form(sdr, login):
    page = said(login(sdr).post("/me/private-addresses/", {"pattern": "thuis", "mine": "1"}))
    assert "or a domain such as example.com" in page
    assert 'value="thuis"' in page


# ---- Forwarding, and who is away -----------------------------------------------------------------------------------


def test_an_address_for_forwarding_is_made_when_it_is_asked_for_and_looking_makes_none(sdr, login, settings):
    settings.MAIL_IN_DOMAIN = "in.kring.test"
    client = login(sdr)
    for path in ("/me/", "/me/mailboxes/"):
        assert "Give me an address" in said(client.get(path))
    sdr.refresh_from_db()
    assert sdr.forward_key is None
    client.post("/me/forwarding/renew/")
    sdr.refresh_from_db()
    assert f"{sdr.forward_key}@in.kring.test" in said(client.get("/me/"))


def test_without_a_domain_nobody_is_offered_an_address(sdr, login, settings):
    settings.MAIL_IN_DOMAIN = ""
    page = said(login(sdr).get("/me/"))
    assert "Give me an address" not in page
    assert "takes no mail in yet" in page


def test_an_absence_asks_on_the_persons_page_and_the_answer_is_kept(sdr, login):
    luc = make.person("Luc Maes", email="luc@maes.example")
    until = timezone.localdate() + timedelta(days=9)
    message = correspondence.take_in(
        raw=letter(subject="Automatic reply", text="I am away.", Auto_Submitted="auto-replied"),
        mailbox=make.mailbox(sdr),
        at=timezone.now(),
    )
    MailMessage.objects.filter(pk=message.pk).update(away_until=until)
    client = login(sdr)
    assert "Leave them in peace until then?" in said(client.get(f"/people/{luc.pk}/"))
    client.post(f"/people/{luc.pk}/away/{message.pk}/", {"yes": "1"})
    luc.refresh_from_db()
    assert luc.not_before == until + timedelta(days=1)
    assert "Leave them in peace until then?" not in said(client.get(f"/people/{luc.pk}/"))
    other = make.person()
    assert client.post(f"/people/{other.pk}/away/{message.pk}/", {"yes": "1"}).status_code == 404

"""Logging a conversation from anywhere, all of it in one act; looking at one; removing one."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from crm import conversations
from crm.models import Conversation, Event, EventKind, FollowUp, Person, Promise, PromiseSide
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
TODAY = AT.date()


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def person(account_manager) -> Person:
    return make.person(
        "Peter van der Meulen", owner=account_manager, organisation=make.organisation("Vandermeulen Logistics")
    )


def said(*people: Person | None, **fields: str) -> dict[str, object]:
    keys = [person.pk for person in people if person]
    return {"people": keys, "kind": "call", "direction": "both", "when": "2026-11-23T10:30", **fields}


def test_without_a_name_it_asks_with_whom_and_finds_them(login, account_manager, person):
    make.conversation(person, by=account_manager)
    client = login(account_manager)
    assert f"?person={person.pk}" in client.get("/conversations/new/").content.decode()
    found = client.get("/conversations/new/?named=muelen", headers={"HX-Request": "true", "HX-Target": "choices"})
    assert f"?person={person.pk}" in found.content.decode()
    assert "<html" not in found.content.decode()
    assert "Nobody of that name" in client.get("/conversations/new/?named=zzqqxx").content.decode()


def test_the_form_begins_now_and_shows_what_both_sides_promised(login, account_manager, person):
    make.promise(person, by=account_manager, due_on=TODAY)
    make.promise(person, by=account_manager, due_on=TODAY, side=PromiseSide.THEIRS, text="Ask his sister")
    page = login(account_manager).get(f"/conversations/new/?person={person.pk}").content.decode()
    for words in ('value="2026-11-23T10:30"', "Send the revised schedule", "Ask his sister", "Video call"):
        assert words in page, words
    assert "It becomes a follow-up of yours." in page


def test_two_fields_are_enough(login, account_manager, person):
    answer = login(account_manager).post(f"/conversations/new/?person={person.pk}", said(person))
    assert answer["Location"] == f"/people/{person.pk}/"
    row = Conversation.objects.get()
    assert (list(row.people.all()), row.at, row.by, str(row.organisation)) == (
        [person],
        AT,
        account_manager,
        "Vandermeulen Logistics",
    )
    person.refresh_from_db()
    assert person.last_contact_at == AT


def test_what_was_promised_and_agreed_is_stored_in_the_same_act(login, account_manager):
    deal = make.deal(account_manager)
    answer = login(account_manager).post(
        f"/conversations/new/?deal={deal.pk}",
        said(
            deal.person,
            kind="visit",
            minutes="75",
            summary="Two shifts.",
            learned="He decides with his sister.",
            quote="Before Easter.",
            has_gain="on",
            ours="Send the schedule",
            ours_due="2026-11-25",
            theirs="Ask his sister",
            theirs_due="2026-12-04",
            theirs_not_before="2026-12-01",
            next_step="Video with both",
            next_step_on="2026-12-07",
        ),
    )
    assert answer["Location"] == f"/deals/{deal.pk}/"
    deal.refresh_from_db()
    row = Conversation.objects.get()
    assert (deal.next_step, str(deal.next_step_on)) == ("Video with both", "2026-12-07")
    assert (row.has_learning, row.has_gain, row.has_next_step, row.minutes) == (True, True, True, 75)
    assert [(p.side, p.text, str(p.due_on), str(p.not_before)) for p in Promise.objects.order_by("pk")] == [
        ("ours", "Send the schedule", "2026-11-25", "None"),
        ("theirs", "Ask his sister", "2026-12-04", "2026-12-01"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"when": "2026-11-23T12:00"},
        {"when": ""},
        {"kind": "smoke signals"},
        {"ours": "Send it"},
        {"ours_due": "2026-12-01"},
        {"theirs": "Ask", "theirs_due": "2026-12-01", "theirs_not_before": "2026-12-09"},
        {"next_step": "Call"},
        {"next_step": "Call", "next_step_on": "2026-11-20"},
    ],
)
def test_a_refused_part_is_said_and_nothing_at_all_is_stored(login, account_manager, wrong):
    deal = make.deal(account_manager)
    answer = login(account_manager).post(f"/conversations/new/?deal={deal.pk}", said(deal.person, **wrong))
    assert answer.status_code == 200
    assert "invalid-feedback" in answer.content.decode() or "alert-danger" in answer.content.decode()
    assert not Conversation.objects.exists()
    assert not Promise.objects.exists()


def test_colleagues_may_have_been_there_and_people_of_another_team_may_not(login, account_manager, outsider, person):
    colleague = make.person("Els Claes", organisation=person.positions.get().organisation)
    theirs = make.person("Otto Stranger", owner=outsider)
    client = login(account_manager)
    assert "Els Claes" in client.get(f"/conversations/new/?person={person.pk}").content.decode()
    client.post(f"/conversations/new/?person={person.pk}", said(person, colleague))
    assert set(Conversation.objects.get().people.all()) == {person, colleague}
    assert client.post(f"/conversations/new/?person={person.pk}", said(theirs)).status_code == 200
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize("typed", ["Claes", "ELS@CLAES.EXAMPLE"])
def test_somebody_of_elsewhere_is_found_by_name_or_mail_and_nothing_is_saved_yet(login, account_manager, person, typed):
    els = make.person("Els Claes", email="els@claes.example")
    client, address = login(account_manager), f"/conversations/new/?person={person.pk}"
    typing = said(person, summary="Two shifts", ours="Send it", named=typed, find="yes")
    page = client.post(address, typing).content.decode()
    assert "Els Claes" in page
    assert "Two shifts" in page
    assert 'value="Send it"' in page
    assert not Conversation.objects.exists()
    part = client.post(address, typing, headers={"HX-Request": "true", "HX-Target": "who"}).content.decode()
    assert part.lstrip().startswith('<div id="who">')
    assert "This is not logged yet" in client.post(address, said(person, named=typed)).content.decode()
    assert not Conversation.objects.exists(), "Enter in the field of the name looks for it"
    client.post(address, said(person, els, named=typed))
    assert set(Conversation.objects.get().people.all()) == {person, els}


@pytest.mark.parametrize("page", ["/me/", "/leads/", "/search/?q=x", "/circle/"])
def test_the_key_to_log_one_is_on_every_page(login, account_manager, page):
    assert 'href="/conversations/new/" data-key="c"' in login(account_manager).get(page).content.decode()


def test_nobody_of_that_name_is_said(login, account_manager, outsider, person):
    make.person("Otto Stranger", owner=outsider)
    page = login(account_manager).post(
        f"/conversations/new/?person={person.pk}", said(person, named="Stranger", find="")
    )
    assert "Nobody else called “Stranger”" in page.content.decode()


def test_somebody_new_is_added_in_the_same_act(login, account_manager, person):
    client, address = login(account_manager), f"/conversations/new/?person={person.pk}"
    assert "What are they called?" in client.post(address, said(person, new_email="els@claes.example")).content.decode()
    client.post(address, said(person, new_name="Els Claes", new_email="els@claes.example"))
    els = Person.objects.get(family_name="Claes")
    assert (els.owner, els.last_contact_at) == (account_manager, AT)


def test_several_promises_of_each_side_and_information_that_was_sent(login, account_manager, person):
    days = {f"{side}{number}_due": "2026-12-01" for side in ("ours", "theirs") for number in ("", "_4")}
    login(account_manager).post(
        f"/conversations/new/?person={person.pk}",
        said(person, is_information="on", ours="One", ours_4="Two", theirs="Three", theirs_4="Four", **days),
    )
    assert Conversation.objects.get().is_information
    assert list(Promise.objects.order_by("pk").values_list("side", "text")) == [
        ("ours", "One"),
        ("ours", "Two"),
        ("theirs", "Three"),
        ("theirs", "Four"),
    ]


def test_what_was_agreed_with_a_person_is_a_follow_up(login, account_manager, person):
    login(account_manager).post(
        f"/conversations/new/?person={person.pk}",
        said(person, next_step="Drink coffee", next_step_on="2026-12-01"),
    )
    follow_up = FollowUp.objects.get()
    assert (follow_up.person, follow_up.owner, follow_up.note) == (person, account_manager, "Drink coffee")
    assert Conversation.objects.get().has_next_step


def test_our_first_word_to_a_lead_stops_its_clock(login, sdr):
    lead = make.working_lead(sdr)
    answer = login(sdr).post(f"/conversations/new/?lead={lead.pk}", said(lead.person))
    assert answer["Location"] == f"/leads/{lead.pk}/"
    lead.refresh_from_db()
    assert lead.answered_at == AT


def test_an_organisation_without_people_can_be_spoken_to(login, account_manager):
    company = make.organisation(owner=account_manager)
    login(account_manager).post(f"/conversations/new/?organisation={company.pk}", said())
    company.refresh_from_db()
    assert company.last_contact_at == AT


def test_a_teammate_logs_and_another_team_may_not(login, teammate, outsider, person, account_manager):
    assert login(teammate).post(f"/conversations/new/?person={person.pk}", said(person)).status_code == 302
    deal, organisation = make.deal(account_manager), make.organisation(owner=account_manager)
    for query in (f"person={person.pk}", f"deal={deal.pk}", f"organisation={organisation.pk}"):
        assert login(outsider).get(f"/conversations/new/?{query}").status_code == 403
        assert login(outsider).post(f"/conversations/new/?{query}", said(person)).status_code == 403
    assert Conversation.objects.count() == 1


def test_what_does_not_exist_is_not_found_and_nonsense_asks_with_whom(login, account_manager):
    client = login(account_manager)
    assert client.get("/conversations/new/?person=999999").status_code == 404
    assert "With whom did you speak?" in client.get("/conversations/new/?person=peter").content.decode()


def test_a_conversation_shows_what_was_said_and_promised(login, outsider, account_manager, person):
    row = make.conversation(person, by=account_manager, summary="Two shifts.", learned="March.", quote="Before Easter.")
    make.promise(person, by=account_manager, due_on=TODAY, conversation=row)
    page = login(outsider).get(f"/conversations/{row.pk}/").content.decode()
    for words in ("Two shifts.", "March.", "Before Easter.", "Send the revised schedule", "Peter van der Meulen"):
        assert words in page, words
    assert "/delete/" not in page


def test_removing_one_is_asked_first_and_last_contact_is_true_afterwards(login, account_manager, person):
    make.conversation(person, by=account_manager, when=AT - timedelta(days=9))
    row = make.conversation(person, by=account_manager)
    client = login(account_manager)
    assert "Remove it" in client.get(f"/conversations/{row.pk}/delete/").content.decode()
    assert Conversation.objects.count() == 2
    assert client.post(f"/conversations/{row.pk}/delete/")["Location"] == f"/people/{person.pk}/"
    person.refresh_from_db()
    assert person.last_contact_at == AT - timedelta(days=9)
    assert client.post(f"/conversations/{row.pk}/delete/").status_code == 404


def test_another_team_removes_nothing(login, outsider, account_manager, person):
    row = make.conversation(person, by=account_manager)
    assert login(outsider).post(f"/conversations/{row.pk}/delete/").status_code == 403
    assert Conversation.objects.exists()


def test_strangers_go_to_the_login(client, account_manager, person):
    row = make.conversation(person, by=account_manager)
    for address in ("/conversations/new/", f"/conversations/{row.pk}/", f"/conversations/{row.pk}/delete/"):
        assert client.get(address)["Location"].startswith("/accounts/login/")


# ---- Editing -------------------------------------------------------------------------------------------------------


def shown(client, row: Conversation, **fields: object) -> dict[str, object]:
    """What the form of the page sends when only these fields are touched."""
    form = client.get(f"/conversations/{row.pk}/edit/").context["form"]
    values = {name: form[name].value() for name in form.fields}
    values["when"] = values["when"].strftime("%Y-%m-%dT%H:%M")
    values |= fields
    return {name: value for name, value in values.items() if value not in (None, False)}


def test_every_field_can_be_put_right_and_the_page_says_who_did(login, account_manager, teammate, person):
    row = make.conversation(person, by=account_manager, summary="Two shifts")
    deal, els = make.deal(account_manager), make.person("Els Claes")
    client = login(teammate)
    answer = client.post(
        f"/conversations/{row.pk}/edit/",
        shown(
            client,
            row,
            kind="visit",
            summary="Three shifts",
            when="2026-11-20T09:00",
            people=[person.pk, els.pk],
            is_information="on",
        ),
    )
    assert answer["Location"] == f"/conversations/{row.pk}/"
    row.refresh_from_db()
    assert (row.kind, row.summary, row.is_information, row.by) == ("visit", "Three shifts", True, account_manager)
    assert set(row.people.all()) == {person, els}
    els.refresh_from_db()
    assert els.last_contact_at == row.at == AT - timedelta(days=3, hours=1, minutes=30)
    assert deal.last_contact_at is None
    page = client.get(f"/conversations/{row.pk}/").content.decode()
    assert "Changed once" in page
    assert teammate.get_short_name() in page


def test_how_they_came_to_buy_is_ticked_shown_on_the_timeline_and_unticked_again(login, account_manager, person):
    client = login(account_manager)
    client.post(f"/conversations/new/?person={person.pk}", said(person, is_journey_interview="on"))
    row = Conversation.objects.get()
    assert row.is_journey_interview
    for page in (f"/people/{person.pk}/", f"/conversations/{row.pk}/"):
        assert ">how they came to buy<" in client.get(page).content.decode()
    client.post(f"/conversations/{row.pk}/edit/", shown(client, row, is_journey_interview=False))
    row.refresh_from_db()
    assert not row.is_journey_interview
    assert ">how they came to buy<" not in client.get(f"/people/{person.pk}/").content.decode()


def test_it_moves_to_a_deal_of_theirs(login, account_manager):
    deal = make.deal(account_manager)
    row = make.conversation(deal.person, by=account_manager)
    client = login(account_manager)
    client.post(f"/conversations/{row.pk}/edit/", shown(client, row, deal=deal.pk))
    deal.refresh_from_db()
    assert deal.last_contact_at == AT


def test_a_deal_of_another_team_is_no_place_to_move_to(login, account_manager, outsider, person):
    deal = make.deal(outsider, person=person)
    row = make.conversation(person, by=account_manager)
    client = login(account_manager)
    assert client.post(f"/conversations/{row.pk}/edit/", shown(client, row, deal=deal.pk)).status_code == 200
    row.refresh_from_db()
    assert row.deal is None


def test_saving_without_a_change_changes_nothing_to_the_second(login, account_manager, person):
    when = AT - timedelta(hours=1, seconds=17)
    row = make.conversation(person, by=account_manager, when=when, summary="Two shifts")
    client = login(account_manager)
    client.post(f"/conversations/{row.pk}/edit/", shown(client, row))
    row.refresh_from_db()
    assert row.at == when
    assert not Event.objects.filter(kind=EventKind.CONVERSATION_CHANGED).exists()


def test_what_a_colleague_changed_meanwhile_is_shown_and_what_was_typed_is_kept(
    login, account_manager, teammate, person
):
    row = make.conversation(person, by=account_manager, summary="Two shifts")
    client = login(account_manager)
    mine = shown(client, row, summary="Four shifts")
    conversations.change(conversation=row, summary="Three shifts", by=teammate, at=AT)
    answer = client.post(f"/conversations/{row.pk}/edit/", mine)
    page = answer.content.decode()
    for words in (f"{teammate} changed this conversation", "Three shifts", "Four shifts", "Save mine all the same"):
        assert words in page, words
    row.refresh_from_db()
    assert row.summary == "Three shifts"
    client.post(f"/conversations/{row.pk}/edit/", mine | {"seen": answer.context["form"]["seen"].value()})
    row.refresh_from_db()
    assert row.summary == "Four shifts"


@pytest.mark.parametrize(("field", "value"), [("when", "2026-11-23T12:00"), ("when", ""), ("kind", "smoke")])
def test_what_cannot_be_is_said_and_nothing_changes(login, account_manager, person, field, value):
    row = make.conversation(person, by=account_manager)
    client = login(account_manager)
    answer = client.post(f"/conversations/{row.pk}/edit/", shown(client, row, **{field: value}))
    assert "invalid-feedback" in answer.content.decode() or "alert-danger" in answer.content.decode()
    row.refresh_from_db()
    assert (row.at, row.kind) == (AT, "call")


def test_who_took_part_is_found_by_name_while_editing(login, account_manager, person):
    make.person("Els Claes")
    row = make.conversation(person, by=account_manager, summary="Two shifts")
    page = login(account_manager).post(
        f"/conversations/{row.pk}/edit/", said(person, summary="Three", named="Claes", find="yes", seen="x")
    )
    assert "Els Claes" in page.content.decode()
    assert "Three" in page.content.decode()
    row.refresh_from_db()
    assert row.summary == "Two shifts"


# ---- Private -------------------------------------------------------------------------------------------------------


def test_who_had_it_keeps_it_private_and_others_see_only_that_it_was(login, account_manager, manager, person):
    row = make.conversation(
        person, by=account_manager, summary="She is ill", quote="Ouch", learned="Not to ask", has_gain=True
    )
    client = login(account_manager)
    assert "Keep private" in client.get(f"/conversations/{row.pk}/").content.decode()
    client.post(f"/conversations/{row.pk}/private/")
    assert "She is ill" in client.get(f"/conversations/{row.pk}/").content.decode()
    other = login(manager)
    page = other.get(f"/conversations/{row.pk}/").content.decode()
    assert f"{account_manager} keeps this conversation private" in page
    for address in (
        f"/conversations/{row.pk}/",
        f"/people/{person.pk}/",
        "/dashboard/numbers/conversations_of_value/?span=year",
    ):
        page = other.get(address).content.decode()
        for words in ("She is ill", "Ouch", "Not to ask"):
            assert words not in page, (address, words)
    for address in ("edit", "delete"):
        refused = other.get(f"/conversations/{row.pk}/{address}/")
        assert refused.status_code == 403
        assert "She is ill" not in refused.content.decode()
    assert other.post(f"/conversations/{row.pk}/show/").status_code == 403
    client.post(f"/conversations/{row.pk}/show/")
    assert "She is ill" in other.get(f"/conversations/{row.pk}/").content.decode()


def test_what_a_colleague_said_can_nobody_else_hide(login, account_manager, manager, person):
    row = make.conversation(person, by=account_manager)
    answer = login(manager).post(f"/conversations/{row.pk}/private/", follow=True)
    assert "Only whoever had this conversation" in answer.content.decode()
    row.refresh_from_db()
    assert row.private_to is None


def test_a_hand_off_tells_nothing_of_what_is_private(login, account_manager, sdr):
    offered = make.hand_off(sdr, account_manager)
    make.conversation(offered.lead.person, by=sdr, lead=offered.lead, summary="She is ill", private_to=sdr)
    page = login(account_manager).get(f"/hand-offs/{offered.pk}/").content.decode()
    assert "She is ill" not in page


def test_the_form_takes_few_queries(login, account_manager, person, django_assert_max_num_queries):
    client = login(account_manager)
    company = person.positions.get().organisation
    for _number in range(9):
        make.promise(make.person(organisation=company), by=account_manager, due_on=TODAY)
    with django_assert_max_num_queries(9):
        client.get(f"/conversations/new/?person={person.pk}")

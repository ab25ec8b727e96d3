"""The lists of which a good no is made: reasons with their words, and what we offer instead."""

from __future__ import annotations

import pytest

from crm import declining, verdicts, wording
from crm.models import DeclineReason, Event, EventKind, User
from crm.ready_reasons import READY
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


def reason(code: str = "no_need") -> DeclineReason:
    return DeclineReason.objects.get(code=code)


def test_the_list_begins_with_the_ready_made_ones() -> None:
    assert [row.code for row in DeclineReason.objects.all()] == [each.code.value for each in READY]


def test_every_ready_made_reason_has_kind_words_in_both_languages(sdr: User) -> None:
    person = make.person("Sofie De Wit")
    for row in DeclineReason.objects.all():
        english = wording.kind_no(row, to=person, sender=sdr, language="en")
        dutch = wording.kind_no(row, to=person, sender=sdr, language="nl")
        assert english.startswith("Dear Sofie,\n\n")
        assert english.endswith("\n\nKind regards,\nSofie Peeters")
        assert dutch.startswith("Beste Sofie,\n\n")
        assert row.label_en != row.label_nl


def test_words_are_filled_in_and_a_name_is_never_read_as_a_placeholder(sdr: User, admin_user: User) -> None:
    row = make.decline_reason(by=admin_user, text_en="{{ person.given_name }} of {{ organisation }}: no, sorry.")
    person = make.person("{{greeting}} Peeters", organisation=make.organisation("De Notelaar"))
    assert "{{greeting}} of De Notelaar: no, sorry." in wording.kind_no(row, to=person, sender=sdr, language="en")
    assert wording.kind_no(row, to=person, sender=sdr, language="nl") == ""


def test_what_we_offer_instead_stands_in_the_message_in_their_language(sdr: User, admin_user: User) -> None:
    piece = make.content("Plan in a week", url="https://kring.example/plan")
    offered = make.alternative(
        "The whiteboard", by=admin_user, kind="content", content=piece, text_en="Read this.", text_nl="Lees dit."
    )
    said = wording.kind_no(reason(), to=None, sender=sdr, language="nl", alternative=offered)
    assert "Lees dit.\nhttps://kring.example/plan\n\nMet vriendelijke groet" in said
    nameless = make.alternative("Bureau Klein", by=admin_user, kind="colleague", url="https://klein.example/")
    assert "Bureau Klein\nhttps://klein.example/" in wording.kind_no(
        reason(), to=None, sender=sdr, language="en", alternative=nameless
    )


@pytest.mark.parametrize("text", ["{{ password }}", "{% load x %}", "{{ greeting|upper }}", "{{ person.notes }}"])
def test_a_text_that_cannot_be_filled_in_is_never_kept(admin_user: User, text: str) -> None:
    for save in (make.decline_reason, make.alternative):
        with pytest.raises(Refused):
            save("Something", by=admin_user, text_nl=text)
    assert not DeclineReason.objects.filter(label_en="Something").exists()


def test_the_code_of_a_reason_is_its_own_and_never_changes(admin_user: User) -> None:
    one = make.decline_reason("Too far away", by=admin_user)
    two = make.decline_reason("Too far away", by=admin_user)
    assert (one.code, two.code) == ("too_far_away", "too_far_away_2")
    row = declining.save_reason(reason=one, label_en="Beyond our reach", label_nl="Buiten bereik", by=admin_user, at=AT)
    assert (row.code, row.label_en) == ("too_far_away", "Beyond our reach")
    assert make.decline_reason("非常", by=admin_user).code == "reason"
    events = Event.objects.filter(kind=EventKind.REASON_CHANGED, subject_id=one.pk)
    assert events.latest("pk").old == {"label_en": "Too far away", "label_nl": "Too far away"}


@pytest.mark.parametrize("labels", [("", "Te ver"), ("Too far", " "), ("x" * 101, "Te ver")])
def test_a_reason_has_a_name_in_both_languages(admin_user: User, labels: tuple[str, str]) -> None:
    with pytest.raises(Refused):
        declining.save_reason(label_en=labels[0], label_nl=labels[1], by=admin_user, at=AT)


def test_a_new_reason_stands_at_the_end_and_can_be_moved(admin_user: User) -> None:
    new = make.decline_reason("Too far away", by=admin_user)

    def order() -> list[str]:
        return list(DeclineReason.objects.values_list("code", flat=True))

    assert order()[-1] == new.code
    for _place in range(20):
        declining.move_reason(reason=new, up=True, by=admin_user, at=AT)
    assert order()[0] == new.code
    declining.move_reason(reason=new, up=False, by=admin_user, at=AT)
    assert order()[1] == new.code


def test_a_reason_that_was_used_is_closed_and_never_removed(sdr: User, admin_user: User) -> None:
    used, unused = make.decline_reason(by=admin_user), make.decline_reason(by=admin_user)
    lead = verdicts.decline(lead=make.working_lead(sdr), reason=used, by=sdr, at=AT)
    verdicts.reopen(lead=lead, by=sdr, at=AT)
    with pytest.raises(Refused, match="Close it instead"):
        declining.remove_reason(reason=used, by=admin_user, at=AT)
    declining.remove_reason(reason=unused, by=admin_user, at=AT)
    assert not DeclineReason.objects.filter(pk=unused.pk).exists()
    assert Event.objects.filter(kind=EventKind.REASON_CHANGED, subject_id=unused.pk, new={}).exists()


def test_one_reason_stays_in_use(admin_user: User) -> None:
    DeclineReason.objects.exclude(code="no_need").update(is_active=False)
    with pytest.raises(Refused, match="last reason"):
        declining.save_reason(
            reason=reason(), label_en="No need", label_nl="Geen nood", is_active=False, by=admin_user, at=AT
        )
    with pytest.raises(Refused, match="last reason"):
        declining.remove_reason(reason=reason(), by=admin_user, at=AT)


def test_an_alternative_has_a_name_of_its_own_and_stays_once_it_was_offered(sdr: User, admin_user: User) -> None:
    offered = make.alternative("A webinar", by=admin_user)
    with pytest.raises(Refused, match="of this name"):
        make.alternative("A webinar", by=admin_user)
    with pytest.raises(Refused, match="piece of content"):
        make.alternative("Ours", by=admin_user, kind="colleague", content=make.content())
    for kind, name in (("gift", "x"), ("offering", "")):
        with pytest.raises(Refused):
            declining.save_alternative(kind=kind, name=name, by=admin_user, at=AT)
    verdicts.decline(lead=make.working_lead(sdr), reason="no_need", alternative=offered, by=sdr, at=AT)
    with pytest.raises(Refused, match="Close it instead"):
        declining.remove_alternative(alternative=offered, by=admin_user, at=AT)
    declining.remove_alternative(alternative=make.alternative("Another", by=admin_user), by=admin_user, at=AT)
    assert Event.objects.filter(kind=EventKind.ALTERNATIVE_CHANGED, new={}).count() == 1

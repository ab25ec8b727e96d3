"""Forms are made and changed as asked, never into something that nobody can answer, and each change is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crm import capture_forms
from crm.capture_forms import Terms, Words
from crm.models import CaptureForm, Event, EventKind, FieldKind, FormField, OwnerRule, Role, User
from crm.refusal import Refused
from qualification.models import Criterion, CriterionKind, Option
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def form() -> CaptureForm:
    return make.form("contact")


def kinds(form: CaptureForm) -> list[str]:
    return list(form.form_fields.order_by("position").values_list("kind", flat=True))


def changes(form: CaptureForm) -> int:
    return Event.objects.filter(kind=EventKind.FORM_CHANGED, subject_id=form.pk).count()


def question(*, kind: str = CriterionKind.YES_NO, **fields: Any) -> Criterion:
    criterion = make.scorecard().criteria.order_by("pk").last()
    assert criterion is not None
    for name, value in ({"asks_prospect": True, "kind": kind} | fields).items():
        setattr(criterion, name, value)
    criterion.save()
    return criterion


# ---- The form ------------------------------------------------------------------------------------------------------


def test_a_new_form_is_open_and_asks_the_usual(admin_user: User) -> None:
    form = capture_forms.make(
        slug=" Contact ", terms=Terms("Contact page"), words=Words("Ask us"), by=admin_user, at=make.AT
    )
    assert (form.slug, form.is_active, form.least_seconds) == ("contact", True, 2)
    assert kinds(form) == ["name", "email", "organisation", "phone", "message"]
    assert list(form.form_fields.filter(is_required=True).values_list("kind", flat=True)) == ["name", "email"]
    assert form.texts.get().title == "Ask us"
    event = Event.objects.get(kind=EventKind.FORM_CHANGED)
    assert event.new
    assert (event.by, event.new["made"]) == (admin_user, "Contact page")


@pytest.mark.parametrize("slug", ["", "Größe", "a b", "-a", "a/b", "confirm", "x" * 51])
def test_an_address_that_is_none_is_refused(slug: str) -> None:
    with pytest.raises(Refused):
        capture_forms.make(slug=slug, terms=Terms("A"), words=Words("A"), by=None, at=make.AT)
    assert not CaptureForm.objects.exists()


def test_two_forms_never_share_an_address(form: CaptureForm) -> None:
    with pytest.raises(Refused, match="Another form"):
        make.form("contact")


def test_terms_are_changed_and_remembered_by_what_changed(form: CaptureForm, admin_user: User) -> None:
    terms = replace(
        capture_forms.terms_of(form), origin="campaign", is_double_opt_in=True, sites=["https://A.example/x"]
    )
    form = capture_forms.change(form=form, terms=terms, by=admin_user, at=make.AT)
    assert (form.origin, form.is_double_opt_in, form.sites) == ("campaign", True, ["https://a.example"])
    event = Event.objects.filter(kind=EventKind.FORM_CHANGED).latest("pk")
    assert event.old == {"origin": "website", "is_double_opt_in": False, "sites": []}
    before = changes(form)
    capture_forms.change(form=form, terms=terms, by=admin_user, at=make.AT)
    assert changes(form) == before, "the same once more is no change"


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ({"title": " "}, "name"),
        ({"origin": ""}, "origin"),
        ({"language": "nl"}, "words of the form"),
        ({"language": "fr"}, "does not speak"),
        ({"owner_rule": "dice"}, "who gets"),
        ({"owner_rule": OwnerRule.USER}, "SDR"),
        ({"owner_rule": OwnerRule.TEAM}, "team"),
        ({"least_seconds": 61}, "seconds"),
        ({"sites": ["example.com"]}, "not the address of a site"),
        ({"sites": ["https://a.example; script-src *"]}, "not the address of a site"),
        ({"sites": ["https://*"]}, "not the address of a site"),
        ({"sites": [f"https://s{number}.example" for number in range(31)]}, "at most"),
    ],
)
def test_terms_that_make_no_sense_are_refused(form: CaptureForm, what: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        capture_forms.change(form=form, terms=replace(capture_forms.terms_of(form), **what), by=None, at=make.AT)


def test_somebody_who_left_gets_no_leads_of_a_form(form: CaptureForm) -> None:
    gone = make.user(role=Role.SDR, is_active=False)
    terms = replace(capture_forms.terms_of(form), owner_rule=OwnerRule.USER, owner=gone)
    with pytest.raises(Refused, match="SDR"):
        capture_forms.change(form=form, terms=terms, by=None, at=make.AT)


def test_a_rule_keeps_only_whom_it_needs(form: CaptureForm, sdr: User) -> None:
    terms = replace(capture_forms.terms_of(form), owner_rule=OwnerRule.TEAM, owner=sdr, team=sdr.team)
    form = capture_forms.change(form=form, terms=terms, by=None, at=make.AT)
    assert (form.owner, form.team) == (None, sdr.team)


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://www.Example.com/contact?x=1", "https://www.example.com"),
        ("http://127.0.0.1:8123/", "http://127.0.0.1:8123"),
        ("https://a.example:443", "https://a.example"),
        ("https://user:secret@a.example/", "https://a.example"),
        ("https://a.example:99999999", ""),
        ("javascript:alert(1)", ""),
        ("null", ""),
        ("https://", ""),
        ("https://[::1", ""),
        ("ftp://a.example", ""),
    ],
)
def test_the_site_of_an_address(address: str, site: str) -> None:
    assert capture_forms.site_of(address) == site


def test_a_closed_form_can_be_opened_again_and_twice_is_once(form: CaptureForm) -> None:
    for _twice in range(2):
        assert not capture_forms.close(form=form, by=None, at=make.AT).is_active
    for _twice in range(2):
        assert capture_forms.reopen(form=form, by=None, at=make.AT).is_active
    assert changes(form) == 3, "made, closed, opened"


# ---- Words ---------------------------------------------------------------------------------------------------------


def test_a_form_speaks_the_languages_of_its_words(form: CaptureForm) -> None:
    words = Words("Vraag ons", intro=" Een mens\r\nleest het. ", consent="U mag mij schrijven.")
    for _twice in range(2):
        text = capture_forms.set_words(form=form, language="nl", words=words, by=None, at=make.AT)
    assert (text.title, text.intro) == ("Vraag ons", "Een mens\nleest het.")
    assert changes(form) == 2
    capture_forms.remove_words(form=form, language="nl", by=None, at=make.AT)
    assert [text.language for text in form.texts.all()] == ["en"]


def test_a_form_keeps_the_words_of_its_own_language(form: CaptureForm) -> None:
    with pytest.raises(Refused, match="own language"):
        capture_forms.remove_words(form=form, language="en", by=None, at=make.AT)


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", Words("Bonjour")), ("nl", Words(" ")), ("nl", Words("A", consent="x" * 5001)), ("nl", Words("A" * 151))],
)
def test_words_that_do_not_fit_are_refused(form: CaptureForm, language: str, words: Words) -> None:
    with pytest.raises(Refused):
        capture_forms.set_words(form=form, language=language, words=words, by=None, at=make.AT)


# ---- Fields --------------------------------------------------------------------------------------------------------


def test_a_field_is_added_once_and_last(form: CaptureForm) -> None:
    capture_forms.add_field(form=form, kind=FieldKind.POSTCODE, by=None, at=make.AT)
    assert kinds(form)[-1] == "postcode"
    with pytest.raises(Refused, match="already"):
        capture_forms.add_field(form=form, kind=FieldKind.POSTCODE, by=None, at=make.AT)
    with pytest.raises(Refused, match="list"):
        capture_forms.add_field(form=form, kind="shoe size", by=None, at=make.AT)


def test_a_field_is_asked_in_other_words(form: CaptureForm) -> None:
    field = form.form_fields.get(kind=FieldKind.MESSAGE)
    capture_forms.change_field(
        field=field, label_en=" What keeps  you busy? ", label_nl="", is_required=True, by=None, at=make.AT
    )
    shown = {one.kind: one for one in capture_forms.asked(form, "en")}
    assert (shown["message"].label, shown["message"].is_required) == ("What keeps you busy?", True)
    assert {one.kind: one.label for one in capture_forms.asked(form, "nl")}["message"] == "Wat wilt u graag weten?"


def test_name_and_address_are_always_asked(form: CaptureForm) -> None:
    for kind in (FieldKind.NAME, FieldKind.EMAIL):
        field = form.form_fields.get(kind=kind)
        with pytest.raises(Refused, match="nobody can be answered"):
            capture_forms.remove_field(field=field, by=None, at=make.AT)
        changed = capture_forms.change_field(
            field=field, label_en="", label_nl="", is_required=False, by=None, at=make.AT
        )
        assert changed.is_required


def test_a_field_is_taken_away(form: CaptureForm) -> None:
    field = form.form_fields.get(kind=FieldKind.PHONE)
    for _twice in range(2):
        capture_forms.remove_field(field=field, by=None, at=make.AT)
    assert kinds(form) == ["name", "email", "organisation", "message"]
    with pytest.raises(Refused, match="does not ask"):
        capture_forms.move_field(field=field, to=0, by=None, at=make.AT)


@pytest.mark.parametrize(
    ("to", "order"),
    [
        (0, ["message", "name", "email", "organisation", "phone"]),
        (2, ["name", "email", "message", "organisation", "phone"]),
        (99, ["name", "email", "organisation", "phone", "message"]),
        (-5, ["message", "name", "email", "organisation", "phone"]),
    ],
)
def test_a_field_is_moved(form: CaptureForm, to: int, order: list[str]) -> None:
    capture_forms.move_field(field=form.form_fields.get(kind=FieldKind.MESSAGE), to=to, by=None, at=make.AT)
    assert kinds(form) == order


def test_a_question_follows_the_version_in_use(form: CaptureForm) -> None:
    criterion = question(kind=CriterionKind.CHOICE, prospect_question="When?")
    for position, label in enumerate(("Now", "Later")):
        Option.objects.create(criterion=criterion, label=label, points=1, position=position)
    capture_forms.add_field(form=form, kind=FieldKind.QUESTION, criterion_key=criterion.key, by=None, at=make.AT)
    shown = capture_forms.asked(form, "en")[-1]
    assert (shown.label, shown.answered_by, shown.options) == ("When?", "choice", ("Now", "Later"))
    newer = make.scorecard(version=2)
    assert [one.key for one in capture_forms.asked(form, "en") if one.key] == [], "the new version does not ask it"
    newer.criteria.filter(question=criterion.question).update(key=criterion.key, asks_prospect=True)
    assert capture_forms.asked(form, "en")[-1].label == criterion.question


def test_a_question_that_is_not_asked_of_prospects_is_refused(form: CaptureForm) -> None:
    criterion = question(asks_prospect=False)
    for key in (criterion.key, "", "no such key"):
        with pytest.raises(Refused, match="not asked of prospects"):
            capture_forms.add_field(form=form, kind=FieldKind.QUESTION, criterion_key=key, by=None, at=make.AT)


def test_a_form_is_no_longer_than_anybody_fills_in(form: CaptureForm) -> None:
    FormField.objects.bulk_create(
        FormField(form=form, kind=FieldKind.QUESTION, criterion_key=f"k{number}", position=9) for number in range(40)
    )
    with pytest.raises(Refused, match="at most"):
        capture_forms.add_field(form=form, kind=FieldKind.JOB, by=None, at=make.AT)

"""A template says what its writer meant, in the reader's language, and can reach nothing but the words it is given."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from crm import mail_templates, wording
from crm.models import MailTemplate, User
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

TEXTS = {
    "subject_en": "Whiteboard for {{ organisation }}",
    "body_en": "{{ greeting }}\n\nHere is what you asked for.\n\n{{ sender.signature }}",
    "subject_nl": "Whiteboard voor {{ organisation }}",
    "body_nl": "{{ greeting }}\n\nHierbij wat u vroeg.\n\n{{ sender.signature }}",
}


def saved(by: User, **fields: Any) -> MailTemplate:
    return mail_templates.save(**{"name": "What you asked for", **TEXTS, **fields}, by=by, at=AT)


def test_a_template_is_filled_in_with_words_about_them_in_their_language(sdr: User) -> None:
    organisation = make.organisation("De Notelaar", at=AT)
    template = saved(sdr)
    lotte = make.person("Lotte Maes", organisation=organisation, language="nl")
    mary = make.person("Mary Stone", language="en")
    sdr.mail_signature = "Sofie Peeters\nKring · Gent"
    dutch = wording.of(template, person=lotte, sender=sdr)
    assert dutch.subject == "Whiteboard voor De Notelaar"
    assert "Hierbij wat u vroeg." in dutch.text
    assert dutch.text.endswith("Met vriendelijke groet,\nSofie Peeters\nKring · Gent")
    assert (dutch.language, dutch.lacks_language, dutch.empty) == ("nl", False, ())
    english = wording.of(template, person=mary, sender=sdr)
    assert "Here is what you asked for." in english.text
    assert english.empty == ("organisation",), "what is not known is told to the writer"


def test_a_template_in_one_language_speaks_that_one_and_says_so(sdr: User) -> None:
    template = saved(sdr, subject_nl="", body_nl="")
    said = wording.of(template, person=make.person(language="nl"), sender=sdr)
    assert (said.language, said.lacks_language) == ("en", True)


def test_every_placeholder_can_be_used(sdr: User) -> None:
    text = " | ".join(f"{{{{ {name} }}}}" for name in wording.PLACEHOLDERS)
    deal = make.deal(sdr, name="Planning in a week", next_step_on=date(2026, 12, 1))
    values = wording.words(person=deal.person, sender=sdr, language="en", deal=deal)
    filled = wording.fill(text, values)
    assert set(values) == set(wording.PLACEHOLDERS)
    assert all(value in filled for value in values.values())
    assert "Planning in a week" in filled


@pytest.mark.parametrize(
    "text",
    [
        "{% include 'crm/settings.html' %}",
        "{% load static %}",
        "{% extends 'base.html' %}",
        "{% debug %}",
        "{% if greeting %}x{% endif %}",
        "{% url 'crm:today' %}",
        "{{ settings.SECRET_KEY }}",
        "{{ request.user }}",
        "{{ person }}",
        "{{ sender }}",
        "{{ sender.password }}",
        "{{ person.delete }}",
        "{{ person.name.upper }}",
        "{{ person.name.__class__.__mro__ }}",
        "{{ greeting|safe }}",
        "{{ greeting|upper }}",
        "{{ 'word' }}",
        "{{ _('word') }}",
        "{{ 5 }}",
        "{{ block.super }}",
        "{{ forloop.counter }}",
        "{{ }}",
        "{{ person.name",
        "{{ person.nmae }}",
    ],
)
def test_nothing_else_gets_into_a_template(sdr: User, text: str) -> None:
    if text == "{{ person.name":  # never closed, so it is a text like any other, and harmless
        assert wording.fill(text, wording.words(person=None, sender=sdr, language="en")) == text
        return
    with pytest.raises(Refused):
        saved(sdr, body_en=text)
    with pytest.raises(Refused):
        wording.fill(text, wording.words(person=None, sender=sdr, language="en"))
    assert not MailTemplate.objects.exists()


def test_an_unknown_placeholder_is_refused_by_its_name(sdr: User) -> None:
    with pytest.raises(Refused, match=r"person\.nmae"):
        saved(sdr, body_en="Dear {{ person.nmae }}")


def test_what_stands_in_a_name_is_never_read_as_a_placeholder(sdr: User) -> None:
    person = make.person("{{ sender.email }} {% debug %} <b>Maes</b>", language="en")
    said = wording.of(saved(sdr, body_en="{{ person.name }}"), person=person, sender=sdr)
    assert said.text == str(person)
    assert str(sdr.email) not in said.text
    assert "<b>" in said.text, "plain text is not escaped"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "  "}, "name"),
        ({"subject_en": ""}, "English"),
        ({"body_nl": ""}, "Dutch"),
        (dict.fromkeys(TEXTS, ""), "at least one language"),
        ({"body_en": "x" * (wording.MOST_BODY + 1)}, "at most"),
        ({"subject_en": "x" * (wording.MOST_SUBJECT + 1)}, "at most"),
        ({"is_shared": True}, "managers and administrators"),
    ],
)
def test_a_template_that_is_not_whole_is_refused_in_words(sdr: User, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        saved(sdr, **fields)


def test_two_templates_of_one_owner_have_two_names(sdr: User, manager: User, teammate: User) -> None:
    saved(sdr)
    with pytest.raises(Refused, match="name already"):
        saved(sdr)
    saved(teammate)
    assert saved(manager, is_shared=True).owner is None
    with pytest.raises(Refused, match="name already"):
        saved(manager, is_shared=True)


def test_one_for_everybody_is_changed_and_removed_by_those_who_lead_alone(sdr: User, manager: User) -> None:
    template = saved(manager, is_shared=True)
    with pytest.raises(Refused, match="managers and administrators"):
        saved(sdr, template=template, name="Mine now")
    with pytest.raises(Refused, match="managers and administrators"):
        mail_templates.remove(template=template, by=sdr, at=AT)
    assert MailTemplate.objects.get().owner is None


def test_a_template_is_changed_shared_and_removed(sdr: User, manager: User) -> None:
    template = saved(manager)
    again = saved(manager, template=template, name="Other", is_shared=True, is_active=False)
    assert (again.pk, again.name, again.owner, again.is_active) == (template.pk, "Other", None, False)
    mail_templates.remove(template=again, by=manager, at=AT)
    mail_templates.remove(template=again, by=manager, at=AT)
    assert not MailTemplate.objects.exists()

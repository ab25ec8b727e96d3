"""The settings of scorecards: begun, edited as a draft with its trial beside it, and put in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm import scorecards
from crm.models import User
from qualification.models import Criterion, CriterionKind, Scorecard
from tests import make

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def card(admin_user: User) -> Scorecard:
    return scorecards.begin(ready="bant", by=admin_user, at=make.AT)


@pytest.fixture
def office(login: Login, admin_user: User) -> Client:
    return login(admin_user)


def shown(client: Client, name: str, *args: Any, **how: Any) -> str:
    return client.get(reverse(f"crm:{name}", args=args), **how).content.decode()


def said(**changed: Any) -> dict[str, Any]:
    return {
        "side": "theirs",
        "kind": "yes_no",
        "question": "Do they sail?",
        "weight": "4",
        "must_from": "100",
        **changed,
    }


def keys(card: Scorecard, side: str = "ours") -> list[int]:
    return list(card.criteria.filter(side=side).order_by("position").values_list("pk", flat=True))


def test_the_list_shows_every_version_and_its_uses(
    office: Client, sdr: User, admin_user: User, card: Scorecard
) -> None:
    make.qualified_lead(sdr)
    scorecards.new_version(scorecard=make.scorecard(), by=admin_user, at=make.AT)
    page = shown(office, "scorecards")
    for words in ("Ideal client", "version 2", "1 lead assessed", "in use", "BANT", "7 questions", "draft"):
        assert words in page, words


def test_without_any_it_says_what_to_do(office: Client, login: Login, manager: User) -> None:
    assert "Begin with a ready-made one" in shown(office, "scorecards")
    assert reverse("crm:scorecard-new") not in shown(login(manager), "scorecards")


def test_one_begins_ready_made_or_empty(office: Client) -> None:
    for number, (data, name) in enumerate([({"ready": "meddicc"}, "MEDDICC"), ({"name": "Our own"}, "Our own")]):
        answer = office.post(reverse("crm:scorecard-new"), data)
        fresh = Scorecard.objects.get(name=name)
        assert answer["Location"] == reverse("crm:scorecard", args=[fresh.pk])
        again = office.post(reverse("crm:scorecard-new"), data, follow=True).content.decode()
        assert "There is a scorecard of this name already" in again, name
        assert Scorecard.objects.count() == number + 1


@pytest.mark.parametrize("kind", CriterionKind.values)
def test_a_question_of_every_kind_is_added_and_opened_again(office: Client, card: Scorecard, kind: str) -> None:
    options = {
        "option_label": ["Often", "Never", ""],
        "option_from": ["10", "2,5", ""],
        "option_points": ["10", "0", ""],
    }
    answer = office.post(
        reverse("crm:scorecard-question-new", args=[card.pk]), said(kind=kind, is_must="on", must_from="50") | options
    )
    assert answer.status_code == 302
    row = card.criteria.get(question="Do they sail?")
    assert (row.kind, row.is_must, row.position) == (kind, kind != "text", 7)
    count = 2 if kind in ("choice", "number") else 0
    assert row.options.count() == count
    form = shown(office, "scorecard-question", row.pk)
    assert "Do they sail?" in form
    assert ("option_label" in form, "option_from" in form) == (kind == "choice", kind == "number")
    assert ('value="2.5"' in form) == (kind == "number")
    assert ('name="weight"' in form) == (kind != "text")


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(office: Client, card: Scorecard) -> None:
    where = reverse("crm:scorecard-question-new", args=[card.pk])
    wrong = said(kind="choice", option_label=["Often", ""], option_points=["many", ""])
    page = office.post(where, wrong).content.decode()
    assert "Write points and bands in digits" in page
    assert 'value="Often"' in page
    part = office.post(where, wrong, headers=HTMX | {"HX-Target": "questions"})
    assert part["HX-Retarget"] == "#question-new-ours"
    assert part.content.decode().lstrip().startswith('<li class="question question-edited"')
    assert card.criteria.count() == 7


def test_another_kind_shows_its_fields_and_saves_nothing(office: Client, card: Scorecard) -> None:
    criterion = card.criteria.get(kind="number")
    target = {"HX-Target": f"question-{criterion.pk}"}
    where = reverse("crm:scorecard-question", args=[criterion.pk])
    part = office.post(
        where, said(kind="choice", look="yes", option_label=["Often"]), headers=HTMX | target
    ).content.decode()
    assert 'name="option_label"' in part
    assert 'value="Often"' in part
    assert "Do they sail?" in part
    assert "invalid-feedback" not in part
    assert card.criteria.get(pk=criterion.pk).kind == "number"


def test_a_saved_question_comes_back_in_its_list_and_the_trial_hears_of_it(office: Client, card: Scorecard) -> None:
    criterion = card.criteria.get(kind="number")
    answer = office.post(
        reverse("crm:scorecard-question", args=[criterion.pk]),
        said(side="ours"),
        headers=HTMX | {"HX-Target": "questions"},
    )
    part = answer.content.decode()
    assert part.lstrip().startswith('<div id="questions">')
    assert "Do they sail?" in part
    assert "scorecardChanged" in answer["HX-Trigger"]
    part = office.post(
        reverse("crm:scorecard-question-remove", args=[criterion.pk]), headers=HTMX | {"HX-Target": "questions"}
    ).content.decode()
    assert "Do they sail?" not in part


def test_the_order_is_that_of_the_drop_and_of_the_buttons(office: Client, card: Scorecard) -> None:
    one, two, three, four = keys(card)
    where = reverse("crm:scorecard-arrange", args=[card.pk])
    assert office.post(where, {"order": [four, three, two, one]})["Location"] == reverse(
        "crm:scorecard", args=[card.pk]
    )
    office.post(where, {"order": keys(card), "up": one})
    assert keys(card) == [four, three, one, two]
    office.post(where, {"down": four})
    assert keys(card) == [three, four, one, two]
    other = make.scorecard().criteria.first()
    assert other is not None
    assert office.post(where, {"up": other.pk}).status_code == 404
    assert office.post(where, {"order": ["x", "-1", "9" * 30]}).status_code == 302


def test_name_and_thresholds_are_saved_and_refused(office: Client, card: Scorecard) -> None:
    where = reverse("crm:scorecard-describe", args=[card.pk])
    about = {"name": "Budget first", "description": "Whom", "threshold_ours": "70", "threshold_theirs": "50"}
    part = office.post(where, about, headers=HTMX | {"HX-Target": "about"})
    assert "scorecardChanged" in part["HX-Trigger"]
    card.refresh_from_db()
    assert (card.name, card.threshold_ours, card.threshold_theirs) == ("Budget first", 70, 50)
    assert "is-invalid" in office.post(where, about | {"threshold_ours": "0"}).content.decode()
    make.scorecard()
    assert "of this name already" in office.post(where, about | {"name": "Ideal client"}).content.decode()


def test_the_trial_stands_beside_the_draft(office: Client, sdr: User, admin_user: User, card: Scorecard) -> None:
    assert "there is nothing to try them on" in shown(office, "scorecard", card.pk)
    leads = [make.qualified_lead(sdr) for _each in range(2)]
    fresh = scorecards.new_version(scorecard=make.scorecard(), by=admin_user, at=make.AT)
    target = HTMX | {"HX-Target": "trial"}
    assert "Your last 2 leads would all come out the same." in shown(office, "scorecard", fresh.pk, headers=target)
    must = fresh.criteria.filter(is_must=True).first()
    assert must is not None
    office.post(reverse("crm:scorecard-question", args=[must.pk]), said(side="ours", kind="scale", is_must="on"))
    part = shown(office, "scorecard", fresh.pk, headers=target)
    assert part.lstrip().startswith('<section id="trial"')
    assert "of your last 2 would change" in part
    assert all(str(lead) in part for lead in leads)
    assert "both yes" in part
    assert "not yet" in part


def test_a_draft_is_put_in_use_taken_out_and_followed_by_another(office: Client, sdr: User, card: Scorecard) -> None:
    def press(act: str, pk: int) -> str:
        return office.post(reverse(f"crm:scorecard-{act}", args=[pk]), follow=True).content.decode()

    assert "BANT v1 is in use from now on." in press("publish", card.pk)
    assert "Ask something" not in shown(office, "scorecard", card.pk)
    assert "This version is in use" in press("discard", card.pk)
    assert "draft of version 2" in press("version", card.pk)
    assert "is out of use" in press("retire", card.pk)
    fresh = Scorecard.objects.get(version=2)
    assert "is thrown away" in press("discard", fresh.pk)
    assert not Scorecard.objects.filter(version=2).exists()
    empty = scorecards.begin(name="Empty", by=sdr, at=make.AT)
    assert "Ask at least one question that scores" in press("publish", empty.pk)


def test_a_version_that_was_used_cannot_be_edited_by_address(office: Client, sdr: User) -> None:
    make.qualified_lead(sdr)
    used = make.scorecard()
    criterion = used.criteria.first()
    assert criterion is not None
    page = office.get(reverse("crm:scorecard-question", args=[criterion.pk]), follow=True).content.decode()
    assert "Only a draft is edited" in page
    office.post(reverse("crm:scorecard-question", args=[criterion.pk]), said())
    office.post(reverse("crm:scorecard-question-remove", args=[criterion.pk]))
    assert Criterion.objects.get(pk=criterion.pk).question == criterion.question


def test_a_manager_reads_and_does_not_edit(login: Login, manager: User, card: Scorecard) -> None:
    page = shown(login(manager), "scorecard", card.pk)
    assert "Is there money for it?" in page
    assert "Put in use" not in page
    assert "<form" not in page.split("<main")[1].split("</main")[0]


def test_the_screens_take_few_queries(
    office: Client, sdr: User, admin_user: User, card: Scorecard, django_assert_max_num_queries: Any
) -> None:
    for _each in range(3):
        make.qualified_lead(sdr)
    fresh = scorecards.new_version(scorecard=make.scorecard(), by=admin_user, at=make.AT)
    for name, args, most in (
        ("scorecards", [], 6),
        ("scorecard", [fresh.pk], 18),
        ("scorecard-question", [card.criteria.values_list("pk", flat=True)[0]], 7),
    ):
        with django_assert_max_num_queries(most):
            shown(office, name, *args)

"""Say whether two are one, on screen: look, pick, merge, undo, and be led from old addresses to the row that stayed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm import merging, people
from crm.models import Lead, Merge, Mergeable, Organisation, Person, PossibleDuplicate, User
from crm.models.merges import UNDO_WITHIN
from tests import make

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


@pytest.fixture
def browser(sdr: User, login: Login) -> Client:
    return login(sdr)


@pytest.fixture
def two(sdr: User) -> tuple[Person, Person]:
    keep = make.person("Jan Peeters", email="jan@firm.example", tier="B", owner=sdr)
    gone = make.person("Jan Peters", email="jan.peters@firm.example", tier="A", owner=sdr)
    make.lead(person=gone, owner=sdr)
    make.conversation(gone, by=sdr)
    return keep, gone


def pair_of(two: tuple[Person, Person]) -> PossibleDuplicate:
    return PossibleDuplicate.objects.get(first_id=two[0].pk, second_id=two[1].pk)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_list_shows_both_and_why(browser: Client, two: tuple[Person, Person]) -> None:
    page = text(browser.get("/people/duplicates/"))
    assert "Jan Peeters" in page
    assert "Jan Peters" in page
    assert "a like name at the same domain" in page
    assert f"/people/duplicates/{pair_of(two).pk}/" in page


def test_nothing_waits_says_so(browser: Client) -> None:
    assert "Nobody is known twice" in text(browser.get("/people/duplicates/"))
    assert "Nobody is known twice" in text(browser.get("/people/duplicates/?kind=organisation&after=nonsense"))


def test_mine_are_those_of_which_i_own_one(login: Login, outsider: User, two: tuple[Person, Person]) -> None:
    other = login(outsider)
    assert "Jan Peeters" in text(other.get("/people/duplicates/"))
    assert "Jan Peeters" not in text(other.get("/people/duplicates/?whose=mine"))
    Person.objects.filter(pk=two[1].pk).update(owner=outsider)
    assert "Jan Peeters" in text(other.get("/people/duplicates/?whose=mine"))


def test_organisations_have_a_list_of_their_own(browser: Client) -> None:
    make.organisation("Acme BV")
    make.organisation("Acme NV")
    assert "Acme BV" in text(browser.get("/people/duplicates/?kind=organisation"))
    assert "Acme BV" not in text(browser.get("/people/duplicates/"))


def test_the_pages_of_the_list_are_found_by_key(browser: Client) -> None:
    for number in range(53):
        make.person(f"Name{number} One", email=f"shared{number}@x{number}.example")
        make.person(f"Name{number} Two", email=f"shared{number}@x{number}.example")
    page = browser.get("/people/duplicates/")
    assert len(page.context["pairs"]) == 50
    following = browser.get("/people/duplicates/", {"after": page.context["page"].next})
    assert len(following.context["pairs"]) == 3


def test_a_list_of_any_length_costs_the_same(browser: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            browser.get("/people/duplicates/")
        return len(seen)

    make.person("A One", email="shared@x.example")
    make.person("A Two", email="shared@x.example")
    few = cost()
    for number in range(8):
        make.person(f"B{number} One", email=f"b{number}@x{number}.example")
        make.person(f"B{number} Two", email=f"b{number}@x{number}.example")
    assert cost() == few


def test_side_by_side_says_what_will_move(browser: Client, two: tuple[Person, Person]) -> None:
    page = text(browser.get(f"/people/duplicates/{pair_of(two).pk}/"))
    assert "1 conversation" in page
    assert "1 lead" in page
    assert "a like name at the same domain" in page
    assert 'name="tier" value="gone"' in page


def test_merging_takes_what_was_picked_and_can_be_undone(browser: Client, two: tuple[Person, Person]) -> None:
    keep, gone = two
    answer = browser.post(
        f"/people/{keep.pk}/merge/?with={gone.pk}", {"tier": "gone", "family_name": "gone"}, follow=True
    )
    assert answer.redirect_chain == [(f"/people/{keep.pk}/", 302)]
    assert "Jan Peters is part of this one now" in text(answer)
    assert "/people/merges/" in text(answer)
    keep.refresh_from_db()
    assert (str(keep), keep.tier) == ("Jan Peters", "A")
    assert Lead.objects.get().person == keep
    merges = text(browser.get("/people/merges/"))
    assert "can be undone until" in merges
    answer = browser.post(f"/people/merges/{Merge.objects.get().pk}/undo/", follow=True)
    assert answer.redirect_chain == [(f"/people/{gone.pk}/", 302)]
    assert "are two again" in text(answer)
    keep.refresh_from_db()
    assert (str(keep), keep.tier) == ("Jan Peeters", "B")
    assert Lead.objects.get().person_id == gone.pk
    assert "undone" in text(browser.get("/people/merges/"))


def test_a_merge_of_long_ago_offers_no_undo_and_refuses_one(
    browser: Client, two: tuple[Person, Person], sdr: User
) -> None:
    long_ago = timezone.now() - UNDO_WITHIN - timedelta(seconds=1)
    done = merging.merge(keep=two[0], gone=two[1], by=sdr, at=long_ago)
    assert "too long ago to be undone" in text(browser.get("/people/merges/"))
    answer = browser.post(f"/people/merges/{done.pk}/undo/", follow=True)
    assert "thirty days" in text(answer)


def test_undo_says_which_value_stays_since_somebody_changed_it(
    browser: Client, two: tuple[Person, Person], sdr: User
) -> None:
    keep, gone = two
    done = merging.merge(keep=keep, gone=gone, choices={"tier": "gone"}, by=sdr, at=timezone.now())
    people.change(person=keep, tier="C", by=sdr, at=timezone.now())
    assert "so it stays: tier" in text(browser.post(f"/people/merges/{done.pk}/undo/", follow=True))


def test_not_the_same_is_remembered(browser: Client, two: tuple[Person, Person], sdr: User) -> None:
    pair = pair_of(two)
    answer = browser.post(f"/people/duplicates/{pair.pk}/not-the-same/", follow=True)
    assert "does not ask about these two again" in text(answer)
    assert "Nobody is known twice" in text(answer)
    assert "Sofie Peeters said on" in text(browser.get(f"/people/duplicates/{pair.pk}/"))
    assert "Is not the same as Jan Peters" in text(browser.get(f"/people/{two[0].pk}/"))


@pytest.mark.parametrize("whose", [0, 1])
def test_who_may_write_one_of_the_two_only_cannot_merge_them(
    browser: Client, outsider: User, two: tuple[Person, Person], whose: int
) -> None:
    Person.objects.filter(pk=two[whose].pk).update(owner=outsider)
    page = text(browser.get(f"/people/duplicates/{pair_of(two).pk}/"))
    assert "They are one" not in page
    assert "Only who may change both" in page
    assert browser.post(f"/people/{two[0].pk}/merge/?with={two[1].pk}").status_code == 403
    assert browser.post(f"/people/duplicates/{pair_of(two).pk}/not-the-same/").status_code == 403
    assert Person.objects.filter(pk__in=[one.pk for one in two]).count() == 2


def test_the_other_one_is_chosen_by_name_or_address(
    browser: Client, two: tuple[Person, Person], outsider: User
) -> None:
    keep, gone = two
    assert "Write who it is" in text(browser.get(f"/people/{keep.pk}/merge/"))
    for typed in ("peters", "jan.peters@firm"):
        page = text(browser.get(f"/people/{keep.pk}/merge/", {"named": typed}))
        assert f"/people/{keep.pk}/merge/?with={gone.pk}" in page
    assert "Nobody is called so" in text(browser.get(f"/people/{keep.pk}/merge/", {"named": "\x00zzzqqq"}))
    Person.objects.filter(pk=gone.pk).update(owner=outsider)
    page = text(browser.get(f"/people/{keep.pk}/merge/", {"named": "peters"}))
    assert f"with={gone.pk}" not in page
    company, same = make.organisation("Acme Gent"), make.organisation("Acme Brugge")
    page = text(browser.get(f"/organisations/{company.pk}/merge/", {"named": "acme"}))
    assert f"/organisations/{company.pk}/merge/?with={same.pk}" in page
    assert "They are one" in text(browser.get(f"/organisations/{company.pk}/merge/?with={same.pk}"))
    browser.post(f"/organisations/{company.pk}/merge/?with={same.pk}")
    assert not Organisation.objects.filter(pk=same.pk).exists()


def test_whoever_looks_alike_has_a_notice_on_their_page(browser: Client, two: tuple[Person, Person], sdr: User) -> None:
    link = f"/people/duplicates/{pair_of(two).pk}/"
    assert link in text(browser.get(f"/people/{two[0].pk}/"))
    assert link in text(browser.get(f"/people/{two[1].pk}/"))
    make.organisation("Acme BV")
    acme = make.organisation("Acme NV")
    assert "an organisation that we know twice" in text(browser.get(f"/organisations/{acme.pk}/"))
    assert "/people/duplicates/" in text(browser.get("/people/"))


# ---- Old addresses -----------------------------------------------------------------------------------------------------


def test_old_addresses_lead_to_the_row_that_stayed(browser: Client, sdr: User) -> None:
    a, b, c = make.person("A"), make.person("B"), make.person("C")
    first = merging.merge(keep=b, gone=a, by=sdr, at=timezone.now())
    second = merging.merge(keep=c, gone=b, by=sdr, at=timezone.now())
    for old, new in (
        (f"/people/{a.pk}/", f"/people/{c.pk}/"),
        (f"/people/{b.pk}/?before=2026", f"/people/{c.pk}/?before=2026"),
        (f"/people/{a.pk}/edit/", f"/people/{c.pk}/edit/"),
        (f"/conversations/new/?person={a.pk}&note=x", f"/conversations/new/?person={c.pk}&note=x"),
    ):
        answer = browser.get(old)
        assert (answer.status_code, answer.headers["Location"]) == (302, new)
    answer = browser.post(f"/people/{a.pk}/edit/", {"given_name": "Z"})
    assert answer.status_code == 409
    assert f"/people/{c.pk}/" in text(answer)
    assert browser.get("/people/999999999/").status_code == 404
    merging.undo(merge=second, by=sdr, at=timezone.now())
    merging.undo(merge=first, by=sdr, at=timezone.now())
    assert browser.get(f"/people/{a.pk}/").status_code == 200


def test_organisations_lead_on_as_well_and_a_lead_of_the_same_number_does_not(browser: Client, sdr: User) -> None:
    keep, gone = make.organisation("Keep"), make.organisation("Gone")
    merging.merge(keep=keep, gone=gone, by=sdr, at=timezone.now())
    assert browser.get(f"/organisations/{gone.pk}/").headers["Location"] == f"/organisations/{keep.pk}/"
    assert browser.get(f"/leads/{gone.pk + 999}/").status_code == 404
    assert Merge.objects.stayed(Mergeable.PERSON, gone.pk) is None


def test_who_writes_to_a_row_that_is_merged_meanwhile_is_told(
    browser: Client, two: tuple[Person, Person], sdr: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row was there when the page was fetched, and is gone when its verb locks it."""
    keep, gone = two
    genuine = people.add_email

    def merged_first(**how: Any) -> Any:
        merging.merge(keep=keep, gone=gone, by=sdr, at=timezone.now())
        return genuine(**how)

    monkeypatch.setattr("crm.people.add_email", merged_first)
    answer = browser.post(f"/people/{gone.pk}/email/", {"address": "new@x.example", "kind": "work"})
    assert answer.status_code == 409
    assert "merged with another meanwhile" in text(answer)


def test_a_refusal_of_the_database_when_committing_is_told(
    browser: Client, two: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row was there until the end of the act, and is gone when that is committed."""
    missing = Person.objects.order_by("-pk").values_list("pk", flat=True)[0] + 1000

    def late(**how: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            Lead.objects.update(person=missing)

    monkeypatch.setattr("crm.people.add_email", late)
    answer = browser.post(f"/people/{two[0].pk}/email/", {"address": "new@x.example", "kind": "work"})
    assert answer.status_code == 409
    assert "nothing was saved" in text(answer)

"""Saved views: kept under a name of their owner, and nothing of anybody else is ever overwritten."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from crm import views
from crm.models import SavedView
from crm.models.views import ListScreen
from crm.refusal import Refused
from tests.make import AT

pytestmark = pytest.mark.django_db


def save(by, name="Closest", query="tier=A", **how):
    how.setdefault("is_shared", False)
    return views.save(screen=ListScreen.PEOPLE, name=name, query=query, by=by, at=AT, **how)


def test_the_same_name_is_refused_until_the_owner_says_that_it_may_be_replaced(sdr):
    save(sdr)
    with pytest.raises(Refused, match="Choose another name, or replace it"):
        save(sdr, query="tier=B")
    assert SavedView.objects.get().query == "tier=A"
    save(sdr, query="tier=B", replace=True)
    assert SavedView.objects.get().query == "tier=B"


def test_the_same_name_of_somebody_else_or_of_the_other_list_stays(sdr, teammate):
    save(sdr, is_shared=True)
    save(teammate, query="tier=C", replace=True)
    views.save(screen=ListScreen.ORGANISATIONS, name="Closest", query="city=Gent", is_shared=False, by=sdr, at=AT)
    assert set(SavedView.objects.values_list("owner", "query")) == {
        (sdr.pk, "tier=A"),
        (teammate.pk, "tier=C"),
        (sdr.pk, "city=Gent"),
    }


@pytest.mark.parametrize("name", ["", "  ", "\x00", "x" * 61])
def test_a_view_needs_a_name_of_bounded_length(sdr, name):
    with pytest.raises(Refused):
        save(sdr, name=name)
    with pytest.raises(Refused):
        save(sdr, query="x" * 2001)


def test_only_its_owner_changes_it_and_never_into_a_name_that_they_use(sdr, manager):
    view, other = save(sdr), save(sdr, name="Other")
    with pytest.raises(Refused):
        views.change(view=other, name="Closest", is_shared=True, by=sdr)
    with pytest.raises(Refused):
        views.change(view=view, name="Mine", is_shared=True, by=manager)
    changed = views.change(view=view, name=" Very  close ", is_shared=True, by=sdr)
    changed.refresh_from_db()
    assert (changed.name, changed.is_shared) == ("Very close", True)


def test_its_owner_removes_it_and_who_leads_may_remove_a_shared_one(sdr, teammate, manager):
    private, shared, own = save(sdr), save(sdr, name="Shared", is_shared=True), save(sdr, name="Own")
    for view, by in ((private, teammate), (private, manager), (shared, teammate)):
        with pytest.raises(Refused):
            views.remove(view=view, by=by)
    views.remove(view=shared, by=manager)
    views.remove(view=own, by=sdr)
    assert list(SavedView.objects.all()) == [private]


@pytest.mark.django_db(transaction=True)
def test_two_saves_at_once_make_one_view_and_one_refusal(sdr):
    outcomes, gate = [], threading.Barrier(2)

    def try_it(query: str) -> None:
        gate.wait()
        try:
            save(sdr, query=query)
            outcomes.append("saved")
        except Refused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it, args=(query,)) for query in ("tier=A", "tier=B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "saved"]
    assert SavedView.objects.count() == 1

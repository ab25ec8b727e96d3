"""A worker that is killed while it refreshes the follow-ups leaves nothing half done, and the next one ends where the first would have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from crm import follow_ups, pipelines
from crm.models import Deal, FollowUp, Promise, PromiseSide, Role, Rule, Touched, User
from tests import make
from tests.running import LiveStack, wait_for

pytestmark = [pytest.mark.stack]

DEALS, PROMISES = 3000, 200

# Each row of the next-step rule takes two milliseconds, and counts itself in a sequence, which other connections see at once.
SLOWLY = """
CREATE SEQUENCE midway;
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('midway'), pg_sleep(0.002);
    RETURN NEW;
END $$;
CREATE TRIGGER slowly BEFORE INSERT ON crm_followup FOR EACH ROW WHEN (NEW.rule = 'next_step') EXECUTE FUNCTION slowly();
"""
AT_ONCE = "DROP TRIGGER slowly ON crm_followup; DROP FUNCTION slowly(); DROP SEQUENCE midway;"
OWNER = "arjan@killed.example"
REFRESH = "from crm.tasks import refresh_follow_ups; refresh_follow_ups.delay()"


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def ask(question: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
    return row[0] if row else None


def rows() -> list[dict[str, Any]]:
    """What this test's owner has to do, as it matters: without the number of the row and the moment it was made."""
    columns = [field.attname for field in FollowUp._meta.concrete_fields if field.name not in ("id", "created_at")]
    ours = FollowUp.objects.filter(owner__email=OWNER, rule__in=[Rule.NEXT_STEP, Rule.OUR_PROMISE])
    return list(ours.order_by("rule", "subject_kind", "subject_id", "pk").values(*columns))


@pytest.fixture
def much_to_do(stack_db: LiveStack) -> Iterator[LiveStack]:
    """Thousands of steps and promises that are due, and a table that takes its time with the steps."""
    now = timezone.now()
    owner = make.user("Arjan van der Meer", Role.ACCOUNT_MANAGER, email=OWNER)
    person, stage, yesterday = (
        make.person("Ilse Maes", at=now),
        pipelines.first_stage(),
        (now - timedelta(days=4)).date(),
    )
    Deal.objects.bulk_create(
        Deal(
            name=f"Deal {n}",
            owner=owner,
            stage=stage,
            person=person,
            next_step="Call",
            next_step_on=yesterday,
            opened_at=now,
        )
        for n in range(DEALS)
    )
    Promise.objects.bulk_create(
        Promise(side=PromiseSide.OURS, text=f"Send {n}", person=person, owner=owner, made_at=now, due_on=yesterday)
        for n in range(PROMISES)
    )
    # The person alone reaches all of it: nobody is to look at that first, in one transaction.
    Touched.objects.all().delete()
    yield stack_db
    # The journeys of the same session walk through this database, too.
    FollowUp.objects.filter(owner=owner).delete()
    Promise.objects.filter(owner=owner).delete()
    Deal.objects.filter(owner=owner).delete()
    User.objects.filter(pk=owner.pk).update(is_active=False, email=f"left{owner.pk}@killed.example")


def test_a_worker_killed_in_the_middle_of_a_refresh_changes_nothing_about_its_result(much_to_do):
    with transaction.atomic():  # What a refresh without any mishap leaves; then as if it had not been.
        follow_ups.refresh(at=timezone.now())
        expected = rows()
        transaction.set_rollback(True)
    assert len(expected) == DEALS + PROMISES

    execute(SLOWLY)
    try:
        much_to_do.manage("shell", "-c", REFRESH)
        wait_for(
            lambda: ask("SELECT last_value FROM midway") > DEALS // 10, seconds=60, why="the worker to be in the middle"
        )
        much_to_do.kill_worker()
        written = ask("SELECT last_value FROM midway")
        assert DEALS // 10 < written < DEALS - 200, "The worker was not in the middle of its work."
        # The rule before it is done and stays; of the rule it was in, nobody sees a row.
        assert {row["rule"] for row in rows()} == {Rule.OUR_PROMISE}
        # PostgreSQL notices at the end of the statement that nobody waits for it, and takes it back.
        wait_for(
            lambda: (
                not ask(
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%INSERT INTO crm_followup%' AND pid <> pg_backend_pid()"
                )
            ),
            seconds=60,
            why="PostgreSQL to take the statement back",
        )
        assert {row["rule"] for row in rows()} == {Rule.OUR_PROMISE}
    finally:
        execute(AT_ONCE)

    wait_for(lambda: much_to_do.up.child("worker"), seconds=30, why="another worker")
    much_to_do.manage("shell", "-c", REFRESH)
    wait_for(
        lambda: FollowUp.objects.filter(owner__email=OWNER, rule=Rule.NEXT_STEP).count() >= DEALS,
        seconds=60,
        why="the next worker to do it all",
    )
    assert rows() == expected
    follow_ups.refresh(at=timezone.now())
    assert rows() == expected, "A refresh more changes nothing, and no follow-up is there twice."


FEW = 300
"""As many as are looked at by themselves and not as a whole."""
TOUCHED_ONLY = "from crm.tasks import refresh_touched; refresh_touched.delay()"


def test_a_worker_killed_while_it_looks_at_what_was_touched_leaves_it_touched(much_to_do):
    owner = User.objects.get(email=OWNER)
    touched = list(Deal.objects.filter(owner=owner).order_by("pk").values_list("pk", flat=True)[:FEW])
    # A person reaches all their deals, so these have none.
    Deal.objects.filter(pk__in=touched).update(person=None)
    follow_ups.refresh(at=timezone.now())
    FollowUp.objects.filter(deal__in=touched).delete()
    was = rows()
    execute(SLOWLY.replace("0.002", "0.02"))  # So few would be done before anybody is killed.
    try:
        Touched.objects.bulk_create(Touched(subject_kind="deal", subject_id=pk, deal_id=pk) for pk in touched)
        much_to_do.manage("shell", "-c", TOUCHED_ONLY)
        wait_for(
            lambda: ask("SELECT last_value FROM midway") > FEW // 10, seconds=60, why="the worker to be in the middle"
        )
        much_to_do.kill_worker()
        assert ask("SELECT last_value FROM midway") < FEW, "The worker was not in the middle of its work."
        wait_for(
            lambda: (
                not ask(
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%INSERT INTO crm_followup%' AND pid <> pg_backend_pid()"
                )
            ),
            seconds=60,
            why="PostgreSQL to take the statement back",
        )
    finally:
        execute(AT_ONCE)
    wait_for(lambda: much_to_do.up.child("worker"), seconds=30, why="another worker")
    # Nobody asks again: the errand itself was not acknowledged, and the schedule comes by every minute.
    wait_for(lambda: len(rows()) == len(was) + FEW, seconds=90, why="the next worker to do it all")
    # When the quarter of an hour strikes just now it is the complete refresh that did it, and that one takes them away at its end.
    wait_for(
        lambda: not Touched.objects.filter(deal_id__in=touched).exists(), seconds=30, why="what was touched to be done"
    )
    expected = rows()
    follow_ups.refresh(at=timezone.now())
    assert rows() == expected, "Looking at everything changes nothing, and no follow-up is there twice."

"""The digest, the running worker and a real mail server: a worker that is killed while the server takes it never has it sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from crm import digest, outbox, sealed
from crm.models import Digest, FollowUp, Mailbox, MailMessage, OutgoingMail, User
from tests import make
from tests.mail import PASSWORD, SmtpServer, smtp_server
from tests.running import LiveStack, wait_for

__all__ = ["smtp_server"]

pytestmark = [pytest.mark.stack]

SEND = "from crm.tasks import send_digests, send_mail; send_digests.delay(); send_mail.delay()"


def at_noon(now: datetime) -> dict[str, Any]:
    """Somebody for whom it is around noon, works today and chose this hour for their digest, whenever the test runs."""
    zone = f"Etc/GMT{now.astimezone(UTC).hour - 12:+d}"
    user = User(time_zone=zone)
    hour = (now - timedelta(minutes=1)).astimezone(user.zone).time().replace(second=0, microsecond=0)
    return {"time_zone": zone, "digest_at": hour, "working_days": list(range(7)), "team": make.team(country="")}


@pytest.fixture
def mailbox(stack_db: LiveStack, smtp_server: SmtpServer) -> Iterator[Mailbox]:
    """A mailbox of the whole company that sends through the test's server, and is read by nobody."""
    now = timezone.now()
    with override_settings(SECRET_KEY=stack_db.up.environment["KRING_SECRET_KEY"]):
        yield make.mailbox(
            None, at=now, address="kring@kring.test", username="kring", claimed_until=now + timedelta(days=1),
            smtp_host=smtp_server.host, smtp_port=smtp_server.port, smtp_security="none",
            sealed_password=sealed.seal(PASSWORD),
        )  # fmt: skip
    # The journeys of the same session walk through this database, too.
    User.objects.filter(digests__isnull=False).update(is_active=False)
    FollowUp.objects.filter(owner__digests__isnull=False).delete()
    Digest.objects.all().delete()
    MailMessage.objects.filter(mailbox__isnull=False).delete()
    OutgoingMail.objects.all().delete()
    Mailbox.objects.all().delete()


def test_a_worker_killed_while_the_server_takes_a_digest_never_has_it_sent_twice(
    stack_db: LiveStack, smtp_server: SmtpServer, mailbox: Mailbox
) -> None:
    now = timezone.now()
    user = make.user("Noor Claes", **at_noon(now))
    FollowUp.objects.create(
        subject_kind="user",
        subject_id=user.pk,
        note="Send the samples",
        owner=user,
        due_at=now,
        show_at=now,
        created_at=now,
    )
    smtp_server.is_slow = True
    with transaction.atomic():  # So that no worker sends it before it has this mailbox.
        assert digest.send_due(at=now) == 1
        row = OutgoingMail.objects.get(digest__user=user)
        OutgoingMail.objects.filter(pk=row.pk).update(mailbox=mailbox)
    stack_db.manage("shell", "-c", SEND)
    wait_for(lambda: smtp_server.received, seconds=60, why="the server to have the digest")
    assert not OutgoingMail.objects.waiting().filter(pk=row.pk).exists(), "written down before the server says yes"
    stack_db.kill_worker()
    smtp_server.is_slow = False

    other = outbox.put(to="other@kring.test", subject="Hello", body="Are you there?", by=None, at=timezone.now())
    stack_db.manage("shell", "-c", SEND)
    wait_for(
        lambda: OutgoingMail.objects.filter(pk=other.pk, sent_at__isnull=False).exists(),
        seconds=60,
        why="the next worker to have sent what waits",
    )
    for minutes in (11, 60, 240):
        moment = now + timedelta(minutes=minutes)
        digest.send_due(at=moment)  # It may be morning for somebody else of these tests.
        assert Digest.objects.filter(user=user).count() == 1
        outbox.send_due(at=moment)
    assert [envelope.rcpt_tos for envelope in smtp_server.received] == [[user.email]]
    row.refresh_from_db()
    assert row.sent_at is None
    assert "nobody knows" in row.failure

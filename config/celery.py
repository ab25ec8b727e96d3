"""The Celery application and its schedule, as code. The row is the truth and the queue a nudge: every entry is a sweep that
finds its own work in the database, so one that is lost, late or run twice does no harm."""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("kring")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["crm"])

# `crontab`, not intervals: a restart of beat would start an interval again. `expires` just under the period: a worker that
# was away does not wake up to a row of the same errand.
app.conf.beat_schedule = {
    "refresh follow-ups": {
        # Rules are computed from the data; a quarter of an hour is soon enough for a due date.
        "task": "crm.tasks.refresh_follow_ups",
        "schedule": crontab(minute="*/15"),
        "options": {"expires": 14 * 60},
    },
    "refresh follow-ups of what was touched": {
        # A nudge asks for it at once; this finds what a lost nudge would have told.
        "task": "crm.tasks.refresh_touched",
        "schedule": crontab(minute="*"),
        "options": {"expires": 50},
    },
    "send the mail that waits": {
        # A mail is sent at once by a nudge; this finds those whose nudge was lost or whose server was away.
        "task": "crm.tasks.send_mail",
        "schedule": crontab(minute="*"),
        "options": {"expires": 50},
    },
    "send the digests": {
        # People choose an hour, and notice when it is ten minutes past it; a morning that was missed is over after three hours.
        "task": "crm.tasks.send_digests",
        "schedule": crontab(minute="*/5"),
        "options": {"expires": 4 * 60},
    },
    "propose the half hours": {
        # An hour before each begins, so a few minutes later is in time; a clock that nobody winds rests by itself and is only written down here.
        "task": "crm.tasks.propose_half_hours",
        "schedule": crontab(minute="*/5"),
        "options": {"expires": 4 * 60},
    },
    "escalate hand-offs": {
        # A clock of hours is read to the minute by people, and every few minutes by us.
        "task": "crm.tasks.escalate_hand_offs",
        "schedule": crontab(minute="*/5"),
        "options": {"expires": 4 * 60},
    },
    "return untouched leads": {
        # Days are counted, so an hour sooner or later is nothing; a lead waits for nobody longer than that.
        "task": "crm.tasks.return_untouched_leads",
        "schedule": crontab(minute="10"),
        "options": {"expires": 50 * 60},
    },
    "let what was never confirmed expire": {
        # A link counts by its own moment; this only tidies the lists.
        "task": "crm.tasks.expire_submissions",
        "schedule": crontab(minute="20"),
        "options": {"expires": 50 * 60},
    },
    "look into the mailboxes": {
        # Where the server says when mail arrives, `watch_mailboxes` asks sooner.
        "task": "crm.tasks.poll_mailboxes",
        "schedule": crontab(minute="*"),
        "options": {"expires": 50},
    },
    "read the calendars": {
        # When people are busy elsewhere; ten minutes is how long a time may be offered that is gone since.
        "task": "crm.tasks.refresh_calendars",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 9 * 60},
    },
    "resume imports": {
        # A run whose worker died or whose message was lost waits a few minutes at most.
        "task": "crm.tasks.resume_imports",
        "schedule": crontab(minute="*/3"),
        "options": {"expires": 2 * 60},
    },
    "find duplicates": {
        # What arrives is looked at when it arrives; the night finds what a changed domain or a new colleague made alike.
        "task": "crm.tasks.find_duplicates",
        "schedule": crontab(hour="3", minute="30"),
        "options": {"expires": 6 * 60 * 60},
    },
    "learn from won deals": {
        # What is usual between two replies moves slowly; before the health reading, which counts with it.
        "task": "crm.tasks.learn_from_won_deals",
        "schedule": crontab(hour="4", minute="0"),
        "options": {"expires": 6 * 60 * 60},
    },
    "forget old notices": {
        # Nobody reads what was told three months ago; the night is quiet.
        "task": "crm.tasks.forget_notices",
        "schedule": crontab(hour="3", minute="50"),
        "options": {"expires": 6 * 60 * 60},
    },
    "take the health reading": {
        # Before the working day starts, so that the manager's page has this morning's numbers.
        "task": "crm.tasks.take_health_reading",
        "schedule": crontab(hour="7", minute="0"),
        "options": {"expires": 6 * 60 * 60},
    },
}

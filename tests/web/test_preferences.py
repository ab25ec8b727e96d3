"""My preferences: name, language, time zone, working hours and signature."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crm import letters
from crm.models import Event, EventKind, Role, User

Login = Callable[[User], Client]
CHOICE = {
    "name": "Sofie Peeters-Maes",
    "language": "nl",
    "time_zone": "America/Sao_Paulo",
    "working_days": ["0", "1", "3"],
    "work_start": "08:30",
    "work_end": "16:00",
    "most_follow_ups": "9",
    "gets_digest": "on",
    "digest_at": "07:30",
    "mail_signature": "Sofie Peeters-Maes\r\nZeilmakerij De Kring",
}


def test_it_shows_what_is_set(login: Login, sdr: User) -> None:
    page = login(sdr).get("/me/").content.decode()
    assert 'value="Sofie Peeters"' in page
    assert 'value="Europe/Brussels"' in page
    assert 'value="09:00"' in page


def test_it_saves_and_speaks_the_new_language_at_once(login: Login, sdr: User) -> None:
    client = login(sdr)
    answer = client.post("/me/", CHOICE, follow=True)
    assert answer.redirect_chain == [("/me/", 302)]
    assert '<html lang="nl"' in answer.content.decode()
    sdr.refresh_from_db()
    assert (sdr.name, sdr.language, sdr.time_zone) == ("Sofie Peeters-Maes", "nl", "America/Sao_Paulo")
    assert sdr.working_days == [0, 1, 3]
    assert (sdr.work_start, sdr.work_end) == (time(8, 30), time(16))


def test_a_change_of_hours_is_remembered_and_one_of_anything_else_is_not(login: Login, sdr: User) -> None:
    client = login(sdr)
    for _ in range(2):
        client.post("/me/", CHOICE)
    client.post("/me/", CHOICE | {"name": "Sofie Maes"})
    event = Event.objects.get(kind=EventKind.AGENDA_CHANGED, subject_id=sdr.pk)
    assert (event.by, event.new and event.new["working_days"]) == (sdr, [0, 1, 3])


def test_a_letter_is_signed_with_the_signature_that_was_written_here_else_with_the_name(
    login: Login, sdr: User
) -> None:
    assert letters.closing(sdr, "en").endswith("Sofie Peeters")
    login(sdr).post("/me/", CHOICE)
    sdr.refresh_from_db()
    assert letters.closing(sdr, "en").endswith("Sofie Peeters-Maes\nZeilmakerij De Kring")


def test_what_somebody_knows_is_kept_once_each(login: Login, account_manager: User) -> None:
    client = login(account_manager)
    client.post("/me/", CHOICE | {"sectors": "interiors, Retail,, retail ", "interests": "sailing"})
    account_manager.refresh_from_db()
    assert (account_manager.sectors, account_manager.interests) == (["interiors", "Retail"], ["sailing"])
    assert 'value="interiors, Retail"' in client.get("/me/").content.decode()
    client.post("/me/", CHOICE | {"sectors": "x" * 51})
    account_manager.refresh_from_db()
    assert account_manager.sectors == ["interiors", "Retail"]


def test_the_morning_mail_comes_at_the_hour_that_was_chosen_or_not_at_all(login: Login, sdr: User) -> None:
    client = login(sdr)
    page = client.get("/me/").content.decode()
    assert 'name="gets_digest"' in page
    assert 'value="08:00"' in page
    client.post("/me/", CHOICE)
    sdr.refresh_from_db()
    assert (sdr.gets_digest, sdr.digest_at, sdr.most_follow_ups) == (True, time(7, 30), 9)
    client.post("/me/", {key: value for key, value in CHOICE.items() if key != "gets_digest"})
    sdr.refresh_from_db()
    assert (sdr.gets_digest, sdr.digest_at) == (False, time(7, 30))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"most_follow_ups": "0"}, "most_follow_ups"),
        ({"most_follow_ups": "51"}, "most_follow_ups"),
        ({"digest_at": ""}, "digest_at"),
        ({"digest_at": "04:59"}, "digest_at"),
        ({"digest_at": "20:01"}, "digest_at"),
        ({"name": ""}, "name"),
        ({"time_zone": "Europe/Gent"}, "time_zone"),
        ({"language": "xx"}, "language"),
        ({"working_days": []}, "working_days"),
        ({"working_days": ["7"]}, "working_days"),
        ({"mail_signature": "x" * 501}, "mail_signature"),
        ({"work_start": "17:00", "work_end": "09:00"}, "work_end"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(login: Login, sdr: User, wrong: dict[str, Any], field: str) -> None:
    answer = login(sdr).post("/me/", CHOICE | wrong)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert f'id="id_{field}_error"' in page
    assert "Sofie Peeters:" in page, "the header keeps the saved name"
    sdr.refresh_from_db()
    assert sdr.name == "Sofie Peeters"


def test_a_wrong_field_is_tied_to_its_sentence(login: Login, sdr: User) -> None:
    page = login(sdr).post("/me/", CHOICE | {"time_zone": "Europe/Gent"}).content.decode()
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_time_zone_helptext id_time_zone_error"' in page


def test_nobody_raises_their_own_role(login: Login, sdr: User) -> None:
    login(sdr).post("/me/", CHOICE | {"role": "admin", "is_superuser": "on", "email": "boss@kring.test"})
    sdr.refresh_from_db()
    assert (sdr.role, sdr.is_superuser, sdr.email) == (Role.SDR, False, "sofie@kring.test")


def test_it_asks_for_a_login(client: Client, db: None) -> None:
    answer = client.get("/me/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/?next=/me/")


def test_the_users_zone_holds_for_the_request_and_no_longer(login: Login, sdr: User) -> None:
    sdr.time_zone = "America/Sao_Paulo"
    sdr.save(update_fields=["time_zone"])
    login(sdr).get("/me/")
    assert timezone.get_current_timezone_name() == "Europe/Brussels"


def test_a_zone_that_is_no_more_does_not_lock_anyone_out(login: Login, sdr: User) -> None:
    User.objects.filter(pk=sdr.pk).update(time_zone="Europe/Atlantis")
    assert login(sdr).get("/me/").status_code == 200


def test_it_asks_the_database_little(login: Login, sdr: User, django_assert_max_num_queries: Any) -> None:
    client = login(sdr)
    with django_assert_max_num_queries(4):  # session, user, team, leads waiting
        client.get("/me/")

"""The search box: a page without JavaScript, a panel while typing, and a sentence when nothing answers."""

from __future__ import annotations

import pytest

from tests import make

pytestmark = pytest.mark.django_db
PANEL = {"HX-Request": "true", "HX-Target": "search-panel"}


@pytest.fixture
def sofie(account_manager):
    company = make.organisation("Notelaar Interiors")
    person = make.person("Sofie De Wit", organisation=company, title="Owner")
    make.deal(account_manager, person=person, organisation=company, name="Planning suite")
    return person


def test_the_page_shows_what_was_found_and_keeps_the_words(login, sdr, sofie):
    page = login(sdr).get("/search/?q=Sofei").content.decode()
    assert f'href="/people/{sofie.pk}/"' in page
    assert "Planning suite" in page
    assert page.count('value="Sofei"') == 2  # the box in the header and the one on the page


def test_while_typing_only_the_panel_comes(login, sdr, sofie):
    answer = login(sdr).get("/search/?q=sof", headers=PANEL)
    text = answer.content.decode()
    assert text.strip().startswith('<div class="search-panel" id="search-panel"')
    assert f'href="/people/{sofie.pk}/"' in text
    assert "data-hit" in text
    assert "<html" not in text
    assert "HX-Target" in answer["Vary"]


def test_the_part_of_the_page_comes_alone_as_well(login, sdr, sofie):
    text = login(sdr).get("/search/?q=sof", headers={"HX-Request": "true", "HX-Target": "found"}).content.decode()
    assert text.strip().startswith('<section class="card search-found" id="found"')


def test_nothing_found_is_said_with_what_was_typed_and_nothing_of_it_is_markup(login, sdr):
    page = login(sdr).get("/search/?q=<script>zz</script>").content.decode()
    assert "Nothing found for" in page
    assert "<script>zz" not in page
    assert "Nothing found for" in login(sdr).get("/search/?q=zzqqxx", headers=PANEL).content.decode()


def test_everybody_in_the_organisation_finds_everything(login, outsider, sofie):
    assert "Sofie De Wit" in login(outsider).get("/search/?q=sofie").content.decode()


def test_it_reads_only_and_asks_for_a_login(client, login, sdr):
    assert login(sdr).post("/search/?q=sofie").status_code == 405
    assert client.get("/search/?q=sofie")["Location"].startswith("/accounts/login/")


def test_the_box_stands_on_every_page_and_works_without_javascript(login, sdr):
    page = login(sdr).get("/people/").content.decode()
    assert 'action="/search/" method="get" role="search"' in page
    assert 'hx-get="/search/"' in page
    assert 'id="search-panel"' in page


def test_a_search_takes_few_queries(login, sdr, sofie, django_assert_max_num_queries):
    client = login(sdr)
    for _number in range(10):
        person = make.person(organisation=make.organisation("Notelaar"))
        make.lead(person=person)
    with django_assert_max_num_queries(28):
        client.get("/search/?q=person")


def test_the_empty_box_offers_what_can_be_begun_and_who_was_spoken_to_lately(login, sdr, sofie):
    sofie.owner = sdr
    sofie.save(update_fields=["owner"])
    make.conversation(sofie, by=sdr)
    text = login(sdr).get("/search/?q=", headers=PANEL).content.decode()
    assert 'href="/conversations/new/"' in text
    assert 'href="/people/new/"' in text
    assert f'href="/people/{sofie.pk}/"' in text
    assert "Nothing found" not in text
    assert "Whom are you looking for?" in login(sdr).get("/search/").content.decode()


@pytest.mark.parametrize(
    ("typed", "label", "href"),
    [
        ("log sofie", "Log a conversation with Sofie De Wit", "/conversations/new/?person={pk}"),
        ("gesprek sofie de wit", "Log a conversation with Sofie De Wit", "/conversations/new/?person={pk}"),
        ("bel Sofei", "Call Sofie De Wit", "/people/{pk}/call/"),
        ("write sofie", "Write to Sofie De Wit", "/mail/new/?person={pk}"),
        ("promise sofie", "Note a promise of or to Sofie De Wit", "/promises/new/?person={pk}"),
        ("lead sofie", "Note a question of Sofie De Wit", "/leads/new/?person={pk}"),
    ],
)
def test_an_act_and_a_name_lead_straight_to_the_act(login, sdr, sofie, typed, label, href):
    text = login(sdr).get("/search/", {"q": typed}, headers=PANEL).content.decode()
    first = text.index("data-hit")
    assert f'href="{href.format(pk=sofie.pk)}"' in text[:first]
    assert label in text


def test_what_can_be_done_for_the_only_one_who_was_found_stands_below(login, sdr, sofie):
    text = login(sdr).get("/search/?q=sofie", headers=PANEL).content.decode()
    assert text.index(f'href="/people/{sofie.pk}/"') < text.index(f'href="/conversations/new/?person={sofie.pk}"')


def test_the_name_of_a_screen_leads_there_in_the_reader_s_language(login, sdr, manager):
    assert 'href="/deals/"' in login(sdr).get("/search/?q=dea", headers=PANEL).content.decode()
    assert 'href="/dashboard/"' not in login(sdr).get("/search/?q=dash", headers=PANEL).content.decode()
    assert 'href="/dashboard/"' in login(manager).get("/search/?q=dash", headers=PANEL).content.decode()


def test_the_panel_tells_for_which_words_it_was_made_and_offers_to_add_who_is_new(login, sdr):
    text = login(sdr).get("/search/", {"q": "  zzqq   xx"}, headers=PANEL).content.decode()
    assert 'data-q="zzqq xx"' in text
    assert 'href="/people/new/?name=zzqq%20xx"' in text

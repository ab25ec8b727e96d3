"""The map is checked as a whole before any file is touched, and says everything that is wrong at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm.channels import import_map
from crm.channels.import_map import MapError

MAPS = Path(__file__).resolve().parents[1] / "maps"
ISSUE = """
kind = "leads"                 # leads | deals | people | organisations
external_id = "mql_id"         # column that identifies a row for ever; a second import updates, never duplicates
[columns]                      # field = "column"
received_at = "first_contact_date"
content = "landing_page_id"
origin = "origin"
[values.origin]                # optional: translate values
"" = "unknown"
[dates]
formats = ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S"]
timezone = "America/Sao_Paulo"
"""


def problems(text: str) -> str:
    with pytest.raises(MapError) as caught:
        import_map.parse(text)
    return " ".join(caught.value.problems)


def test_a_full_map_is_read():
    plan = import_map.parse(ISSUE)
    assert plan.kind == "leads"
    assert plan.wanted == ("mql_id", "first_contact_date", "landing_page_id", "origin")
    assert plan.values == {"origin": {"": "unknown"}}
    assert plan.formats == ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
    assert plan.zone("Europe/Brussels").key == "America/Sao_Paulo"


def test_without_a_zone_the_organisation_s_counts():
    plan = import_map.parse('kind = "leads"\nexternal_id = "id"\n[columns]\norigin = "o"')
    assert plan.zone("Europe/Brussels").key == "Europe/Brussels"
    assert plan.formats == ()


@pytest.mark.parametrize("path", sorted(MAPS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_maps_of_the_tests_are_maps(path):
    import_map.parse(path.read_text(encoding="utf-8"))


LEADS = 'kind = "leads"\nexternal_id = "id"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind = ", "not valid TOML"),
        ("", "“kind” must be one of leads, deals, people, organisations."),
        ('kind = "cheese"', "“kind” must be one of"),
        ("kind = [1]", "“kind” must be one of"),
        (LEADS + "country = [1]", "“country” must be"),
        (LEADS + "[dates]\ntimezone = [1]", "is no time zone"),
        ("kind = 5", "“kind” must be one of"),
        ('kind = "leads"', "“external_id” must name the column"),
        ('kind = "leads"\nexternal_id = 5', "“external_id” must name the column"),
        (LEADS + 'colour = "red"', "unknown entry “colour”"),
        (LEADS + '[columns]\nshoe_size = "x"', "[columns] shoe_size is no field of leads; known are received_at"),
        (LEADS + "[columns]\norigin = 5", "[columns] origin must be a text in quotes"),
        (LEADS + '[columns]\norigin = " "', "[columns] origin names no column"),
        (LEADS + 'columns = "x"', "[columns] must be a table of texts"),
        (LEADS + 'values = "x"', "[values] must hold tables"),
        (LEADS + '[values.shoe_size]\na = "b"', "[values] shoe_size is no field of leads"),
        (LEADS + '[values.origin]\na = "b"', "[values.origin] translates a field that [columns] does not fill"),
        (LEADS + "[columns]\norigin = 'o'\n[values.origin]\na = 5", "[values.origin] a must be a text in quotes"),
        (LEADS + '[dates]\ntimezone = "Mars/Olympus"', "“Mars/Olympus” is no time zone"),
        (LEADS + "[dates]\ntimezone = 5", "“5” is no time zone"),
        (LEADS + '[dates]\nformats = "%Y"', "formats must be a list of texts"),
        (LEADS + '[dates]\nformats = ["%Y-%m"]', "“%Y-%m” is no date format"),
        (LEADS + '[dates]\nformats = ["%Q"]', "“%Q” is no date format"),
        (LEADS + '[dates]\nformat = ["%Y-%m-%d"]', "unknown entry “dates.format”"),
        (LEADS + 'country = "Belgium"', "“country” must be a country in two capitals"),
        ('kind = "people"\nexternal_id = "id"\n[columns]\nemail = "e"', "must have name or given_name or family_name"),
        ('kind = "organisations"\nexternal_id = "id"', "[columns] must have name"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(text, said):
    assert said in problems(text)


def test_everything_that_is_wrong_is_said_at_once():
    told = problems('kind = "deals"\n[columns]\nshoe = "x"\n[dates]\ntimezone = "Mars"\nformats = ["x"]')
    for part in ("external_id", "shoe", "Mars", "“x”"):
        assert part in told

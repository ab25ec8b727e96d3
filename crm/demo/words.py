"""The demo's vocabulary: names, companies, questions and quotes of Flemish and Dutch small firms that plan too much on whiteboards."""

# ruff: noqa: SIM905 - a page of words reads better than a page of quotes

from __future__ import annotations

FLEMISH_GIVEN = (
    "Liesbeth Wout Hanne Jef Katrien Bram Lore Stijn Griet Pieter Annelies Koen Veerle Dries Ellen Tom Sarah Maarten "
    "Evelien Bart Nele Ruben Charlotte Geert Silke Kobe Tine Jonas Ine Wim"
).split()
FLEMISH_FAMILY = (
    "Peeters|Janssens|De Backer|Vermeulen|Claessens|Goossens|De Clercq|Wouters|Van Damme|Lemmens|Desmet|Verstraete|"
    "Maertens|Van den Broeck|Pauwels|Aerts|Michiels|De Ridder|Hermans|Cools|Lauwers|De Vos|Segers|Baert|Verhaegen|"
    "Coppens|Stevens|Van Acker|Bogaert|De Pauw"
).split("|")
DUTCH_GIVEN = (
    "Femke Sander Marijke Jeroen Anouk Thijs Lotte Hidde Saskia Rutger Wietske Joost Marloes Bas Ilona Gijs Yvonne "
    "Niels Tessa Harmen Karin Mees Esmee Freek"
).split()
DUTCH_FAMILY = (
    "de Vries|van den Berg|Bakker|van Dijk|Visser|de Boer|Mulder|van der Heijden|Dekker|Brouwer|de Graaf|van der Linden|"
    "Kok|van Leeuwen|Huisman|Postma|Kuipers|ter Haar|van Wijk|Hoekstra|Scholten|op 't Hof|Vos|van Rossum"
).split("|")
NEWCOMERS = ("Karim El Amrani", "Aylin Yildiz", "Samir Benali", "Priya Sharma", "Tomasz Kowalski", "Fatima Ouali")
"""Further names one meets in Antwerp, Ghent and Utrecht; they write in English or Dutch."""

FLEMISH_CITIES = "Mechelen Antwerpen Gent Leuven Aalst Kortrijk Hasselt Turnhout Lier Brugge Sint-Niklaas Geel".split()
DUTCH_CITIES = "Utrecht Breda Tilburg Eindhoven Amersfoort Zwolle Nijmegen Gouda Deventer Roosendaal".split()

COMPANIES = (
    ("Bakkerij {}", "bakery"),
    ("{} Interieur", "interiors"),
    ("{} Logistics", "logistics"),
    ("Drukkerij {}", "printing"),
    ("{} Bouw", "construction"),
    ("{} Metaal", "metalwork"),
    ("{} Groenvoorziening", "gardening"),
    ("Brouwerij {}", "brewing"),
    ("{} Installaties", "installation"),
    ("Schrijnwerkerij {}", "joinery"),
    ("{} Foodservice", "food"),
    ("Apotheken {}", "pharmacy"),
    ("{} Verpakkingen", "packaging"),
    ("Thuiszorg {}", "home care"),
    ("{} Events", "events"),
)

TITLES = {
    "nl": ("zaakvoerder", "planner", "hoofd productie", "operationeel directeur", "HR-verantwoordelijke", "eigenaar"),
    "en": ("managing director", "planner", "head of production", "operations manager", "owner"),
}

INTERESTS = (
    "sailing|cycling|jazz|gardening|two-shift teams|bread baking|chess|football|hiking|old motorbikes|choir|photography|"
    "lean|apprentices|ceramics|cooking"
).split("|")

MESSAGES = {
    "nl": (
        "Onze planning staat nog op een whiteboard en met {n} mensen lukt dat niet meer. Geven jullie ook workshops bij ons ter plaatse?",
        "Wij zoeken een planningspakket voor {n} medewerkers in twee ploegen. Wat kost dat ongeveer en hoe lang duurt het om te starten?",
        "Ik las jullie artikel over herplannen en herken ons bedrijf. Kan iemand mij uitleggen hoe jullie zoiets aanpakken?",
        "Graag ontvang ik de brochure. We zijn met {n} en groeien snel.",
        "Elke maandag zijn we een halve dag kwijt aan de planning van de week. Is dat iets waarmee jullie kunnen helpen?",
        "Een collega-ondernemer in {city} is heel tevreden over jullie. Wanneer kunnen we eens bellen?",
        "We verhuizen in het voorjaar naar een nieuw atelier in {city}. Dan willen we meteen beter plannen. Wat raden jullie aan?",
        "Hebben jullie nog plaats in de volgende workshop? We zouden met drie personen komen.",
        "Wij werken nu met vijf Excel-bestanden. Kunnen die gegevens mee overgezet worden?",
        "Is jullie pakket ook geschikt voor een firma met {n} mensen, of zijn we daarvoor te klein?",
        "Ik wil graag weten of jullie software met onze kassa kan praten.",
        "We zoeken geen groot systeem, wel rust in de week. Kunnen we daar eens over spreken?",
    ),
    "en": (
        "We are {n} people and our planning lives in one person's head. How do you usually start with a company like ours?",
        "Which dates do you have for a workshop this season, and is the price on your site for the whole team?",
        "I read your white paper on re-planning. Could you show us what it would look like for {n} people?",
        "Please send me the brochure; we compare three suppliers before the summer.",
        "Can your planning suite handle drivers and a depot in {city}?",
        "We lost two orders last month because nobody saw the clash. What would you change first?",
        "Our accountant told us to talk to you. We run two shifts with {n} people.",
        "Do you also work with companies outside Belgium? We are in {city}.",
    ),
}

ANSWERS = {
    "nl": (
        "Dag {name}, bedankt voor uw bericht. Twee vragen: wat loopt er nu het vaakst mis, en wie beslist er mee? Dan bellen we goed voorbereid.",
        "Beste {name}, fijn dat u schrijft. Ik stuur alvast het artikel over herplannen mee. Wanneer past een gesprek van een kwartier?",
        "Dag {name}, dank u voor de vraag. In bijlage vindt u wat u vroeg; ik hoor graag wat u ervan vindt.",
    ),
    "en": (
        "Dear {name}, thank you for writing. Two questions first: what goes wrong most often now, and who decides with you?",
        "Hello {name}, good to hear from you. I add the article on re-planning. When would a quarter of an hour suit you?",
        "Dear {name}, thank you for your question. You find what you asked for below; tell me what you think of it.",
    ),
}

SUMMARIES = (
    "They lose about a day a week to re-planning. Decides together with the family.",
    "Showed them the weekly board. They asked how others started.",
    "Talked about the two shifts and who plans when the planner is away.",
    "Went through the proposal; the price is no obstacle, the moment is.",
    "They tried another package last year and stopped after a month. We spoke about why.",
    "Met the foreman as well: he wants it on a screen in the workshop.",
    "Short call: they have read the white paper and have two questions.",
    "Discussed who else has to say yes, and what that person needs to see.",
)
LEARNED = (
    "Their peak is the six weeks before Easter.",
    "The planner retires next year and knows everything by heart.",
    "They chose their bank on the advice of the accountant; ask him too.",
    "Two of the five drivers work part-time, that is where it clashes.",
    "They want to start small and with one team.",
    "A neighbour in the business park recommended us.",
    "The owner reads everything we publish on Sunday evening.",
)
QUOTES = {
    "nl": (
        "Als het voor de zomer werkt, heb ik geen offerte nodig.",
        "Ik wil op vrijdag kunnen stoppen om vijf uur.",
        "Wij hoeven niet het goedkoopste, wel iemand die terugbelt.",
        "Mijn broer moet er ook achter staan, anders begin ik er niet aan.",
        "Iedere week opnieuw beginnen, dat ben ik beu.",
        "Toon het mij een keer met onze eigen cijfers.",
    ),
    "en": (
        "If it works before Easter I do not need a quote.",
        "I want to see one firm like ours that kept it up for a year.",
        "We do not need the cheapest, we need somebody who calls back.",
        "Show it to me once with our own numbers.",
        "The board decides in the second week of the month.",
    ),
}

EVIDENCE: dict[str, dict[str, tuple[str, ...]]] = {
    "pain": {
        "nl": ("“elke maandag een halve dag kwijt”", "“twee bestellingen verloren door een dubbele boeking”"),
        "en": ("“a day a week lost to re-planning”", "“nobody saw the clash, twice last month”"),
    },
    "size": {"nl": ("{n}, volgens het formulier", "{n} mensen op de website"), "en": ("{n}, by the form",)},
    "people": {
        "nl": ("spreekt warm over de ploeg", "antwoordt open, vroeg hoe wij werken"),
        "en": ("answers openly, asked about our way",),
    },
    "date": {
        "nl": ("“vóór de zomer, dan komt de tweede ploeg”", "“in het voorjaar, bij de verhuis”"),
        "en": ("before Easter, two shifts start", "“when the new depot opens”"),
    },
    "deciders": {
        "nl": ("zus en vader waren erbij", "beslist alleen, zegt ze"),
        "en": ("both owners joined the call", "brother not yet, ask on Monday"),
    },
}

HAND_OFF_NOTES = (
    "Wants a start before the season. Calm, well prepared, asks good questions.",
    "Both owners were on the call and both want it. Price is known.",
    "They have read along for months; skip the introduction.",
    "Start small, with one team. The planner is the one to win over.",
    "Speaks Dutch. Best reached before nine.",
)
NEXT_STEPS = (
    "Video call with both owners",
    "Walk through the proposal together",
    "Send the schedule for the first month",
    "Visit the workshop and meet the foreman",
    "Call about the start date",
    "Ask what the board decided",
    "Show the weekly board with their own numbers",
)
OUR_PROMISES = (
    "Send the revised schedule",
    "Send two references from their sector",
    "Ask our developer about their till",
    "Put the price for three teams on paper",
    "Send the recording of the webinar",
)
THEIR_PROMISES = (
    "Numbers of last season",
    "List of all who plan",
    "Talk to the accountant",
    "Decide with the board about the start date",
    "Send the five spreadsheets",
)
DECLINE_NOTES = {
    "no_need": "Their schedule hardly changes; a shared calendar is enough.",
    "too_small": "Three people. Recommended the article and a simple template.",
    "too_large": "Four hundred people in three countries: a colleague firm does that well.",
    "no_budget": "Investments are frozen this year.",
    "not_now": "They are in the middle of a move.",
    "no_match": "Wanted to watch every minute of their people. That is not how we work.",
    "no_reply": "Three messages in a month, no answer.",
    "not_serious": "A student's questionnaire.",
}
DECLINE_MESSAGES = {
    "nl": "Dag {name}, bedankt voor het vertrouwen. Eerlijk gezegd denk ik dat u met ons vandaag niet het beste geholpen bent. "
    "In het artikel hieronder staat hoe u het zelf kunt aanpakken. Veel succes ermee.",
    "en": "Dear {name}, thank you for thinking of us. Honestly, I do not believe that we are the best help for you today. "
    "The article below shows how you can do it yourselves. I wish you all the best.",
}
REJECT_REASONS = (
    "The brother decides as well and nobody has spoken to him. Please call him first, then I take it gladly.",
    "They want to start next week and I cannot before the 10th. Els may have room.",
)
LOST_NOTES = {
    "price": "They compared us with a template that costs nothing; we did not show the day a week.",
    "timing": "A fire in the depot comes first. We stay in touch.",
    "other_supplier": "Chose the package of their till supplier.",
    "no_decision": "Both brothers wanted something else, and then nothing.",
    "no_budget": "The bank said no to the machine, so to everything.",
    "no_match": "They want to be called every day; we do not work like that.",
    "other": "The firm was sold.",
}

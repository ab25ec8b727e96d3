"""Each event leaves a row that says what it touched, so that the rules look again at that alone. Follow-ups of rules that became two are renamed:
what people put off stays put off."""

from __future__ import annotations

from django.db import migrations

NOTE = """
CREATE FUNCTION crm_event_touches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO crm_touched (subject_kind, subject_id, person_id, organisation_id, lead_id, deal_id)
    SELECT DISTINCT subject_kind, subject_id, person_id, organisation_id, lead_id, deal_id FROM happened;
    RETURN NULL;
END $$;
CREATE TRIGGER event_touches AFTER INSERT ON crm_event
    REFERENCING NEW TABLE AS happened FOR EACH STATEMENT EXECUTE FUNCTION crm_event_touches();
"""
FORGET = """
DROP TRIGGER event_touches ON crm_event;
DROP FUNCTION crm_event_touches();
"""

RENAME = """
UPDATE crm_followup SET rule = CASE why ->> 'side' WHEN 'ours' THEN 'our_promise' ELSE 'their_promise' END WHERE rule = 'promise';
UPDATE crm_followup SET rule = 'no_next_step' WHERE rule = 'next_step' AND cause = 'none';
UPDATE crm_followup SET rule = 'nurture' WHERE rule = 'come_back' AND why ->> 'status' = 'nurture';
"""
RENAME_BACK = """
UPDATE crm_followup SET rule = 'promise' WHERE rule IN ('our_promise', 'their_promise');
UPDATE crm_followup SET rule = 'next_step' WHERE rule = 'no_next_step';
UPDATE crm_followup SET rule = 'come_back' WHERE rule = 'nurture';
DELETE FROM crm_followup WHERE rule NOT IN ('', 'first_answer', 'hand_off', 'next_step', 'promise', 'referral_promise', 'come_back',
                                            'open_question', 'appointment', 'keep_in_touch');
"""


class Migration(migrations.Migration):
    dependencies = [("crm", "0018_remember_rules_notices_and_the_half_hour")]
    operations = [migrations.RunSQL(NOTE, FORGET), migrations.RunSQL(RENAME, RENAME_BACK)]

CREATE OR REPLACE FUNCTION "public"."set_current_timestamp_updated_at"() RETURNS TRIGGER AS $$ DECLARE _new record; BEGIN _new := NEW; _new."updated_at" = NOW(); RETURN _new; END; $$ LANGUAGE plpgsql;
ALTER TABLE users ADD COLUMN updated_at timestamptz;
CREATE TRIGGER "set_updated" BEFORE UPDATE ON "public"."users" FOR EACH ROW EXECUTE PROCEDURE "public"."set_current_timestamp_updated_at"();
UPDATE users SET note = 'x' WHERE id = 3;

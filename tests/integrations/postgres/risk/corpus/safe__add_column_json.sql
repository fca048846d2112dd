ALTER TABLE "public"."users" ADD COLUMN "prefs" JSONB NOT NULL DEFAULT '{}'::jsonb;

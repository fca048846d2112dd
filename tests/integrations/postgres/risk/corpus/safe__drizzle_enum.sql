DO $$ BEGIN CREATE TYPE "public"."role" AS ENUM('admin', 'user'); EXCEPTION WHEN duplicate_object THEN null; END $$;

DROP TABLE IF EXISTS "public"."secrets";

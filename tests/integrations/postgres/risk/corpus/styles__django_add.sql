ALTER TABLE "users" ADD COLUMN "slug" varchar(50) DEFAULT '' NOT NULL;
ALTER TABLE "users" ALTER COLUMN "slug" DROP DEFAULT;
CREATE INDEX "users_slug_1234_like" ON "users" ("slug" varchar_pattern_ops);

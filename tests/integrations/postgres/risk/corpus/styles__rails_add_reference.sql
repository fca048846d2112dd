ALTER TABLE "coupons" ADD "user_id" bigint;
CREATE INDEX CONCURRENTLY "index_coupons_on_user_id" ON "coupons" ("user_id");
ALTER TABLE "coupons" ADD CONSTRAINT "fk_rails_1" FOREIGN KEY ("user_id") REFERENCES "users" ("id") NOT VALID;
ALTER TABLE "coupons" VALIDATE CONSTRAINT "fk_rails_1";

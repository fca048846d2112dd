ALTER TABLE "coupons" ADD COLUMN "owner_id" bigint NULL CONSTRAINT "coupons_owner_id_fk" REFERENCES "users"("id") DEFERRABLE INITIALLY DEFERRED;
SET CONSTRAINTS "coupons_owner_id_fk" IMMEDIATE;
CREATE INDEX "coupons_owner_id" ON "coupons" ("owner_id");

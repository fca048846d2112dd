ALTER TABLE "users" ALTER COLUMN "code" TYPE varchar(255) USING "code"::varchar(255);
ALTER TABLE "orders" ALTER COLUMN "coupon" TYPE bigint USING "coupon"::bigint;

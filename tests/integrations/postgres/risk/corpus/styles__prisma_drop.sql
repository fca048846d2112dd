/*
  Warnings:
  - You are about to drop the column `coupon` on the `orders` table. All the data in the column will be lost.
*/
ALTER TABLE "orders" DROP COLUMN "coupon", ADD COLUMN "voucher" TEXT;

ALTER TABLE "empty_one" DROP CONSTRAINT "empty_one_pkey", DROP COLUMN "id", ADD COLUMN "id" SERIAL NOT NULL, ADD CONSTRAINT "empty_one_pkey" PRIMARY KEY ("id");

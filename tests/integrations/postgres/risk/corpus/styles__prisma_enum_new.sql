CREATE TYPE "mood_new" AS ENUM ('calm', 'busy', 'off');
ALTER TABLE "users" ALTER COLUMN "feeling" DROP DEFAULT;
ALTER TABLE "users" ALTER COLUMN "feeling" TYPE "mood_new" USING ("feeling"::text::"mood_new");
ALTER TYPE "mood" RENAME TO "mood_old";
ALTER TYPE "mood_new" RENAME TO "mood";
DROP TYPE "mood_old";

ALTER TYPE "mood" RENAME TO "mood_old";
CREATE TYPE "mood" AS ENUM ('calm', 'busy', 'off', 'away');
ALTER TABLE "users" ALTER COLUMN "feeling" TYPE "mood" USING ("feeling"::text::"mood");
DROP TYPE "mood_old";

"""A small law firm's database in twelve Prisma migrations, as its developers would have written them."""

MIGRATIONS = {
    "20250101090000_init": """
CREATE TABLE "users" ("id" SERIAL NOT NULL, "email" TEXT NOT NULL, "name" TEXT,
    CONSTRAINT "users_pkey" PRIMARY KEY ("id"));
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");
""",
    "20250103090000_cases": """
CREATE TYPE "CaseState" AS ENUM ('open', 'closed');
CREATE TABLE "cases" (
    "id" SERIAL NOT NULL, "title" TEXT NOT NULL, "state" "CaseState" NOT NULL DEFAULT 'open',
    "owner_id" INTEGER NOT NULL, CONSTRAINT "cases_pkey" PRIMARY KEY ("id")
);
ALTER TABLE "cases" ADD CONSTRAINT "cases_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users"("id");
""",
    "20250107090000_notes": """
CREATE TABLE "notes" ("id" SERIAL NOT NULL, "case_id" INTEGER NOT NULL, "body" TEXT,
    CONSTRAINT "notes_pkey" PRIMARY KEY ("id"));
ALTER TABLE "notes" ADD CONSTRAINT "notes_case_id_fkey" FOREIGN KEY ("case_id")
    REFERENCES "cases"("id") ON DELETE CASCADE;
""",
    "20250112090000_case_state_hold": """ALTER TYPE "CaseState" ADD VALUE 'on_hold';\n""",
    "20250120090000_timestamps": """
ALTER TABLE "cases" ADD COLUMN "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;
ALTER TABLE "notes" ADD COLUMN "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;
""",
    "20250202090000_notes_index": """CREATE INDEX CONCURRENTLY "notes_case_id_idx" ON "notes"("case_id");\n""",
    "20250210090000_tags": """
CREATE TABLE "tags" ("id" SERIAL NOT NULL, "label" TEXT NOT NULL, CONSTRAINT "tags_pkey" PRIMARY KEY ("id"));
CREATE TABLE "_CaseToTag" ("A" INTEGER NOT NULL, "B" INTEGER NOT NULL,
    CONSTRAINT "_CaseToTag_AB_pkey" PRIMARY KEY ("A","B"));
CREATE INDEX "_CaseToTag_B_index" ON "_CaseToTag"("B");
""",
    "20250218090000_body_required": """
UPDATE "notes" SET "body" = '' WHERE "body" IS NULL;
ALTER TABLE "notes" ALTER COLUMN "body" SET NOT NULL;
""",
    "20250301090000_open_cases": """
CREATE VIEW "open_cases" AS SELECT "id", "title", "owner_id" FROM "cases" WHERE "state" = 'open';
""",
    "20250309090000_touch": """
CREATE FUNCTION "touch"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW."created_at" := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER "notes_touch" BEFORE UPDATE ON "notes" FOR EACH ROW EXECUTE FUNCTION "touch"();
""",
    "20250315090000_people": """
INSERT INTO "users" ("email", "name") SELECT 'user' || n || '@example.com', 'User ' || n FROM generate_series(1, 50) n;
INSERT INTO "cases" ("title", "owner_id") SELECT 'Case ' || n, 1 + n % 50 FROM generate_series(1, 200) n;
INSERT INTO "notes" ("case_id", "body") SELECT 1 + n % 200, 'note' FROM generate_series(1, 400) n;
""",
    "20250322090000_rename_label": """ALTER TABLE "tags" RENAME COLUMN "label" TO "name";\n""",
}
SCHEMA = """\
generator client {
  provider   = "prisma-client"
  output     = "../generated"
  engineType = "client"
}

datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

model Tag {
  id   Int    @id @default(autoincrement())
  name String

  @@map("tags")
}
"""

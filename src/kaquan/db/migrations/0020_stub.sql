-- Holds the number until the migration that has it comes; to be removed then.
SELECT 1;

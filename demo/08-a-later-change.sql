-- Mona's needs no operator: a later change of what failed gives it a new round of calls.
UPDATE tbs.line SET last_name = 'Moore-Hill' WHERE external_id = 'mona';

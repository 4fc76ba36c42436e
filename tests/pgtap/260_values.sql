-- Layered values: which layer wins, JSON null and "", defaults in headers and queries, data that cannot be rendered.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(45);

SELECT tbs.arm('test');
SELECT start_bridge();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1031, 103, 'SEAT');
SELECT work();
CREATE FUNCTION test.department() RETURNS text LANGUAGE plpgsql AS $department$
DECLARE
    v_body jsonb;
BEGIN
    PERFORM tbs.resync(line_id => 103, reason => 'test');
    PERFORM test.work();
    v_body := test.last_body('PUT /domains/acme/users/103');
    RETURN CASE WHEN v_body ? 'department' THEN v_body ->> 'department' ELSE '(none)' END
        || ' ' || coalesce((SELECT e.layer FROM tbs.explain_values(1031, 'ns-east') AS e WHERE e.name = 'department'), '(none)');
END;
$department$;
SELECT is(department(), '(none) (none)', 'no layer has it');
INSERT INTO tbs.network_resource_default (network_resource_type, name, value) VALUES ('netsapiens', 'department', '"type"');
SELECT is(department(), 'type type_default', 'a default of the type is in every call from then on');
INSERT INTO tbs.network_resource_default (network_resource_type, network_resource_id, name, value) VALUES ('netsapiens', 1, 'department', '"resource"');
SELECT is(department(), 'resource resource_default', 'a default of the resource');
UPDATE tbs.master_usoc_network_resource SET parameters = '{"department": "association"}' WHERE usoc = 'SEAT';
SELECT is(department(), 'association association', 'parameters of the association');
UPDATE tbs.master_usoc SET parameters = '{"netsapiens": {"department": "usoc"}}' WHERE usoc = 'SEAT';
SELECT is(department(), 'usoc master_usoc', 'of the Master USOC');
UPDATE tbs.network_information SET parameters = '{"netsapiens": {"department": "parent"}}' WHERE network_information_id = 1;
SELECT is(department(), 'parent network_information_parent', 'of the parent of its network information');
UPDATE tbs.network_information SET parameters = '{"netsapiens": {"department": "site"}}' WHERE network_information_id = 2;
SELECT is(department(), 'site network_information', 'of its network information');
UPDATE tbs.customer SET parameters = '{"netsapiens": {"department": "customer"}}' WHERE customer_id = 1;
SELECT is(department(), 'customer customer', 'of the customer');
UPDATE tbs.line SET parameters = '{"netsapiens": {"department": "line"}}' WHERE line_id = 103;
SELECT is(department(), 'line line', 'of the line');
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"department": "line usoc"}}' WHERE line_usoc_id = 1031;
SELECT is(department(), 'line usoc line_usoc', 'of the line USOC: the nearest');
UPDATE tbs.line_usoc SET parameters = '{"other_type": {"department": "x"}}' WHERE line_usoc_id = 1031;
SELECT is(department(), 'line line', 'parameters for another type do not count');
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"department": ""}}' WHERE line_usoc_id = 1031;
SELECT is(department(), ' line_usoc', 'an empty text is a value, and clears');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1031;
SELECT work();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, parameters) VALUES (1031, 103, 'SEAT', '{"netsapiens": {"department": null}}');
SELECT work();
SELECT is(test.last_body('POST /domains/acme/users') ? 'department', false, 'JSON null: look no further, do not send');
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"limits-max-active-calls-total": 3, "directory-announce-in-dial-by-name-enabled": true}}' WHERE line_usoc_id = 1031;
SELECT work();
SELECT is(last_body('PUT %/users/103') -> 'limits-max-active-calls-total', '3'::jsonb, 'a number stays a number');
SELECT is(last_body('PUT %/users/103') -> 'directory-announce-in-dial-by-name-enabled', 'true'::jsonb, 'a boolean a boolean');
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"dial-plan": "{customer.name}", "no-such-member": "x"}}' WHERE line_usoc_id = 1031;
SELECT work();
SELECT is(last_body('PUT %/users/103') ->> 'dial-plan', '{customer.name}', 'values are values, not templates');
SELECT is(last_body('PUT %/users/103') ? 'no-such-member', false, 'what the operation does not accept is not sent');
-- Columns are values by value_source
SELECT is((SELECT e.value::text || ' ' || e.layer FROM tbs.explain_values(1031, 'ns-east') AS e WHERE e.name = 'name-first-name'), '"Cat" line', 'a column is a value of its row''s layer');
UPDATE tbs.line SET parameters = '{"netsapiens": {"name-first-name": "Catherine"}}' WHERE line_id = 103;
SELECT work();
SELECT is(last_body('PUT %/users/103') ->> 'name-first-name', 'Catherine', 'and a parameter of the same layer goes before it');
SELECT is((SELECT e.value::text || ' ' || e.layer FROM tbs.explain_values(1031, 'ns-east') AS e WHERE e.name = 'time-zone'), '"US/Eastern" network_information_parent', 'a site without time zone has its domain''s');

-- A shared object takes nothing from one of its lines
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"dial-plan": "of one line"}}' WHERE line_usoc_id = 1031;
UPDATE tbs.master_usoc SET parameters = '{"netsapiens": {"dial-policy": "of one USOC"}}' WHERE usoc = 'SEAT';
UPDATE tbs.master_usoc_network_resource SET parameters = '{"area-code": "619"}' WHERE usoc = 'SEAT';
SELECT tbs.resync(line_id => 103, reason => 'test');
SELECT work();
SELECT is(last_body('PUT /domains/acme') ? 'dial-plan', false, 'a line USOC''s value does not reach the domain');
SELECT is(last_body('PUT /domains/acme') ? 'dial-policy', false, 'nor a Master USOC''s');
SELECT is(last_body('PUT /domains/acme') ? 'area-code', false, 'nor an association''s');
SELECT is(last_body('PUT /domains/acme/users/103') ->> 'dial-policy', 'of one USOC', 'the line''s user has it');

-- Defaults for headers and queries
INSERT INTO tbs.network_resource_default (network_resource_type, network_resource_id, name, value, place) VALUES
    ('netsapiens', 1, 'X-Tenant', '"acme & co"', 'header'), ('netsapiens', 1, 'trace', '"a b&c"', 'query');
UPDATE tbs.line SET first_name = 'C', parameters = '{}' WHERE line_id = 103;
SELECT is(work(), '{PUT /domains/acme/users/103?trace=a%20b%26c}', 'a default in the query, escaped');
SELECT is((SELECT s.headers ->> 'X-Tenant' FROM test.sent AS s ORDER BY s.ordinal DESC LIMIT 1), 'acme & co', 'and one in a header');
SELECT is((SELECT s.headers ->> 'Content-Type' FROM test.sent AS s ORDER BY s.ordinal DESC LIMIT 1), 'application/json', 'beside the type of the content');
DELETE FROM tbs.network_resource_default WHERE place <> 'body';

-- A line whose data cannot be rendered fails alone, before anything is sent, naming the member
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1041, 104, 'SEAT'), (1021, 102, 'SEAT');
UPDATE tbs.line SET last_name = NULL WHERE line_id = 104;
SELECT is(claim(), '{POST /domains/acme/users}', 'of two lines the good one goes out');
SELECT is(last_body('POST %/users') ->> 'user', '102', 'line 102');
SELECT is(value_of($$SELECT array_agg(DISTINCT result_status)::text FROM tbs.activity_queue WHERE line_id = 104$$), '{failed,waiting}', 'the other fails, and what comes later for it waits');
SELECT matches(value_of($$SELECT last_message FROM tbs.activity_queue WHERE line_id = 104 AND result_status = 'failed'$$), '^user, name-last-name: no value for \{values\.name-last-name\}', 'naming the object, the member and the reference');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.line_usoc_id = 1041 AND h.event = 'api_call'), 0::bigint, 'nothing of it was sent');
SELECT answer(202);
UPDATE tbs.line SET last_name = 'Drew' WHERE line_id = 104;
SELECT is(work(), '{POST /domains/acme/users,PUT /domains/acme/users/104}', 'correcting the row gives it a new try by itself');
SELECT is(queue(), '{}', 'and all is done');
-- Of several objects one cannot be rendered: none is sent
INSERT INTO tbs.device (device_id, mac) VALUES (1, '00:15:65:00:00:01');
UPDATE tbs.line SET network_information_id = NULL WHERE line_id = 102;
SELECT is(work(), '{}', 'a line without network information: nothing can be sent');
SELECT matches(value_of('SELECT last_message FROM tbs.activity_queue'), 'network_information.switch_domain', 'and the reference is named');
SELECT is((SELECT o.presence FROM tbs.remote_object AS o WHERE o.kind = 'user' AND o.key = '102@acme'), 'present', 'what was there stays until it is known what is wanted');
UPDATE tbs.line SET network_information_id = 1 WHERE line_id = 102;
SELECT is(work(), '{}', 'put back: nothing to send');
SELECT is(queue(), '{}', 'done');
-- Escaping
UPDATE tbs.line SET first_name = E'Q"uote\\ \n<&>', last_name = 'é€😀' WHERE line_id = 102;
SELECT work();
SELECT is(last_body('PUT %/users/102') ->> 'name-first-name', E'Q"uote\\ \n<&>', 'quotes, backslashes and line ends arrive as they are');
SELECT is(last_body('PUT %/users/102') ->> 'name-last-name', 'é€😀', 'so do characters of any alphabet');
UPDATE tbs.line SET first_name = '__TBS_SECRET_1_1__' WHERE line_id = 102;
SELECT is(work(), '{}', 'a value that looks like a reference to a secret is not sent');
SELECT is(queue(), '{1021 line_changed failed}', 'but fails');

-- The document of a row has each column as it is, whatever its type
UPDATE tbs.line_usoc SET active_date = '2026-01-05', quantity = 2, parameters = '{"a": [1.50, null]}' WHERE line_usoc_id = 1021;
INSERT INTO tbs.line_device (line_id, device_id, slot, shared) VALUES (102, 1, 7, true);
INSERT INTO tbs.line_member (line_id, member_line_id) VALUES (102, 104);
CREATE VIEW test.documents AS
SELECT to_jsonb(x) AS row, tbs.customer_context(x) AS document, tbs.customer_context(NULL) AS nothing FROM tbs.customer AS x
UNION ALL SELECT to_jsonb(x), tbs.network_information_context(x), tbs.network_information_context(NULL) FROM tbs.network_information AS x
UNION ALL SELECT to_jsonb(x), tbs.line_context(x), tbs.line_context(NULL) FROM tbs.line AS x
UNION ALL SELECT to_jsonb(x), tbs.line_usoc_context(x), tbs.line_usoc_context(NULL) FROM tbs.line_usoc AS x
UNION ALL SELECT to_jsonb(x), tbs.device_context(x), tbs.device_context(NULL) FROM tbs.device AS x
UNION ALL SELECT to_jsonb(x), tbs.line_device_context(x), tbs.line_device_context(NULL) FROM tbs.line_device AS x
UNION ALL SELECT to_jsonb(x), tbs.line_member_context(x), tbs.line_member_context(NULL) FROM tbs.line_member AS x;
SELECT is((SELECT array_agg(DISTINCT d.row) FROM test.documents AS d
           WHERE d.document <> (SELECT jsonb_object_agg(k, d.row -> k) FROM jsonb_object_keys(d.document) AS k) OR NOT d.row ? 'parameters'), NULL, 'rows as documents');
SELECT is((SELECT array_agg(DISTINCT d.row) FROM test.documents AS d
           WHERE d.nothing <> (SELECT jsonb_object_agg(k, NULL) FROM jsonb_object_keys(d.document) AS k)), NULL, 'and the document of no row');

SELECT * FROM finish();
ROLLBACK;

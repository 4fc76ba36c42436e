-- Outcomes: what an answer means, decided by rows, the nearest scope first.

-- Of one statement and without settings of its own, so that the server puts it into the query that uses it: a batch of answers is decided in one.
CREATE FUNCTION tbs.decide_outcome(resource tbs.network_resource, service text, object_position integer, operation text,
                                   curl_result integer, http_status integer, headers jsonb, answer bytea)
RETURNS SETOF tbs.outcome_rule
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT o.*
    FROM (SELECT tbs.answer_json(decide_outcome.answer) AS document OFFSET 0) AS a
    CROSS JOIN tbs.outcome_rule AS o
    WHERE (o.network_resource_type IS NULL OR o.network_resource_type = (decide_outcome.resource).network_resource_type)
      AND (o.network_resource_id IS NULL OR o.network_resource_id = (decide_outcome.resource).network_resource_id)
      AND (o.service IS NULL OR o.service = decide_outcome.service)
      AND (o.object_position IS NULL OR o.object_position = decide_outcome.object_position)
      AND (o.operation IS NULL OR o.operation = decide_outcome.operation)
      AND (o.curl_results IS NULL OR decide_outcome.curl_result = ANY (o.curl_results))
      AND (o.status_from IS NULL OR decide_outcome.http_status BETWEEN o.status_from AND coalesce(o.status_to, o.status_from))
      AND (o.header_pattern IS NULL OR decide_outcome.headers ->> lower(o.header_name) ~ o.header_pattern)
      AND (o.body_is_json IS NULL OR o.body_is_json = (a.document IS NOT NULL))
      AND (o.body_path IS NULL OR coalesce(jsonb_path_match_tz(a.document, o.body_path, '{}', true), false))
      AND (o.body_pattern IS NULL OR tbs.answer_text(decide_outcome.answer, 100000, '{}') ~ o.body_pattern)
    -- Without a service, an operation is a condition and no scope.
    ORDER BY CASE WHEN o.service IS NULL THEN 0 ELSE (o.object_position IS NOT NULL)::integer + (o.operation IS NOT NULL)::integer END DESC, (o.service IS NOT NULL) DESC,
             (o.network_resource_id IS NOT NULL) DESC, (o.network_resource_type IS NOT NULL) DESC, o.shipped, o.position, o.outcome_rule_id
    LIMIT 1;
END;
COMMENT ON FUNCTION tbs.decide_outcome(tbs.network_resource, text, integer, text, integer, integer, jsonb, bytea) IS
'the outcome rule that an answer meets, the nearest scope first (step, service, resource, resource type, all), own rules before shipped ones';

-- A short reason for people: the answer's own message where it has one.
CREATE FUNCTION tbs.answer_message(curl_result integer, http_status integer, answer bytea, rule tbs.outcome_rule)
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $answer_message$
BEGIN
    RETURN (
        SELECT concat_ws('; ',
            CASE WHEN answer_message.http_status > 0 THEN 'HTTP ' || answer_message.http_status
             ELSE format('%s (curl result %s)', rule.description, answer_message.curl_result) END,
            nullif(coalesce(d.document ->> 'message', d.document ->> 'error_description', d.document ->> 'error',
                            left(regexp_replace(tbs.answer_text(answer_message.answer, 200, '{password,secret,token,pin}'), '\s+', ' ', 'g'), 200)), ''),
            nullif(rule.remedy, ''))
        FROM (SELECT CASE WHEN jsonb_typeof(j) = 'object' THEN j END AS document FROM tbs.answer_json(answer_message.answer) AS j) AS d);
END;
$answer_message$;
COMMENT ON FUNCTION tbs.answer_message(integer, integer, bytea, tbs.outcome_rule) IS 'one line that says what came back';

-- Rules for every resource type. Sources: RFC 9110 (HTTP semantics), libcurl error codes.
INSERT INTO tbs.outcome_rule (position, curl_results, status_from, status_to, outcome, description, shipped) VALUES
    (10, '{-1}', NULL, NULL, 'transient', 'not sent by the bridge', true),
    (20, '{5,6,7}', NULL, NULL, 'unavailable', 'could not resolve or connect: nothing was sent', true),
    (30, '{60,35,58,77,91}', NULL, NULL, 'unavailable', 'TLS could not be set up: nothing was sent', true),
    (35, '{63}', NULL, NULL, 'rejected', 'the answer is longer than the network resource''s maximum_answer_bytes', true),
    (40, '{1,2,3,4,27,43,48}', NULL, NULL, 'rejected', 'the request could not be made', true);
INSERT INTO tbs.outcome_rule (position, curl_results, status_from, status_to, outcome, description, shipped)
SELECT 50, array_agg(n), NULL, NULL, 'unknown', 'sent, but the answer was lost', true FROM generate_series(1, 99) AS n WHERE n NOT IN (1, 2, 3, 4, 5, 6, 7, 27, 35, 43, 48, 58, 60, 63, 77, 91);
INSERT INTO tbs.outcome_rule (position, status_from, status_to, operation, outcome, description, remedy, shipped) VALUES
    (100, 200, 299, NULL, 'done', 'accepted', '', true),
    (110, 409, 409, 'add', 'exists', 'create of what is there', '', true),
    (120, 404, 404, 'edit', 'missing', 'change of what is not there', '', true),
    (121, 404, 404, 'delete', 'missing', 'delete of what is not there', '', true),
    (122, 404, 404, 'look', 'missing', 'it is not there', '', true),
    (123, 410, 410, NULL, 'missing', 'it is gone', '', true),
    (130, 401, 401, NULL, 'unauthorized', 'credentials refused', 'check the credentials of the network resource', true),
    (140, 408, 408, NULL, 'transient', 'the server gave up waiting for the request', '', true),
    (141, 425, 425, NULL, 'transient', 'too early', '', true),
    (142, 423, 423, NULL, 'busy', 'locked', '', true),
    (143, 429, 429, NULL, 'throttled', 'too many requests', '', true),
    (150, 500, 599, NULL, 'transient', 'the server has a problem', '', true),
    (160, 300, 399, NULL, 'rejected', 'a redirect, which is never followed', 'check the base URL of the network resource', true),
    (170, 400, 499, NULL, 'rejected', 'refused', 'correct the data and save the row again, or retry', true),
    (900, NULL, NULL, NULL, 'transient', 'nothing else matches', '', true);

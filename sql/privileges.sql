-- Access. Nothing is granted to PUBLIC and no role is created: tbs.grant_access(role, access) gives an existing role one of five accesses.

CREATE FUNCTION tbs.grant_access(role regrole, access text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $grant_access$
DECLARE
    v_business text := 'tbs.customer, tbs.customer_order, tbs.master_usoc, tbs.device, tbs.line, tbs.network_information, tbs.line_usoc, tbs.line_device, tbs.line_member';
    v_configuration text := 'tbs.network_resource_type, tbs.service, tbs.network_resource, tbs.network_resource_maintenance, tbs.network_resource_default, tbs.master_usoc_network_resource, '
                            'tbs.activity_type, tbs.remote_object_kind, tbs.service_object, tbs.activity_step, tbs.value_source, tbs.audit_step, tbs.outcome_rule, tbs.activity_policy';
    v_views text := 'tbs.activity_queue, tbs.activity_failure_group, tbs.activity_log, tbs.activity_log_detail, tbs.line_status, tbs.line_not_in_step, tbs.health, tbs.setting, '
                    'tbs.audit_status, tbs.audit_result, tbs.audit_difference';
    v_desk text := 'tbs.retry_activity(bigint, text, jsonb), tbs.retry_activity(bigint[], text, jsonb), tbs.remove_activity(bigint, text, text), '
                   'tbs.remove_activity(bigint[], text, text), tbs.hold_activity(bigint, text), tbs.hold_activity(bigint[], text), tbs.release_activity(bigint, text), '
                   'tbs.release_activity(bigint[], text), tbs.skip_step(bigint, text), tbs.skip_step(bigint[], text), tbs.mark_done(bigint, text, text), '
                   'tbs.mark_done(bigint[], text, text), tbs.set_maximum_calls(bigint, integer, text), tbs.set_maximum_calls(bigint[], integer, text), '
                   'tbs.run_now(bigint, text), tbs.run_now(bigint[], text), tbs.resync(bigint, bigint, integer, text)';
    v_audit text := 'tbs.audit_resource(text, text), tbs.compare_audit(bigint), tbs.plan_audit(bigint[], text, text), tbs.resync_changed(bigint[], text, text)';
    v_read text := 'tbs.is_armed(), tbs.setting_value(text), tbs.result_status(text, timestamptz), tbs.error_signature(text), tbs.remedy_of(bigint), tbs.ended_as(text), tbs.last_recorded_at(bigint, timestamptz), tbs.find_troubles()';
    v_explain text := 'tbs.why_waiting(bigint), tbs.explain_line(bigint), tbs.explain_values(bigint, text), tbs.explain_policy(bigint), tbs.explain_outcome(bigint), tbs.preview(bigint, boolean), '
                      'tbs.preview_activity(bigint), tbs.preview_change(text, bigint[]), tbs.lines_captured_for(text, bigint), tbs.last_activity_id(), '
                      'tbs.impact_of_default(text, text, jsonb, text, text, boolean)';
    v_format text := 'tbs.e164(text, text), tbs.is_telephone_number(text), tbs.is_usoc(text)';
BEGIN
    IF grant_access.access NOT IN ('app', 'operator', 'admin', 'bridge', 'viewer') OR grant_access.access IS NULL THEN
        RAISE EXCEPTION 'unknown access: "%"', grant_access.access
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'app: write business tables; operator: queue and log, the fallout desk; admin: configuration; bridge: the functions of the bridge; viewer: read.';
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA tbs TO %s', grant_access.role);
    CASE grant_access.access
        WHEN 'app' THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s', v_business, grant_access.role);
            EXECUTE format('GRANT SELECT ON tbs.line_status TO %s', grant_access.role);
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s, tbs.set_origin(text, text), tbs.set_lane(text) TO %s', v_format, grant_access.role);
        WHEN 'operator' THEN
            EXECUTE format('GRANT SELECT ON %s, %s TO %s', v_business, v_views, grant_access.role);
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s, %s, %s, tbs.set_origin(text, text), tbs.test_network_resource(text), tbs.pause_network_resource(text, text), '
                           'tbs.resume_network_resource(text, text), tbs.rotate_secret(bigint, text, text, text), tbs.reveal_secret(bigint, text, text, text), %s TO %s',
                           v_read, v_explain, v_desk, v_audit, grant_access.role);
        WHEN 'admin' THEN
            EXECUTE format('GRANT SELECT ON %s, %s, tbs.setting, tbs.arming, tbs.bridge, tbs.bridge_lease TO %s', v_business, v_views, grant_access.role);
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s', v_configuration, grant_access.role);
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON tbs.master_usoc TO %s', grant_access.role);
            -- Write-only: what is in there comes out only at the bridge.
            EXECUTE format('GRANT SELECT (network_resource_id, name), INSERT, UPDATE, DELETE ON tbs.network_resource_secret TO %s', grant_access.role);
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s, %s, %s, tbs.arm(text), tbs.disarm(text), tbs.without_capture(text), tbs.set_setting(text, text, text), '
                           'tbs.adopt(text, bigint, text), tbs.resync(bigint, bigint, integer, text), tbs.test_network_resource(text), '
                           'tbs.pause_network_resource(text, text), tbs.resume_network_resource(text, text), tbs.drop_history(date), %s TO %s',
                           v_read, v_explain, v_format, v_audit, grant_access.role);
        WHEN 'bridge' THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION tbs.bridge_start(text, text, text), tbs.bridge_configuration(bigint), tbs.bridge_beat(bigint, bigint[]), '
                           'tbs.claim(bigint, integer), tbs.report(bigint, bigint[], integer[], integer[], integer[], jsonb, bytea[], timestamptz[], bigint[]), '
                           'tbs.bridge_stop(bigint), tbs.bridge_sleep(bigint), tbs.bridge_wake(bigint) TO %s', grant_access.role);
        WHEN 'viewer' THEN
            EXECUTE format('GRANT SELECT ON %s, %s TO %s', v_business, v_views, grant_access.role);
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s, %s TO %s', v_read, v_explain, grant_access.role);
    END CASE;
END;
$grant_access$;
COMMENT ON FUNCTION tbs.grant_access(regrole, text) IS
'gives a role one access: app, operator, admin, bridge or viewer; call it again for another one; raises invalid_parameter_value (22023) for an unknown access';

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tbs FROM PUBLIC;
REVOKE ALL ON TYPE tbs.planned_object, tbs.planned_activity, tbs.planned_use, tbs.sending, tbs.answered, tbs.logged_call, tbs.api_call, tbs.budget FROM PUBLIC;

-- Last part: composes the shipped recipes, then seals them and says what a dump has to keep.

SELECT tbs.rebuild_recipes();

DO $seal$
DECLARE
    v_table text;
BEGIN
    -- A change of what recipes are made of composes them anew, or is refused.
    FOREACH v_table IN ARRAY ARRAY['remote_object_kind', 'service_object', 'activity_step', 'value_source'] LOOP
        EXECUTE format('CREATE TRIGGER recipes_changed AFTER INSERT OR UPDATE OR DELETE ON tbs.%I FOR EACH STATEMENT EXECUTE FUNCTION tbs.recipes_changed()', v_table);
    END LOOP;
    FOREACH v_table IN ARRAY ARRAY['network_resource_type', 'service', 'network_resource_default', 'activity_type', 'remote_object_kind', 'service_object',
                                   'activity_step', 'value_source', 'audit_step', 'outcome_rule'] LOOP
        EXECUTE format('CREATE TRIGGER refuse_shipped_change BEFORE UPDATE OR DELETE ON tbs.%I FOR EACH ROW WHEN (OLD.shipped) EXECUTE FUNCTION tbs.refuse_shipped_change()', v_table);
        EXECUTE format('CREATE TRIGGER refuse_shipped_insert BEFORE INSERT ON tbs.%I FOR EACH ROW WHEN (NEW.shipped) EXECUTE FUNCTION tbs.refuse_shipped_change()', v_table);
        PERFORM pg_extension_config_dump(format('tbs.%I', v_table)::regclass, 'WHERE NOT shipped');
    END LOOP;
    FOREACH v_table IN ARRAY ARRAY['customer', 'customer_order', 'master_usoc', 'device', 'line', 'network_information', 'line_usoc', 'line_device', 'line_member',
                                   'network_resource', 'network_resource_maintenance', 'network_resource_secret', 'master_usoc_network_resource', 'activity_policy',
                                   'setting_override', 'arming', 'activity', 'remote_object', 'remote_object_use', 'line_usoc_state', 'line_usoc_run_now',
                                   'network_resource_condition', 'network_resource_failure', 'network_resource_removal', 'bridge_tokens', 'subscriber_secret', 'bridge', 'bridge_lease', 'activity_history',
                                   'audit', 'audit_list', 'audit_object', 'audit_wanted'] LOOP
        PERFORM pg_extension_config_dump(format('tbs.%I', v_table)::regclass, '');
    END LOOP;
    -- Every sequence too, or numbers would start again after a restore.
    FOR v_table IN SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'tbs'::regnamespace AND c.relkind = 'S' LOOP
        PERFORM pg_extension_config_dump(format('tbs.%I', v_table)::regclass, '');
    END LOOP;
END;
$seal$;

-- An administrator's own rows are numbered from here, so that a later version may ship more.
ALTER SEQUENCE tbs.outcome_rule_outcome_rule_id_seq RESTART 100000;
ALTER SEQUENCE tbs.activity_type_activity_type_id_seq RESTART 100000;
ALTER SEQUENCE tbs.network_resource_default_network_resource_default_id_seq RESTART 100000;

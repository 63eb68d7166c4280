-- CLIENT: catalogs
-- [simple] x1
SELECT * FROM information_schema._pg_foreign_data_wrappers
;
-- [simple] x1
SELECT * FROM information_schema._pg_foreign_servers
;
-- [simple] x1
SELECT * FROM information_schema._pg_foreign_table_columns
;
-- [simple] x1
SELECT * FROM information_schema._pg_foreign_tables
;
-- [simple] x1
SELECT * FROM information_schema._pg_user_mappings
;
-- [simple] x1
SELECT * FROM information_schema.administrable_role_authorizations
;
-- [simple] x1
SELECT * FROM information_schema.applicable_roles
;
-- [simple] x1
SELECT * FROM information_schema.attributes
;
-- [simple] x1
SELECT * FROM information_schema.character_sets
;
-- [simple] x1
SELECT * FROM information_schema.check_constraint_routine_usage
;
-- [simple] x1
SELECT * FROM information_schema.check_constraints
;
-- [simple] x1
SELECT * FROM information_schema.collation_character_set_applicability
;
-- [simple] x1
SELECT * FROM information_schema.collations
;
-- [simple] x1
SELECT * FROM information_schema.column_column_usage
;
-- [simple] x1
SELECT * FROM information_schema.column_domain_usage
;
-- [simple] x1
SELECT * FROM information_schema.column_options
;
-- [simple] x1
SELECT * FROM information_schema.column_privileges
;
-- [simple] x1
SELECT * FROM information_schema.column_udt_usage
;
-- [simple] x1
SELECT * FROM information_schema.columns
;
-- [simple] x1
SELECT * FROM information_schema.constraint_column_usage
;
-- [simple] x1
SELECT * FROM information_schema.constraint_table_usage
;
-- [simple] x1
SELECT * FROM information_schema.data_type_privileges
;
-- [simple] x1
SELECT * FROM information_schema.domain_constraints
;
-- [simple] x1
SELECT * FROM information_schema.domain_udt_usage
;
-- [simple] x1
SELECT * FROM information_schema.domains
;
-- [simple] x1
SELECT * FROM information_schema.element_types
;
-- [simple] x1
SELECT * FROM information_schema.enabled_roles
;
-- [simple] x1
SELECT * FROM information_schema.foreign_data_wrapper_options
;
-- [simple] x1
SELECT * FROM information_schema.foreign_data_wrappers
;
-- [simple] x1
SELECT * FROM information_schema.foreign_server_options
;
-- [simple] x1
SELECT * FROM information_schema.foreign_servers
;
-- [simple] x1
SELECT * FROM information_schema.foreign_table_options
;
-- [simple] x1
SELECT * FROM information_schema.foreign_tables
;
-- [simple] x1
SELECT * FROM information_schema.information_schema_catalog_name
;
-- [simple] x1
SELECT * FROM information_schema.key_column_usage
;
-- [simple] x1
SELECT * FROM information_schema.parameters
;
-- [simple] x1
SELECT * FROM information_schema.referential_constraints
;
-- [simple] x1
SELECT * FROM information_schema.role_column_grants
;
-- [simple] x1
SELECT * FROM information_schema.role_routine_grants
;
-- [simple] x1
SELECT * FROM information_schema.role_table_grants
;
-- [simple] x1
SELECT * FROM information_schema.role_udt_grants
;
-- [simple] x1
SELECT * FROM information_schema.role_usage_grants
;
-- [simple] x1
SELECT * FROM information_schema.routine_column_usage
;
-- [simple] x1
SELECT * FROM information_schema.routine_privileges
;
-- [simple] x1
SELECT * FROM information_schema.routine_routine_usage
;
-- [simple] x1
SELECT * FROM information_schema.routine_sequence_usage
;
-- [simple] x1
SELECT * FROM information_schema.routine_table_usage
;
-- [simple] x1
SELECT * FROM information_schema.routines
;
-- [simple] x1
SELECT * FROM information_schema.schemata
;
-- [simple] x1
SELECT * FROM information_schema.sequences
;
-- [simple] x1
SELECT * FROM information_schema.sql_features
;
-- [simple] x1
SELECT * FROM information_schema.sql_implementation_info
;
-- [simple] x1
SELECT * FROM information_schema.sql_parts
;
-- [simple] x1
SELECT * FROM information_schema.sql_sizing
;
-- [simple] x1
SELECT * FROM information_schema.table_constraints
;
-- [simple] x1
SELECT * FROM information_schema.table_privileges
;
-- [simple] x1
SELECT * FROM information_schema.tables
;
-- [simple] x1
SELECT * FROM information_schema.transforms
;
-- [simple] x1
SELECT * FROM information_schema.triggered_update_columns
;
-- [simple] x1
SELECT * FROM information_schema.triggers
;
-- [simple] x1
SELECT * FROM information_schema.udt_privileges
;
-- [simple] x1
SELECT * FROM information_schema.usage_privileges
;
-- [simple] x1
SELECT * FROM information_schema.user_defined_types
;
-- [simple] x1
SELECT * FROM information_schema.user_mapping_options
;
-- [simple] x1
SELECT * FROM information_schema.user_mappings
;
-- [simple] x1
SELECT * FROM information_schema.view_column_usage
;
-- [simple] x1
SELECT * FROM information_schema.view_routine_usage
;
-- [simple] x1
SELECT * FROM information_schema.view_table_usage
;
-- [simple] x1
SELECT * FROM information_schema.views
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_aggregate
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_am
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_amop
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_amproc
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_attrdef
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_attribute
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_auth_members
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_authid
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_available_extension_versions
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_available_extensions
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_cast
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_class
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_collation
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_constraint
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_conversion
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_database
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_db_role_setting
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_default_acl
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_depend
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_description
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_enum
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_event_trigger
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_extension
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_foreign_data_wrapper
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_foreign_server
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_foreign_table
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_group
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_index
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_indexes
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_inherits
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_init_privs
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_language
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_largeobject_metadata
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_matviews
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_namespace
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_opclass
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_operator
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_opfamily
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_parameter_acl
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_partitioned_table
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_policies
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_policy
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_prepared_xacts
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_proc
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_publication
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_publication_namespace
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_publication_rel
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_publication_tables
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_range
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_replication_origin
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_replication_origin_status
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_replication_slots
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_rewrite
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_roles
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_rules
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_seclabel
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_seclabels
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_sequence
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_sequences
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_shdepend
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_shdescription
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_shseclabel
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_subscription
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_subscription_rel
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_tables
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_tablespace
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_transform
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_trigger
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_ts_config
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_ts_config_map
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_ts_dict
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_ts_parser
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_ts_template
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_type
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_user
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_user_mapping
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_user_mappings
;
-- [simple] x1
SELECT * FROM pg_catalog.pg_views
;

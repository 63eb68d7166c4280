-- What tools ask of the catalogs, in our own words after their documentation and habits. See statements.ts for the form.
-- CLIENT: pgAdmin 4
-- [simple]
SELECT db.oid AS did, db.datname AS name, ta.spcname, db.datallowconn, pg_catalog.pg_encoding_to_char(db.encoding) AS encoding, pg_catalog.pg_get_userbyid(db.datdba) AS owner, has_database_privilege(db.oid, 'CREATE') AS cancreate, datlastsysoid FROM pg_catalog.pg_database db LEFT OUTER JOIN pg_catalog.pg_tablespace ta ON db.dattablespace = ta.oid WHERE db.oid > 0 AND datname = 'nobody' ORDER BY datname
;
-- [simple]
SELECT db.oid AS did, db.datallowconn, db.datistemplate AS is_template, pg_catalog.has_database_privilege(db.oid, 'CREATE') AS cancreate, datdba AS owner FROM pg_catalog.pg_database db WHERE db.datname = current_database()
;
-- [simple]
SELECT roles.oid AS id, roles.rolname AS name, roles.rolsuper AS is_superuser, CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreaterole END AS can_create_role, CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreatedb END AS can_create_db, CASE WHEN 'pg_signal_backend' = ANY (ARRAY(WITH RECURSIVE cte AS (SELECT pg_roles.oid, pg_roles.rolname FROM pg_roles WHERE pg_roles.oid = roles.oid UNION ALL SELECT m.roleid, pgr.rolname FROM cte cte_1 JOIN pg_auth_members m ON m.member = cte_1.oid JOIN pg_roles pgr ON pgr.oid = m.roleid) SELECT rolname FROM cte)) THEN true ELSE false END AS can_signal_backend FROM pg_catalog.pg_roles AS roles WHERE rolname = current_user
;
-- [simple]
SELECT nsp.oid, nsp.nspname AS name, has_schema_privilege(nsp.oid, 'CREATE') AS can_create, has_schema_privilege(nsp.oid, 'USAGE') AS has_usage, des.description FROM pg_catalog.pg_namespace nsp LEFT OUTER JOIN pg_catalog.pg_description des ON des.objoid = nsp.oid AND des.classoid = 'pg_namespace'::regclass WHERE nspname NOT LIKE 'pg\_%' AND NOT ((nsp.nspname = 'pg_catalog' AND EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'pg_class' AND relnamespace = nsp.oid LIMIT 1)) OR (nsp.nspname = 'information_schema' AND EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'tables' AND relnamespace = nsp.oid LIMIT 1))) ORDER BY nspname
;
-- [simple]
SELECT rel.oid, rel.relname AS name, (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = rel.oid AND tgisinternal = false) AS triggercount, (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = rel.oid AND tgisinternal = false AND tgenabled = 'O') AS has_enable_triggers, (CASE WHEN rel.relkind = 'p' THEN true ELSE false END) AS is_partitioned, (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhrelid = rel.oid LIMIT 1) AS is_inherits, (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhparent = rel.oid LIMIT 1) AS is_inherited, des.description FROM pg_catalog.pg_class rel LEFT OUTER JOIN pg_catalog.pg_description des ON des.objoid = rel.oid AND des.objsubid = 0 AND des.classoid = 'pg_class'::regclass WHERE rel.relkind IN ('r', 's', 't', 'p') AND rel.relnamespace = 'app'::regnamespace AND NOT rel.relispartition ORDER BY rel.relname
;
-- [simple]
SELECT rel.oid, rel.relname AS name, rel.reltablespace AS spcoid, rel.relacl AS relacl_str, (CASE WHEN length(spc.spcname::text) > 0 OR rel.relkind = 'p' THEN spc.spcname ELSE (SELECT sp.spcname FROM pg_catalog.pg_database dtb JOIN pg_catalog.pg_tablespace sp ON dtb.dattablespace = sp.oid WHERE dtb.datname = current_database()) END) AS spcname, rel.relhasrules, pg_catalog.pg_get_userbyid(rel.relowner) AS relowner, rel.relkind, (CASE rel.relpersistence WHEN 'u' THEN true ELSE false END) AS relpersistence, con.conname, con.conkey, EXISTS (SELECT 1 FROM pg_catalog.pg_trigger JOIN pg_catalog.pg_proc pt ON pt.oid = tgfoid AND pt.proname = 'logtrigger' WHERE tgrelid = rel.oid) AS isrepl, substring(pg_catalog.array_to_string(rel.reloptions, ',') FROM 'fillfactor=([0-9]*)') AS fillfactor, substring(pg_catalog.array_to_string(rel.reloptions, ',') FROM 'autovacuum_enabled=([a-z|0-9]*)') AS autovacuum_enabled, pg_catalog.array_to_string(tst.reloptions, ',') AS toast_options, CASE WHEN typ.typname IS NOT NULL THEN typ.typname ELSE '' END AS typname, rel.relrowsecurity AS rlspolicy, rel.relforcerowsecurity AS forcerlspolicy, (SELECT pg_catalog.array_agg(provider || '=' || label) FROM pg_catalog.pg_seclabels sl1 WHERE sl1.objoid = rel.oid AND sl1.objsubid = 0) AS seclabels, (CASE WHEN rel.oid <= 13757::oid THEN true ELSE false END) AS is_sys_table FROM pg_catalog.pg_class rel LEFT OUTER JOIN pg_catalog.pg_tablespace spc ON spc.oid = rel.reltablespace LEFT OUTER JOIN pg_catalog.pg_constraint con ON con.conrelid = rel.oid AND con.contype = 'p' LEFT OUTER JOIN pg_catalog.pg_class tst ON tst.oid = rel.reltoastrelid LEFT JOIN pg_catalog.pg_type typ ON rel.reloftype = typ.oid WHERE rel.relkind IN ('r', 's', 't', 'p') AND rel.relnamespace = 'app'::regnamespace AND NOT rel.relispartition ORDER BY rel.relname
;
-- [simple]
SELECT att.attname AS name, att.attnum, att.attlen, att.atttypid, att.attndims, att.atttypmod, att.attacl, att.attnotnull, att.attoptions, att.attfdwoptions, att.attstattarget, att.attstorage, att.attidentity, pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS defval, pg_catalog.format_type(ty.oid, NULL) AS typname, pg_catalog.format_type(ty.oid, att.atttypmod) AS displaytypname, pg_catalog.format_type(ty.oid, att.atttypmod) AS cltype, inh.inhrelid IS NOT NULL AS is_inherited, CASE WHEN ty.typelem > 0 THEN ty.typelem ELSE ty.oid END AS elemoid, (SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = ty.typnamespace) AS typnspname, ty.typstorage AS defaultstorage, description, pi.indkey, (SELECT count(1) FROM pg_catalog.pg_type t2 WHERE t2.typname = ty.typname) > 1 AS isdup, CASE WHEN length(coll.collname::text) > 0 AND length(nspc.nspname::text) > 0 THEN pg_catalog.concat(pg_catalog.quote_ident(nspc.nspname), '.', pg_catalog.quote_ident(coll.collname)) ELSE '' END AS collspcname, EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE conrelid = att.attrelid AND contype = 'f' AND att.attnum = ANY (conkey)) AS is_fk, (CASE WHEN att.attidentity IN ('a', 'd') THEN 'i' WHEN att.attgenerated IN ('s') THEN 'g' ELSE 'n' END) AS colconstype FROM pg_catalog.pg_attribute att JOIN pg_catalog.pg_type ty ON ty.oid = att.atttypid LEFT OUTER JOIN pg_catalog.pg_attrdef def ON def.adrelid = att.attrelid AND def.adnum = att.attnum LEFT OUTER JOIN pg_catalog.pg_description des ON des.objoid = att.attrelid AND des.objsubid = att.attnum AND des.classoid = 'pg_class'::regclass LEFT OUTER JOIN (pg_catalog.pg_depend JOIN pg_catalog.pg_class cs ON classid = 'pg_class'::regclass AND objid = cs.oid AND cs.relkind = 'S') ON refobjid = att.attrelid AND refobjsubid = att.attnum LEFT OUTER JOIN pg_catalog.pg_namespace ns ON ns.oid = cs.relnamespace LEFT OUTER JOIN pg_catalog.pg_index pi ON pi.indrelid = att.attrelid AND indisprimary LEFT OUTER JOIN pg_catalog.pg_collation coll ON att.attcollation = coll.oid LEFT OUTER JOIN pg_catalog.pg_namespace nspc ON coll.collnamespace = nspc.oid LEFT OUTER JOIN pg_catalog.pg_inherits inh ON inh.inhrelid = att.attrelid WHERE att.attrelid = 'app.customer'::regclass AND att.attnum > 0 AND att.attisdropped IS FALSE ORDER BY att.attnum
;
-- [simple]
SELECT ct.oid, conname AS name, condeferrable, condeferred, confupdtype, confdeltype, CASE confmatchtype WHEN 's' THEN false WHEN 'f' THEN true END AS confmatchtype, conkey, confkey, confrelid, nl.nspname AS fknsp, cl.relname AS fktab, nr.oid AS refnspoid, nr.nspname AS refnsp, cr.relname AS reftab, description AS comment, convalidated, conislocal FROM pg_catalog.pg_constraint ct JOIN pg_catalog.pg_class cl ON cl.oid = conrelid JOIN pg_catalog.pg_namespace nl ON nl.oid = cl.relnamespace JOIN pg_catalog.pg_class cr ON cr.oid = confrelid JOIN pg_catalog.pg_namespace nr ON nr.oid = cr.relnamespace LEFT OUTER JOIN pg_catalog.pg_description des ON des.objoid = ct.oid AND des.classoid = 'pg_constraint'::regclass WHERE ct.contype = 'f' AND ct.conrelid = 'app.item'::regclass ORDER BY conname
;
-- [simple]
SELECT DISTINCT ON (cls.relname) cls.oid, cls.relname AS name, indrelid, indkey, indisclustered, indisvalid, indisunique, indisprimary, n.nspname, indnatts, cls.reltablespace AS spcoid, tab.relname AS tabname, indclass, con.oid AS conoid, CASE contype WHEN 'p' THEN desp.description WHEN 'u' THEN desp.description WHEN 'x' THEN desp.description ELSE des.description END AS description, pg_catalog.pg_get_expr(indpred, indrelid, true) AS indconstraint, contype, condeferrable, condeferred, amname, (SELECT (CASE WHEN count(i.inhrelid) > 0 THEN true ELSE false END) FROM pg_inherits i WHERE i.inhrelid = cls.oid) AS is_inherited, substring(pg_catalog.array_to_string(cls.reloptions, ',') FROM 'fillfactor=([0-9]*)') AS fillfactor FROM pg_catalog.pg_index idx JOIN pg_catalog.pg_class cls ON cls.oid = indexrelid JOIN pg_catalog.pg_class tab ON tab.oid = indrelid JOIN pg_catalog.pg_namespace n ON n.oid = tab.relnamespace JOIN pg_catalog.pg_am am ON am.oid = cls.relam LEFT JOIN pg_catalog.pg_depend dep ON (dep.classid = cls.tableoid AND dep.objid = cls.oid AND dep.refobjsubid = '0' AND dep.refclassid = (SELECT oid FROM pg_catalog.pg_class WHERE relname = 'pg_constraint') AND dep.deptype = 'i') LEFT OUTER JOIN pg_catalog.pg_constraint con ON (con.tableoid = dep.refclassid AND con.oid = dep.refobjid) LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = cls.oid AND des.classoid = 'pg_class'::regclass) LEFT OUTER JOIN pg_catalog.pg_description desp ON (desp.objoid = con.oid AND desp.objsubid = 0 AND desp.classoid = 'pg_constraint'::regclass) WHERE indrelid = 'app.customer'::regclass AND conname IS NULL ORDER BY cls.relname
;
-- [simple]
SELECT i.indexrelid, CASE i.indoption[i.attnum - 1] WHEN 0 THEN ARRAY['ASC', 'NULLS LAST'] WHEN 1 THEN ARRAY['DESC', 'NULLS FIRST'] WHEN 2 THEN ARRAY['ASC', 'NULLS FIRST'] WHEN 3 THEN ARRAY['DESC', 'NULLS LAST'] ELSE ARRAY['UNKNOWN OPTION' || i.indoption[i.attnum - 1]::text, ''] END::text[] AS options, i.attnum, pg_catalog.pg_get_indexdef(i.indexrelid, i.attnum, true) AS attdef, CASE WHEN o.opcdefault THEN '' ELSE o.opcname END AS opcname, op.oprname AS oprname, CASE WHEN length(nspc.nspname::text) > 0 AND length(coll.collname::text) > 0 THEN pg_catalog.concat(pg_catalog.quote_ident(nspc.nspname), '.', pg_catalog.quote_ident(coll.collname)) ELSE '' END AS collnspname FROM (SELECT indexrelid, i.indoption, i.indclass, pg_catalog.unnest(ARRAY(SELECT pg_catalog.generate_series(1, i.indnatts) AS n)) AS attnum FROM pg_catalog.pg_index i WHERE i.indexrelid = 'app.orders_total'::regclass) i LEFT JOIN pg_catalog.pg_opclass o ON (o.oid = i.indclass[i.attnum - 1]) LEFT OUTER JOIN pg_catalog.pg_constraint c ON (c.conindid = i.indexrelid) LEFT OUTER JOIN pg_catalog.pg_operator op ON (op.oid = c.conexclop[i.attnum]) LEFT JOIN pg_catalog.pg_attribute a ON (a.attrelid = i.indexrelid AND a.attnum = i.attnum) LEFT OUTER JOIN pg_catalog.pg_collation coll ON a.attcollation = coll.oid LEFT OUTER JOIN pg_catalog.pg_namespace nspc ON coll.collnamespace = nspc.oid ORDER BY i.attnum
;
-- [simple]
SELECT t.oid, t.tgname AS name, t.xmin, t.tgtype, t.tgenabled, t.tgattr, relname, CASE WHEN relkind = 'r' THEN 'table' ELSE 'view' END AS parentistable, nspname, des.description, l.lanname, p.prosrc, p.proname AS tfunction, pg_catalog.pg_get_triggerdef(t.oid, true) AS definition, CASE WHEN tgconstraint != 0::oid THEN true ELSE false END AS is_constraint_trigger, tgnargs, (CASE WHEN t.tgtype & 1 = 1 THEN true ELSE false END) AS is_row_trigger, tgoldtable, tgnewtable FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class cl ON cl.oid = tgrelid JOIN pg_catalog.pg_namespace na ON na.oid = relnamespace LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = t.oid AND des.classoid = 'pg_trigger'::regclass) LEFT OUTER JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid LEFT OUTER JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE NOT tgisinternal AND tgrelid = 'app.customer'::regclass ORDER BY tgname
;
-- [simple]
SELECT pr.oid, pr.proname || '(' || COALESCE(pg_catalog.pg_get_function_identity_arguments(pr.oid), '') || ')' AS name, lanname, pg_catalog.pg_get_userbyid(proowner) AS funcowner, pr.pronargdefaults, proargmodes, proargnames, pg_get_function_arguments(pr.oid), pg_catalog.pg_get_function_sqlbody(pr.oid) AS prosrc_sql, pg_get_expr(proargdefaults, 'pg_catalog.pg_class'::regclass), pr.prokind, prorettype::regtype, proconfig FROM pg_catalog.pg_proc pr JOIN pg_catalog.pg_type typ ON typ.oid = prorettype JOIN pg_catalog.pg_language lng ON lng.oid = prolang WHERE pr.prokind IN ('f', 'w') AND pronamespace = 'app'::regnamespace AND typname NOT IN ('trigger', 'event_trigger') ORDER BY proname
;
-- [simple]
SELECT defaclobjtype, pg_catalog.pg_get_userbyid(defaclrole) AS role, (aclexplode(defaclacl)).privilege_type, (aclexplode(defaclacl)).is_grantable FROM pg_catalog.pg_default_acl WHERE defaclnamespace = 'app'::regnamespace
;
-- [simple]
SELECT 'datacl' AS deftype, COALESCE(gt.rolname, 'PUBLIC') AS grantee, g.rolname AS grantor, pg_catalog.array_agg(privilege_type ORDER BY privilege_type) AS privileges, pg_catalog.array_agg(is_grantable) AS grantable FROM (SELECT d.grantee, d.grantor, d.is_grantable, CASE d.privilege_type WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w' WHEN 'DELETE' THEN 'd' WHEN 'TRUNCATE' THEN 'D' WHEN 'REFERENCES' THEN 'x' WHEN 'TRIGGER' THEN 't' ELSE 'UNKNOWN' END AS privilege_type FROM (SELECT (d).grantee AS grantee, (d).grantor AS grantor, (d).is_grantable AS is_grantable, (d).privilege_type AS privilege_type FROM (SELECT pg_catalog.aclexplode(relacl) AS d FROM pg_catalog.pg_class WHERE oid = 'app.customer'::regclass) a) d) d LEFT JOIN pg_catalog.pg_roles g ON (d.grantor = g.oid) LEFT JOIN pg_catalog.pg_roles gt ON (d.grantee = gt.oid) GROUP BY g.rolname, gt.rolname ORDER BY 2
;
-- [simple]
SELECT DISTINCT dep.deptype, dep.refclassid, cl.relkind, ad.adbin IS NOT NULL AS has_default, pg_get_expr(ad.adbin, ad.adrelid) AS default_text, CASE WHEN cl.relkind IS NOT NULL THEN cl.relkind || COALESCE(dep.refobjsubid::character varying, '') WHEN tg.oid IS NOT NULL THEN 'T'::text WHEN ty.oid IS NOT NULL AND ty.typbasetype = 0 THEN 'y'::text WHEN ty.oid IS NOT NULL AND ty.typbasetype <> 0 THEN 'd'::text WHEN ns.oid IS NOT NULL THEN 'n'::text WHEN pr.oid IS NOT NULL AND prtyp.typname = 'trigger' THEN 't'::text WHEN pr.oid IS NOT NULL THEN 'P'::text WHEN la.oid IS NOT NULL THEN 'l'::text WHEN rw.oid IS NOT NULL THEN 'R'::text WHEN co.oid IS NOT NULL THEN 'C'::text || contype ELSE '' END AS type, COALESCE(coc.relname, clrw.relname) AS ownertable, COALESCE(cl.relname, co.conname, pr.proname, tg.tgname, ty.typname, la.lanname, rw.rulename, ns.nspname) AS refname FROM pg_catalog.pg_depend dep LEFT JOIN pg_catalog.pg_class cl ON dep.objid = cl.oid LEFT JOIN pg_catalog.pg_attribute att ON dep.objid = att.attrelid AND dep.objsubid = att.attnum LEFT JOIN pg_catalog.pg_proc pr ON dep.objid = pr.oid LEFT JOIN pg_catalog.pg_trigger tg ON dep.objid = tg.oid LEFT JOIN pg_catalog.pg_type ty ON dep.objid = ty.oid LEFT JOIN pg_catalog.pg_type prtyp ON prtyp.oid = pr.prorettype LEFT JOIN pg_catalog.pg_constraint co ON dep.objid = co.oid LEFT JOIN pg_catalog.pg_class coc ON co.conrelid = coc.oid LEFT JOIN pg_catalog.pg_rewrite rw ON dep.objid = rw.oid LEFT JOIN pg_catalog.pg_class clrw ON clrw.oid = rw.ev_class LEFT JOIN pg_catalog.pg_language la ON dep.objid = la.oid LEFT JOIN pg_catalog.pg_namespace ns ON dep.objid = ns.oid LEFT JOIN pg_catalog.pg_attrdef ad ON ad.oid = dep.objid WHERE dep.refobjid = 'app.customer'::regclass AND dep.classid IN (SELECT oid FROM pg_catalog.pg_class WHERE relname IN ('pg_class', 'pg_constraint', 'pg_conversion', 'pg_language', 'pg_proc', 'pg_rewrite', 'pg_namespace', 'pg_trigger', 'pg_type', 'pg_attrdef', 'pg_event_trigger', 'pg_foreign_server', 'pg_foreign_data_wrapper')) ORDER BY 8, 1, 6
;
-- [simple]
SELECT pid, datname, usename, application_name, client_addr, pg_catalog.to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS TZ') AS backend_start, state, wait_event_type || ': ' || wait_event AS wait_event, array_to_string(pg_catalog.pg_blocking_pids(pid), ', ') AS blocking_pids, query, pg_catalog.to_char(state_change, 'YYYY-MM-DD HH24:MI:SS TZ') AS state_change, backend_type, CASE WHEN state = 'active' THEN ROUND((extract(epoch FROM now() - query_start) / 60)::numeric, 2) ELSE 0 END AS active_since FROM pg_catalog.pg_stat_activity WHERE datname = current_database() ORDER BY pid
;
-- [simple]
SELECT 'session_stats' AS chart_name, pg_catalog.row_to_json(t) AS chart_data FROM (SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = (SELECT datname FROM pg_catalog.pg_database WHERE datname = current_database())) > 0 AS "Total", (SELECT sum(xact_commit) + sum(xact_rollback) FROM pg_catalog.pg_stat_database WHERE datname = current_database()) >= 0 AS "Transactions") t
;
-- [simple]
SELECT set_config('bytea_output', 'hex', false) FROM pg_catalog.pg_settings WHERE name = 'bytea_output'; SET client_min_messages = notice; SET client_encoding = 'UTF8'
;
-- CLIENT: DBeaver
-- [parse]
SELECT db.oid, db.* FROM pg_catalog.pg_database db WHERE 1 = 1 AND datallowconn AND NOT datistemplate AND db.datname = $1 ORDER BY db.datname
;
-- [simple]
SELECT t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base_type_name, d.description FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid = t.typelem LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid = t.typrelid LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid = d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C') AND t.typnamespace = 'app'::regnamespace ORDER BY t.typname
;
-- [simple]
SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass ORDER BY nspname
;
-- [parse]
SELECT c.oid, c.relname, c.relkind, c.relnatts, c.relhasindex, c.relpersistence, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_expr, pg_catalog.pg_get_partkeydef(c.oid) AS partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass WHERE c.relnamespace = 'app'::regnamespace AND c.relkind NOT IN ('i', 'I', 'c') AND c.relname <> $1 ORDER BY c.relname
;
-- [parse]
SELECT c.relname, a.attname, a.attnum, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated, a.attidentity, a.attcollation, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) AS def_value, dsc.description, dep.objid > 0 AS has_sequence FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON (a.attrelid = c.oid) LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid = ad.adrelid AND a.attnum = ad.adnum) LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid = dsc.objoid AND a.attnum = dsc.objsubid) LEFT OUTER JOIN pg_depend dep ON dep.refobjid = a.attrelid AND dep.deptype = 'i' AND dep.refobjsubid = a.attnum AND dep.classid = dep.refclassid WHERE NOT a.attisdropped AND c.relkind NOT IN ('i', 'I', 'c') AND c.oid = $1 ORDER BY a.attnum
;
-- [parse]
SELECT c.oid, c.*, t.relname AS tabrelname, rt.relnamespace AS refnamespace, d.description, null AS consrc_copy FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid = c.conrelid LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid = c.confrelid LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_constraint'::regclass WHERE c.conrelid = $1 ORDER BY c.conname
;
-- [parse]
SELECT i.*, i.indkey AS keys, c.relname, c.relnamespace, c.relam, c.reltablespace, tc.relname AS tabrelname, dsc.description, pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS pred_expr, pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) AS expr FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid INNER JOIN pg_catalog.pg_class tc ON tc.oid = i.indrelid LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid = dsc.objoid WHERE i.indrelid = $1 ORDER BY tc.relname, c.relname
;
-- [simple]
SELECT p.oid AS poid, p.proname, p.prokind, p.pronargs, p.proargtypes, p.proallargtypes, p.proargmodes, p.proargnames, p.provolatile, p.procost, p.prorows, l.lanname, pg_catalog.pg_get_expr(p.proargdefaults, 0) AS arg_defaults, d.description FROM pg_catalog.pg_proc p LEFT OUTER JOIN pg_catalog.pg_language l ON l.oid = p.prolang LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = p.oid WHERE p.pronamespace = 'app'::regnamespace ORDER BY p.proname
;
-- [simple]
SELECT current_schema(), session_user, version() LIKE 'PostgreSQL%' OR true AS is_known
;
-- [simple]
SHOW search_path
;
-- [simple]
SELECT e.extname, cfg.tbloid IS NOT NULL AS has_configuration, n.nspname AS schema_name, array_agg(cfg.tbloid) AS tables FROM pg_catalog.pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace LEFT JOIN LATERAL (SELECT unnest(e.extconfig) AS tbloid) cfg ON true GROUP BY e.extname, n.nspname, cfg.tbloid IS NOT NULL ORDER BY e.extname
;
-- [simple]
SELECT DISTINCT dep.deptype, dep.classid, dep.objid, cl.relkind, attr.attname, pg_get_expr(ad.adbin, ad.adrelid) AS adefval, CASE WHEN cl.relkind IS NOT NULL THEN cl.relkind::text || COALESCE(dep.objsubid::text, '') END AS type, COALESCE(coc.relname, clrw.relname) AS ownertable FROM pg_depend dep LEFT JOIN pg_class cl ON dep.objid = cl.oid LEFT JOIN pg_attribute attr ON dep.objid = attr.attrelid AND dep.objsubid = attr.attnum LEFT JOIN pg_constraint co ON dep.objid = co.oid LEFT JOIN pg_class coc ON co.conrelid = coc.oid LEFT JOIN pg_rewrite rw ON dep.objid = rw.oid LEFT JOIN pg_class clrw ON clrw.oid = rw.ev_class LEFT JOIN pg_attrdef ad ON ad.adrelid = attr.attrelid AND ad.adnum = attr.attnum WHERE dep.refobjid = 'app.orders'::regclass ORDER BY type
;
-- CLIENT: DataGrip
-- [simple]
SELECT version() LIKE '%' AS v, current_database(), current_schema() AS s, current_setting('server_version_num')::integer / 10000 AS major, (SELECT setting FROM pg_settings WHERE name = 'standard_conforming_strings') AS strings
;
-- [simple]
SELECT N.oid::bigint AS id, N.nspname AS name, D.description, pg_catalog.pg_get_userbyid(N.nspowner) AS "owner" FROM pg_catalog.pg_namespace N LEFT JOIN pg_catalog.pg_description D ON N.oid = D.objoid WHERE N.nspname NOT LIKE 'pg\_toast%' ORDER BY CASE WHEN N.nspname = pg_catalog.current_schema() THEN -1::bigint ELSE N.oid::bigint END, N.nspname
;
-- [simple]
SELECT T.relkind AS table_kind, T.relname AS table_name, pg_catalog.age(T.xmin) >= 0 AS has_age, T.relispartition, T.reltablespace AS tablespace_id, T.reloptions AS options, T.relpersistence AS persistence, (SELECT pg_catalog.array_agg(inhparent::bigint ORDER BY inhseqno)::varchar FROM pg_catalog.pg_inherits WHERE T.oid = inhrelid) IS NOT NULL AS has_ancestors, (SELECT count(*) FROM pg_catalog.pg_inherits WHERE T.oid = inhparent) AS successors, pg_catalog.pg_get_userbyid(T.relowner) AS "owner", T.relrowsecurity FROM pg_catalog.pg_class T WHERE relnamespace = 'app'::regnamespace AND relkind IN ('r', 'm', 'v', 'f', 'p') ORDER BY table_kind, table_name
;
-- [simple]
WITH schema_procs AS (SELECT prorettype, proargtypes, proallargtypes FROM pg_catalog.pg_proc WHERE pronamespace = 'app'::regnamespace), schema_opers AS (SELECT oprleft, oprright, oprresult FROM pg_catalog.pg_operator WHERE oprnamespace = 'app'::regnamespace), schema_aggregates AS (SELECT A.aggtranstype FROM pg_catalog.pg_aggregate A JOIN pg_catalog.pg_proc P ON A.aggfnoid = P.oid WHERE P.pronamespace = 'app'::regnamespace), schema_arg_types AS (SELECT prorettype AS type_id FROM schema_procs UNION SELECT DISTINCT unnest(proargtypes) AS type_id FROM schema_procs UNION SELECT DISTINCT unnest(proallargtypes) AS type_id FROM schema_procs UNION SELECT oprleft AS type_id FROM schema_opers UNION SELECT oprright FROM schema_opers UNION SELECT aggtranstype::oid FROM schema_aggregates) SELECT type_id, pg_catalog.format_type(type_id, NULL) AS type_spec FROM schema_arg_types WHERE type_id <> 0 ORDER BY 2
;
-- [simple]
WITH T AS (SELECT T.oid AS table_id, T.relname AS table_name FROM pg_catalog.pg_class T WHERE T.relnamespace = 'app'::regnamespace AND T.relkind IN ('r', 'm', 'v', 'f', 'p')) SELECT T.table_name, C.attnum AS column_position, C.attname AS column_name, C.atttypmod AS type_mod, C.attndims AS dimensions_number, pg_catalog.format_type(C.atttypid, C.atttypmod) AS type_spec, C.attnotnull AS mandatory, D.adbin IS NOT NULL AS has_default, pg_catalog.pg_get_expr(D.adbin, T.table_id) AS column_default_expression, NOT C.attislocal AS column_is_inherited, C.attfdwoptions AS options, C.attisdropped AS column_is_dropped, C.attidentity AS identity_kind, C.attgenerated AS generated FROM T JOIN pg_catalog.pg_attribute C ON T.table_id = C.attrelid LEFT JOIN pg_catalog.pg_attrdef D ON (C.attrelid, C.attnum) = (D.adrelid, D.adnum) WHERE attnum > 0 ORDER BY T.table_name, attnum
;
-- [simple]
SELECT tab.relname AS table_name, ind_stor.relname AS index_name, ind_head.indisunique AS is_unique, ind_head.indisprimary AS is_primary, ind_head.indnullsnotdistinct AS nulls_not_distinct, pg_catalog.pg_get_expr(ind_head.indpred, ind_head.indrelid) AS condition, opcmethod AS access_method_id, array_agg(k.idx_opt_num) FROM pg_catalog.pg_class tab JOIN pg_catalog.pg_index ind_head ON ind_head.indrelid = tab.oid JOIN pg_catalog.pg_class ind_stor ON tab.relnamespace = ind_stor.relnamespace AND ind_stor.oid = ind_head.indexrelid CROSS JOIN LATERAL (SELECT generate_subscripts(ind_head.indoption, 1) AS idx_opt_num) k JOIN pg_catalog.pg_opclass ON pg_opclass.oid = ind_head.indclass[0] WHERE tab.relnamespace = 'app'::regnamespace AND tab.relkind IN ('r', 'm', 'v', 'p') AND ind_stor.relkind IN ('i', 'I') GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY tab.relname, ind_stor.relname
;
-- [simple]
SELECT T.relname, C.oid::bigint AS con_id, C.conname AS con_name, C.contype AS con_kind, C.conkey AS con_columns, C.conindid AS index_id, C.confrelid AS ref_table_id, C.condeferrable AS is_deferrable, C.condeferred AS is_init_deferred, C.confupdtype AS on_update, C.confdeltype AS on_delete, C.connoinherit AS no_inherit, pg_catalog.pg_get_expr(C.conbin, T.oid) AS con_expression, C.confkey AS ref_columns, C.conexclop::int[] AS excl_operators FROM pg_catalog.pg_constraint C JOIN pg_catalog.pg_class T ON C.conrelid = T.oid WHERE T.relkind IN ('r', 'v', 'f', 'p') AND T.relnamespace = 'app'::regnamespace AND C.contype IN ('p', 'u', 'f', 'c', 'x') ORDER BY T.relname, con_name
;
-- [simple]
SELECT L.transactionid::varchar::bigint AS transaction_id FROM pg_catalog.pg_locks L WHERE L.transactionid IS NOT NULL ORDER BY pg_catalog.age(L.transactionid) DESC LIMIT 1
;
-- [simple]
SELECT case when pg_catalog.pg_is_in_recovery() then null else (pg_catalog.txid_current() % 4294967296) > 0 end AS current_txid
;
-- [simple]
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit, rolvaliduntil, rolbypassrls, rolconfig, D.description FROM pg_catalog.pg_roles R LEFT JOIN pg_catalog.pg_shdescription D ON D.objoid = R.oid ORDER BY 1
;
-- [simple]
SELECT R.ev_class::regclass, R.rulename, pg_catalog.translate(ev_type, '1234', 'SUID') AS rule_event_code, R.ev_enabled, R.is_instead FROM pg_catalog.pg_rewrite R WHERE R.ev_class IN (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace = 'app'::regnamespace) ORDER BY 1
;
-- [simple]
SELECT O.oprname, O.oprkind, O.oprleft::regtype, O.oprright::regtype, O.oprresult::regtype, O.oprcode::regprocedure, O.oprcom::regoper::text, O.oprnegate, O.oprrest::regproc, O.oprjoin::regproc, O.oprcanmerge, O.oprcanhash FROM pg_catalog.pg_operator O WHERE oprnamespace = 'app'::regnamespace
;
-- [simple]
SELECT collname, collcollate, collctype, collprovider, collisdeterministic FROM pg_catalog.pg_collation WHERE collnamespace = 'app'::regnamespace
;
-- [simple]
SELECT T.oid::bigint AS object_id, T.typname, T.typtype, T.typcategory, T.typnotnull, T.typdefault, pg_catalog.format_type(T.typbasetype, T.typtypmod), array_agg(E.enumlabel::text ORDER BY E.enumsortorder) FILTER (WHERE E.oid IS NOT NULL) AS labels FROM pg_catalog.pg_type T LEFT JOIN pg_catalog.pg_enum E ON T.oid = E.enumtypid WHERE T.typnamespace = 'app'::regnamespace AND T.typtype IN ('d', 'e', 'r', 'm', 'c') AND (T.typtype <> 'c' OR EXISTS (SELECT FROM pg_class WHERE oid = T.typrelid AND relkind = 'c')) GROUP BY T.oid, T.typname, T.typtype, T.typcategory, T.typnotnull, T.typdefault, T.typbasetype, T.typtypmod ORDER BY 2
;
-- CLIENT: Metabase
-- [simple]
SHOW timezone
;
-- [simple]
WITH table_privileges AS (SELECT NULL AS role, t.schemaname AS schema, t.objectname AS table, pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'update') AS update, pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'select') AS select, pg_catalog.has_table_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'delete') AS delete FROM (SELECT schemaname, tablename AS objectname FROM pg_catalog.pg_tables UNION SELECT schemaname, viewname AS objectname FROM pg_catalog.pg_views UNION SELECT schemaname, matviewname AS objectname FROM pg_catalog.pg_matviews) t WHERE t.schemaname !~ '^pg_' AND t.schemaname <> 'information_schema' AND pg_catalog.has_schema_privilege(current_user, t.schemaname, 'USAGE')) SELECT t.* FROM table_privileges t ORDER BY 2, 3
;
-- [simple]
SELECT "n"."nspname" AS "schema", "c"."relname" AS "name", CASE "c"."relkind" WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE NULL END AS "type", "d"."description" AS "description", NULLIF("stat"."n_live_tup", 0) IS NULL OR true AS "estimated" FROM "pg_catalog"."pg_class" AS "c" INNER JOIN "pg_catalog"."pg_namespace" AS "n" ON "c"."relnamespace" = "n"."oid" LEFT JOIN "pg_catalog"."pg_description" AS "d" ON ("c"."oid" = "d"."objoid") AND ("d"."objsubid" = 0) AND ("d"."classoid" = 'pg_class'::regclass) LEFT JOIN "pg_stat_user_tables" AS "stat" ON ("n"."nspname" = "stat"."schemaname") AND ("c"."relname" = "stat"."relname") WHERE ("n"."nspname" !~ '^pg_') AND ("n"."nspname" <> 'information_schema') AND c.relkind IN ('r', 'p', 'v', 'f', 'm') ORDER BY "type" ASC, "schema" ASC, "name" ASC
;
-- [simple]
SELECT "c"."column_name" AS "name", CASE WHEN "c"."udt_schema" IN ('public', 'pg_catalog') THEN format('%s', "c"."udt_name") ELSE format('"%s"."%s"', "c"."udt_schema", "c"."udt_name") END AS "database-type", "c"."ordinal_position" - 1 AS "database-position", "c"."table_schema" AS "table-schema", "c"."table_name" AS "table-name", "pk"."column_name" IS NOT NULL AS "pk?", col_description(CAST(CAST(format('%I.%I', CAST("c"."table_schema" AS TEXT), CAST("c"."table_name" AS TEXT)) AS REGCLASS) AS OID), "c"."ordinal_position") AS "field-comment", (("column_default" IS NULL) OR (LOWER("column_default") = 'null')) AND ("is_nullable" = 'NO') AND NOT ((("column_default" IS NOT NULL) AND ("column_default" LIKE '%nextval(%')) OR ("is_identity" <> 'NO')) AS "database-required", (("column_default" IS NOT NULL) AND ("column_default" LIKE '%nextval(%')) OR ("is_identity" <> 'NO') AS "database-is-auto-increment" FROM "information_schema"."columns" AS "c" LEFT JOIN (SELECT "tc"."table_schema", "tc"."table_name", "kc"."column_name" FROM "information_schema"."table_constraints" AS "tc" INNER JOIN "information_schema"."key_column_usage" AS "kc" ON ("tc"."constraint_name" = "kc"."constraint_name") AND ("tc"."table_schema" = "kc"."table_schema") AND ("tc"."table_name" = "kc"."table_name") WHERE "tc"."constraint_type" = 'PRIMARY KEY') AS "pk" ON ("c"."table_schema" = "pk"."table_schema") AND ("c"."table_name" = "pk"."table_name") AND ("c"."column_name" = "pk"."column_name") WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND ("c"."table_schema" IN ('app', 'public')) ORDER BY "table-schema", "table-name", "database-position"
;
-- [simple]
SELECT "fk_ns"."nspname" AS "fk-table-schema", "fk_table"."relname" AS "fk-table-name", "fk_column"."attname" AS "fk-column-name", "pk_ns"."nspname" AS "pk-table-schema", "pk_table"."relname" AS "pk-table-name", "pk_column"."attname" AS "pk-column-name" FROM "pg_constraint" AS "c" INNER JOIN "pg_class" AS "fk_table" ON "c"."conrelid" = "fk_table"."oid" INNER JOIN "pg_namespace" AS "fk_ns" ON "c"."connamespace" = "fk_ns"."oid" INNER JOIN "pg_attribute" AS "fk_column" ON "c"."conrelid" = "fk_column"."attrelid" INNER JOIN "pg_class" AS "pk_table" ON "c"."confrelid" = "pk_table"."oid" INNER JOIN "pg_namespace" AS "pk_ns" ON "pk_table"."relnamespace" = "pk_ns"."oid" INNER JOIN "pg_attribute" AS "pk_column" ON "c"."confrelid" = "pk_column"."attrelid" WHERE fk_ns.nspname !~ '^information_schema|catalog_history|pg_' AND "c"."contype" = 'f'::char AND "fk_column"."attnum" = ANY(c.conkey) AND "pk_column"."attnum" = ANY(c.confkey) ORDER BY "fk-table-schema" ASC, "fk-table-name" ASC, "fk-column-name", "pk-column-name"
;
-- [simple]
SELECT tmp.table_schema, tmp.table_name, trim(both '"' from pg_catalog.pg_get_indexdef(tmp.ci_oid, tmp.pos, false)) AS field_name FROM (SELECT n.nspname AS table_schema, ct.relname AS table_name, ci.oid AS ci_oid, (information_schema._pg_expandarray(i.indkey)).n AS pos FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (ct.oid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE pg_catalog.pg_get_expr(i.indpred, i.indrelid) IS NULL AND n.nspname !~ '^information_schema|catalog_history|pg_') tmp WHERE tmp.pos = 1 ORDER BY 1, 2, 3
;
-- CLIENT: Superset and SQLAlchemy 2
-- [simple]
SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p']) AND pg_catalog.pg_class.relpersistence != 't' AND pg_catalog.pg_namespace.nspname = 'app' ORDER BY 1
;
-- [simple]
SELECT pg_catalog.pg_attribute.attname AS name, pg_catalog.format_type(pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod) AS format_type, (SELECT pg_catalog.pg_get_expr(pg_catalog.pg_attrdef.adbin, pg_catalog.pg_attrdef.adrelid) AS pg_get_expr_1 FROM pg_catalog.pg_attrdef WHERE pg_catalog.pg_attrdef.adrelid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attrdef.adnum = pg_catalog.pg_attribute.attnum AND pg_catalog.pg_attribute.atthasdef) AS "default", pg_catalog.pg_attribute.attnotnull AS not_null, pg_catalog.pg_class.relname AS table_name, pg_catalog.pg_description.description AS comment, pg_catalog.pg_attribute.attgenerated AS generated, (SELECT json_build_object('always', pg_catalog.pg_attribute.attidentity = 'a', 'start', pg_catalog.pg_sequence.seqstart, 'increment', pg_catalog.pg_sequence.seqincrement, 'minvalue', pg_catalog.pg_sequence.seqmin, 'maxvalue', pg_catalog.pg_sequence.seqmax, 'cache', pg_catalog.pg_sequence.seqcache, 'cycle', pg_catalog.pg_sequence.seqcycle) AS json_build_object_1 FROM pg_catalog.pg_sequence WHERE pg_catalog.pg_attribute.attidentity != '' AND pg_catalog.pg_sequence.seqrelid = CAST(CAST(pg_catalog.pg_get_serial_sequence(CAST(CAST(pg_catalog.pg_attribute.attrelid AS REGCLASS) AS TEXT), pg_catalog.pg_attribute.attname) AS REGCLASS) AS OID)) AS identity_options FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attribute.attnum > 0 AND NOT pg_catalog.pg_attribute.attisdropped LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_description.objsubid = pg_catalog.pg_attribute.attnum JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relkind IN ('r', 'p', 'f', 'v', 'm') AND pg_catalog.pg_namespace.nspname = 'app' ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_attribute.attnum
;
-- [simple]
SELECT attr.conrelid, array_agg(CAST(attr.attname AS TEXT) ORDER BY attr.ord) AS cols, attr.conname, min(attr.description) AS description, NULL AS extra FROM (SELECT con.conrelid AS conrelid, con.conname AS conname, con.conindid AS conindid, con.description AS description, con.ord AS ord, pg_catalog.pg_attribute.attname AS attname FROM pg_catalog.pg_attribute JOIN (SELECT pg_catalog.pg_constraint.conrelid AS conrelid, pg_catalog.pg_constraint.conname AS conname, pg_catalog.pg_constraint.conindid AS conindid, unnest(pg_catalog.pg_constraint.conkey) AS attnum, generate_subscripts(pg_catalog.pg_constraint.conkey, 1) AS ord, pg_catalog.pg_description.description AS description FROM pg_catalog.pg_constraint LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_constraint.oid WHERE pg_catalog.pg_constraint.contype = 'p' AND pg_catalog.pg_constraint.conrelid IN ('app.customer'::regclass, 'app.item'::regclass)) AS con ON pg_catalog.pg_attribute.attnum = con.attnum AND pg_catalog.pg_attribute.attrelid = con.conrelid WHERE con.conrelid IN ('app.customer'::regclass, 'app.item'::regclass)) AS attr GROUP BY attr.conrelid, attr.conname ORDER BY attr.conrelid::regclass::text, attr.conname
;
-- [simple]
SELECT pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname, CASE WHEN (pg_catalog.pg_constraint.oid IS NOT NULL) THEN pg_catalog.pg_get_constraintdef(pg_catalog.pg_constraint.oid, true) END AS anon_1, nsp_ref.nspname, pg_catalog.pg_description.description FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_constraint ON pg_catalog.pg_class.oid = pg_catalog.pg_constraint.conrelid AND pg_catalog.pg_constraint.contype = 'f' LEFT OUTER JOIN pg_catalog.pg_class AS pg_class_ref ON pg_class_ref.oid = pg_catalog.pg_constraint.confrelid LEFT OUTER JOIN pg_catalog.pg_namespace AS nsp_ref ON pg_class_ref.relnamespace = nsp_ref.oid LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_constraint.oid WHERE pg_catalog.pg_class.relkind IN ('r', 'p') AND pg_catalog.pg_class.relnamespace = 'app'::regnamespace ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname
;
-- [simple]
SELECT pg_catalog.pg_index.indrelid, pg_class_index.relname AS relname_index, pg_catalog.pg_index.indisunique, pg_catalog.pg_constraint.conrelid IS NOT NULL AS has_constraint, pg_catalog.pg_index.indoption, pg_class_index.reloptions, pg_catalog.pg_am.amname, CASE WHEN (pg_catalog.pg_index.indpred IS NOT NULL) THEN pg_catalog.pg_get_expr(pg_catalog.pg_index.indpred, pg_catalog.pg_index.indrelid) END AS filter_definition, pg_catalog.pg_index.indnkeyatts, pg_catalog.pg_index.indnullsnotdistinct, idx_cols.elements, idx_cols.elements_is_expr FROM pg_catalog.pg_index JOIN pg_catalog.pg_class AS pg_class_index ON pg_catalog.pg_index.indexrelid = pg_class_index.oid JOIN pg_catalog.pg_am ON pg_class_index.relam = pg_catalog.pg_am.oid LEFT OUTER JOIN (SELECT idx_attr.indexrelid AS indexrelid, array_agg(CASE WHEN (idx_attr.attnum = 0) THEN pg_catalog.pg_get_indexdef(idx_attr.indexrelid, idx_attr.ord + 1, true) ELSE CAST(pg_catalog.pg_attribute.attname AS TEXT) END ORDER BY idx_attr.ord) AS elements, array_agg(idx_attr.attnum = 0 ORDER BY idx_attr.ord) AS elements_is_expr FROM (SELECT pg_catalog.pg_index.indexrelid AS indexrelid, pg_catalog.pg_index.indrelid AS indrelid, unnest(pg_catalog.pg_index.indkey) AS attnum, generate_subscripts(pg_catalog.pg_index.indkey, 1) AS ord FROM pg_catalog.pg_index WHERE NOT pg_catalog.pg_index.indisprimary AND pg_catalog.pg_index.indrelid IN ('app.customer'::regclass, 'app.orders'::regclass)) AS idx_attr LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_attribute.attnum = idx_attr.attnum AND pg_catalog.pg_attribute.attrelid = idx_attr.indrelid GROUP BY idx_attr.indexrelid) AS idx_cols ON pg_catalog.pg_index.indexrelid = idx_cols.indexrelid LEFT OUTER JOIN pg_catalog.pg_constraint ON pg_catalog.pg_index.indrelid = pg_catalog.pg_constraint.conrelid AND pg_catalog.pg_index.indexrelid = pg_catalog.pg_constraint.conindid AND pg_catalog.pg_constraint.contype = ANY (ARRAY['p', 'u', 'x']) WHERE pg_catalog.pg_index.indrelid IN ('app.customer'::regclass, 'app.orders'::regclass) AND NOT pg_catalog.pg_index.indisprimary ORDER BY pg_catalog.pg_index.indrelid::regclass::text, pg_class_index.relname
;
-- [simple]
SELECT pg_catalog.pg_type.typname AS name, pg_catalog.pg_type_is_visible(pg_catalog.pg_type.oid) AS visible, pg_catalog.pg_namespace.nspname AS schema, lbl_agg.labels AS labels FROM pg_catalog.pg_type JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_type.typnamespace LEFT OUTER JOIN (SELECT pg_catalog.pg_enum.enumtypid AS enumtypid, array_agg(CAST(pg_catalog.pg_enum.enumlabel AS TEXT) ORDER BY pg_catalog.pg_enum.enumsortorder) AS labels FROM pg_catalog.pg_enum GROUP BY pg_catalog.pg_enum.enumtypid) AS lbl_agg ON pg_catalog.pg_type.oid = lbl_agg.enumtypid WHERE pg_catalog.pg_type.typtype = 'e' ORDER BY pg_catalog.pg_namespace.nspname, pg_catalog.pg_type.typname
;
-- [simple]
SELECT pg_catalog.pg_type.typname AS name, pg_catalog.format_type(pg_catalog.pg_type.typbasetype, pg_catalog.pg_type.typtypmod) AS attype, NOT pg_catalog.pg_type.typnotnull AS nullable, pg_catalog.pg_type.typdefault AS "default", domain_constraints.condefs, domain_constraints.connames FROM pg_catalog.pg_type LEFT OUTER JOIN (SELECT pg_catalog.pg_constraint.contypid AS contypid, array_agg(pg_catalog.pg_get_constraintdef(pg_catalog.pg_constraint.oid, true)) AS condefs, array_agg(CAST(pg_catalog.pg_constraint.conname AS TEXT)) AS connames FROM pg_catalog.pg_constraint WHERE pg_catalog.pg_constraint.contypid != 0 GROUP BY pg_catalog.pg_constraint.contypid) AS domain_constraints ON pg_catalog.pg_type.oid = domain_constraints.contypid WHERE pg_catalog.pg_type.typtype = 'd' AND typnamespace = 'app'::regnamespace ORDER BY 1
;
-- CLIENT: Tableau and Power BI (ODBC, Npgsql)
-- [simple]
BEGIN; SET DateStyle = 'ISO'; SET extra_float_digits = 2; SHOW transaction_isolation; COMMIT
;
-- [simple]
SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid FROM (SELECT typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typrelid, typ.typnotnull, typ.relkind, elemtyp.oid AS elemtypoid, elemtyp.typname AS elemtypname, elemcls.relkind AS elemrelkind, CASE WHEN elemproc.proname = 'array_recv' THEN 'a' ELSE elemtyp.typtype END AS elemtyptype FROM (SELECT typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid, CASE WHEN proc.proname = 'array_recv' THEN 'a' ELSE typ.typtype END AS typtype, CASE WHEN proc.proname = 'array_recv' THEN typ.typelem WHEN typ.typtype = 'r' THEN rngsubtype WHEN typ.typtype = 'm' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = typ.oid) WHEN typ.typtype = 'd' THEN typ.typbasetype END AS elemtypoid FROM pg_type AS typ LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid) LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)) AS typ LEFT JOIN pg_type AS elemtyp ON elemtyp.oid = elemtypoid LEFT JOIN pg_class AS elemcls ON (elemcls.oid = elemtyp.typrelid) LEFT JOIN pg_proc AS elemproc ON elemproc.oid = elemtyp.typreceive) AS t JOIN pg_namespace AS ns ON (ns.oid = typnamespace) WHERE ns.nspname <> 'pg_catalog' AND ns.nspname <> 'information_schema' AND (typtype IN ('b', 'r', 'm', 'e', 'd') OR (typtype = 'c' AND relkind = 'c') OR (typtype = 'p' AND typname IN ('record', 'void', 'unknown')) OR (typtype = 'a' AND (elemtyptype IN ('b', 'r', 'm', 'e', 'd') OR (elemtyptype = 'p' AND elemtypname IN ('record', 'void')) OR (elemtyptype = 'c' AND elemrelkind = 'c')))) ORDER BY CASE WHEN typtype IN ('b', 'e', 'p') THEN 0 WHEN typtype = 'c' THEN 1 WHEN typtype = 'r' THEN 2 WHEN typtype = 'm' THEN 3 WHEN typtype = 'd' AND elemtyptype <> 'a' THEN 4 WHEN typtype = 'a' THEN 5 END, t.typname
;
-- [simple]
SELECT typ.typname, att.attname, att.atttypid FROM pg_type AS typ JOIN pg_namespace AS ns ON (ns.oid = typ.typnamespace) JOIN pg_class AS cls ON (cls.oid = typ.typrelid) JOIN pg_attribute AS att ON (att.attrelid = typ.typrelid) WHERE (typ.typtype = 'c' AND cls.relkind = 'c') AND attnum > 0 AND NOT attisdropped ORDER BY typ.typname, att.attnum
;
-- [simple]
SELECT pg_type.typname, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid ORDER BY pg_type.typname, enumsortorder
;
-- [simple]
DISCARD ALL
;
-- [simple]
BEGIN; DECLARE "SQL_CUR01" CURSOR WITH HOLD FOR SELECT name, count(*) AS n FROM public.users GROUP BY 1 ORDER BY 1; FETCH 3 IN "SQL_CUR01"; COMMIT; FETCH 100 IN "SQL_CUR01"; CLOSE "SQL_CUR01"
;
-- [simple]
SELECT current_database() AS table_catalog, table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 2, 3
;
-- [simple]
SELECT COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, CASE WHEN (data_type LIKE '%unsigned%') THEN DATA_TYPE || ' unsigned' ELSE DATA_TYPE END AS DATA_TYPE, character_maximum_length, numeric_precision, numeric_scale, datetime_precision, interval_type, udt_name, collation_name, domain_name FROM INFORMATION_SCHEMA.columns WHERE TABLE_SCHEMA = 'app' AND TABLE_NAME = 'customer' ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
;
-- [simple]
SELECT pkcol.COLUMN_NAME AS PK_COLUMN_NAME, fkcol.TABLE_SCHEMA AS FK_TABLE_SCHEMA, fkcol.TABLE_NAME AS FK_TABLE_NAME, fkcol.COLUMN_NAME AS FK_COLUMN_NAME, fkcol.ORDINAL_POSITION AS ORDINAL, fkcon.CONSTRAINT_SCHEMA || '_' || fkcol.TABLE_NAME || '_' || pkcol.TABLE_NAME || '_' || fkcon.CONSTRAINT_NAME AS FK_NAME FROM (SELECT DISTINCT constraint_catalog, constraint_schema, unique_constraint_schema, constraint_name, unique_constraint_name FROM INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS) fkcon INNER JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE fkcol ON fkcon.CONSTRAINT_SCHEMA = fkcol.CONSTRAINT_SCHEMA AND fkcon.CONSTRAINT_NAME = fkcol.CONSTRAINT_NAME INNER JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE pkcol ON fkcon.UNIQUE_CONSTRAINT_SCHEMA = pkcol.CONSTRAINT_SCHEMA AND fkcon.UNIQUE_CONSTRAINT_NAME = pkcol.CONSTRAINT_NAME WHERE pkcol.TABLE_SCHEMA = 'app' AND pkcol.ORDINAL_POSITION = fkcol.ORDINAL_POSITION ORDER BY FK_NAME, fkcol.ORDINAL_POSITION
;
-- CLIENT: Prisma migrate
-- [parse]
SELECT EXISTS(SELECT 1 FROM pg_namespace WHERE nspname = $1), version() IS NOT NULL, current_setting('server_version_num')::integer AS numeric_version
;
-- [parse]
SELECT tbl.relname AS table_name, namespace.nspname AS namespace, (tbl.relhassubclass AND tbl.relkind = 'p') AS is_partition, (tbl.relhassubclass AND tbl.relkind = 'r') AS has_subclass, tbl.relrowsecurity AS has_row_level_security, reloptions, obj_description(tbl.oid, 'pg_class') AS description FROM pg_class AS tbl INNER JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace WHERE (tbl.relkind = 'r' OR tbl.relkind = 'p') AND namespace.nspname = ANY ($1) ORDER BY namespace, table_name
;
-- [parse]
SELECT oid.namespace, info.table_name, info.column_name, format_type(att.atttypid, att.atttypmod) AS formatted_type, info.numeric_precision, info.numeric_scale, info.numeric_precision_radix, info.datetime_precision, info.data_type, info.udt_schema AS type_schema_name, info.udt_name AS full_data_type, pg_get_expr(attdef.adbin, attdef.adrelid) AS column_default, info.is_nullable, info.is_identity, info.character_maximum_length, col_description(att.attrelid, ordinal_position) AS description FROM information_schema.columns info JOIN pg_attribute att ON att.attname = info.column_name JOIN (SELECT pg_class.oid, relname, pg_namespace.nspname AS namespace FROM pg_class JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace AND pg_namespace.nspname = ANY ($1) WHERE reltype > 0) AS oid ON oid.oid = att.attrelid AND relname = info.table_name AND namespace = info.table_schema LEFT OUTER JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid AND attdef.adnum = att.attnum AND table_schema = namespace WHERE table_schema = ANY ($1) ORDER BY namespace, table_name, ordinal_position
;
-- [parse]
WITH rawindex AS (SELECT indrelid, indexrelid, indisunique, indisprimary, unnest(indkey) AS indkeyid, generate_subscripts(indkey, 1) AS indkeyidx, unnest(indclass) AS indclass, unnest(indoption) AS indoption FROM pg_index WHERE indpred IS NULL AND NOT indisexclusion) SELECT schemainfo.nspname AS namespace, indexinfo.relname AS index_name, tableinfo.relname AS table_name, columninfo.attname AS column_name, rawindex.indisunique AS is_unique, rawindex.indisprimary AS is_primary_key, rawindex.indkeyidx AS column_index, opclass.opcname AS opclass, opclass.opcdefault AS opcdefault, indexaccess.amname AS index_algo, CASE rawindex.indoption & 1 WHEN 1 THEN 'DESC' ELSE 'ASC' END AS column_order, CASE rawindex.indoption & 2 WHEN 2 THEN true ELSE false END AS nulls_first, pc.condeferrable AS condeferrable, pc.condeferred AS condeferred FROM rawindex INNER JOIN pg_class AS tableinfo ON tableinfo.oid = rawindex.indrelid INNER JOIN pg_class AS indexinfo ON indexinfo.oid = rawindex.indexrelid INNER JOIN pg_namespace AS schemainfo ON schemainfo.oid = tableinfo.relnamespace LEFT JOIN pg_attribute AS columninfo ON columninfo.attrelid = tableinfo.oid AND columninfo.attnum = rawindex.indkeyid INNER JOIN pg_am AS indexaccess ON indexaccess.oid = indexinfo.relam LEFT JOIN pg_opclass AS opclass ON opclass.oid = rawindex.indclass LEFT JOIN pg_constraint pc ON rawindex.indexrelid = pc.conindid AND pc.contype <> 'f' WHERE schemainfo.nspname = ANY ($1) AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indexrelid = rawindex.indexrelid AND i.indexprs IS NOT NULL) ORDER BY namespace, table_name, index_name, column_index
;
-- [parse]
SELECT con.oid AS con_id, child, parent, conname, confdeltype, confupdtype, condeferrable, condeferred, att2.attname AS child_column, cl.relname AS parent_table, att.attname AS parent_column, con.nsp AS namespace FROM (SELECT ns.nspname AS nsp, unnest(con1.conkey) AS parent, unnest(con1.confkey) AS child, cl.relname AS tbl, con1.* FROM pg_class cl JOIN pg_constraint con1 ON con1.conrelid = cl.oid JOIN pg_namespace ns ON ns.oid = cl.relnamespace WHERE ns.nspname = ANY ($1) AND con1.contype = 'f') con JOIN pg_attribute att ON att.attrelid = con.confrelid AND att.attnum = con.child JOIN pg_class cl ON cl.oid = con.confrelid JOIN pg_attribute att2 ON att2.attrelid = con.conrelid AND att2.attnum = con.parent ORDER BY namespace, conname, parent
;
-- [simple]
SELECT pg_advisory_lock(72707369); SELECT pg_advisory_unlock(72707369)
;
-- [simple]
SELECT extname AS extension_name, extversion AS extension_version, extrelocatable AS extension_relocatable, pn.nspname AS extension_schema FROM pg_extension pe INNER JOIN pg_namespace pn ON pe.extnamespace = pn.oid ORDER BY extname ASC
;
-- [parse]
SELECT p.proname AS name, n.nspname AS namespace, CASE WHEN l.lanname = 'internal' THEN p.prosrc ELSE pg_get_functiondef(p.oid) END AS definition FROM pg_proc p LEFT JOIN pg_namespace n ON p.pronamespace = n.oid LEFT JOIN pg_language l ON p.prolang = l.oid WHERE n.nspname = ANY ($1) AND p.prokind NOT IN ('a', 'w') ORDER BY 1
;
-- [parse]
SELECT views.viewname AS view_name, views.definition AS view_sql, views.schemaname AS namespace, obj_description(class.oid, 'pg_class') AS description FROM pg_catalog.pg_views views INNER JOIN pg_catalog.pg_namespace ns ON views.schemaname = ns.nspname INNER JOIN pg_catalog.pg_class class ON class.relnamespace = ns.oid AND class.relname = views.viewname WHERE schemaname = ANY ($1) ORDER BY 3, 1
;
-- CLIENT: Hasura
-- [simple]
SELECT coalesce(json_agg(json_build_object('schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'columns', (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'position', a.attnum, 'type', coalesce(bt.typname, t.typname), 'nullable', NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)), 'default', a.atthasdef, 'identity', a.attidentity) ORDER BY a.attnum), '[]') FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type bt ON t.typtype = 'd' AND t.typbasetype = bt.oid WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), 'primary', (SELECT json_build_object('name', k.conname, 'columns', (SELECT json_agg(a.attname ORDER BY u.i) FROM unnest(k.conkey) WITH ORDINALITY u(n, i) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.n)) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')) ORDER BY n.nspname, c.relname), '[]') AS tables FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname IN ('app', 'public')
;
-- [simple]
SELECT jsonb_agg(jsonb_build_object('name', q.constraint_name, 'on', q.table_name, 'mapping', q.mapping) ORDER BY q.constraint_name) FROM (SELECT k.conname AS constraint_name, k.conrelid::regclass::text AS table_name, jsonb_object_agg(a.attname, b.attname) AS mapping FROM pg_constraint k CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS u(l, r) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.l JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.r WHERE k.contype = 'f' GROUP BY 1, 2) q
;
-- [simple]
SELECT p.proname, array_to_json(coalesce(p.proallargtypes, p.proargtypes::oid[])::regtype[]::text[]) AS types, to_json(p.proargnames) AS names, p.provariadic <> 0 AS is_variadic, p.proretset, p.pronargdefaults, CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END AS volatility FROM pg_proc p WHERE p.pronamespace = 'app'::regnamespace AND p.prokind = 'f' AND NOT EXISTS (SELECT 1 FROM pg_aggregate g WHERE g.aggfnoid = p.oid) ORDER BY 1
;
-- [simple]
CREATE SCHEMA hdb_catalog; CREATE TABLE hdb_catalog.hdb_version (hasura_uuid uuid primary key default gen_random_uuid(), version text not null, upgraded_on timestamptz not null, cli_state jsonb not null default '{}'::jsonb, console_state jsonb not null default '{}'::jsonb); CREATE UNIQUE INDEX hdb_version_one_row ON hdb_catalog.hdb_version ((version IS NOT NULL)); INSERT INTO hdb_catalog.hdb_version (version, upgraded_on) VALUES ('48', now()); DROP SCHEMA hdb_catalog CASCADE
;
-- CLIENT: PostgREST
-- [parse]
SELECT set_config('search_path', $1, true), set_config('role', $2, true) IS NULL AS x, set_config('request.jwt.claims', $3, true), set_config('request.method', $4, true)
;
-- [simple]
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SELECT set_config('role', 'tool_reader', true), set_config('request.path', '/customer', true); WITH pgrst_source AS (SELECT customer.id, customer.email FROM app.customer WHERE customer.id > 98 ORDER BY customer.id) SELECT null::bigint AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, coalesce(json_agg(_postgrest_t), '[]') AS body, nullif(current_setting('response.headers', true), '') AS response_headers, nullif(current_setting('response.status', true), '') AS response_status FROM (SELECT * FROM pgrst_source) _postgrest_t; COMMIT
;
-- [simple]
WITH base_types AS (WITH RECURSIVE recurse AS (SELECT oid, typbasetype, COALESCE(NULLIF(typbasetype, 0), oid) AS base FROM pg_type UNION SELECT t.oid, b.typbasetype, COALESCE(NULLIF(b.typbasetype, 0), b.oid) AS base FROM recurse t JOIN pg_type b ON t.typbasetype = b.oid) SELECT oid, base FROM recurse WHERE typbasetype = 0), columns AS (SELECT nc.nspname::name AS table_schema, c.relname::name AS table_name, a.attname::name AS column_name, d.description AS description, CASE WHEN t.typbasetype != 0 THEN pg_get_expr(t.typdefaultbin, 0) WHEN a.attidentity = 'd' THEN format('nextval(%L)', 'seq') WHEN a.attgenerated = 's' THEN null ELSE pg_get_expr(ad.adbin, ad.adrelid)::text END AS column_default, not (a.attnotnull OR t.typtype = 'd' AND t.typnotnull) AS is_nullable, CASE WHEN t.typtype = 'd' THEN CASE WHEN bt.typnamespace = 'pg_catalog'::regnamespace THEN format_type(bt.oid, NULL::integer) ELSE format_type(a.atttypid, a.atttypmod) END ELSE CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN format_type(a.atttypid, NULL::integer) ELSE format_type(a.atttypid, a.atttypmod) END END::text AS data_type, format_type(a.atttypid, a.atttypmod)::text AS nominal_data_type, information_schema._pg_char_max_length(information_schema._pg_truetypid(a.*, t.*), information_schema._pg_truetypmod(a.*, t.*))::integer AS character_maximum_length, bt.oid IS NOT NULL AS base_type, a.attnum::integer AS position FROM pg_attribute a LEFT JOIN pg_description AS d ON d.objoid = a.attrelid AND d.objsubid = a.attnum AND d.classoid = 'pg_class'::regclass LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum JOIN (pg_class c JOIN pg_namespace nc ON c.relnamespace = nc.oid) ON a.attrelid = c.oid JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN base_types ON t.oid = base_types.oid LEFT JOIN pg_type bt ON base_types.base = bt.oid WHERE NOT pg_is_other_temp_schema(nc.oid) AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'm', 'p') AND nc.nspname = 'app') SELECT * FROM columns ORDER BY table_schema, table_name, position
;
-- [simple]
WITH views AS (SELECT c.oid AS view_id, n.nspname AS view_schema, c.relname AS view_name, r.ev_action AS view_definition FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_rewrite r ON r.ev_class = c.oid WHERE c.relkind IN ('v', 'm') AND n.nspname = 'app') SELECT view_schema, view_name, length(view_definition::text) > 0 AS has_tree FROM views ORDER BY 2
;
-- [simple]
SELECT n.nspname, p.proname, d.description, coalesce(comp.relname, t.typname) AS type_name, p.proretset AS rettype_is_setof, (t.typtype = 'c' OR COALESCE(proargmodes::text[] && '{t,b,o}', false)) AS rettype_is_composite, bt.oid IS NOT NULL, p.provolatile, p.provariadic > 0 AS hasvariadic, lower((regexp_split_to_array((regexp_split_to_array(iso_config, '='))[2], ','))[1]) AS transaction_isolation_level, coalesce(func_settings.kvs, '{}') AS kvs FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_type t ON t.oid = p.prorettype LEFT JOIN pg_type bt ON bt.oid = t.typbasetype LEFT JOIN pg_class comp ON comp.oid = t.typrelid LEFT JOIN pg_description d ON d.objoid = p.oid LEFT JOIN LATERAL unnest(proconfig) iso_config ON iso_config LIKE 'default_transaction_isolation%' LEFT JOIN LATERAL (SELECT array_agg(row(substr(setting, 1, strpos(setting, '=') - 1), substr(setting, strpos(setting, '=') + 1))) AS kvs FROM unnest(proconfig) setting) func_settings ON true WHERE t.oid <> 'trigger'::regtype AND prokind = 'f' AND n.nspname = 'app' ORDER BY 2
;
-- CLIENT: Django inspectdb
-- [parse]
SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END, obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1
;
-- [simple]
SELECT a.attname AS column_name, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable, pg_get_expr(ad.adbin, ad.adrelid) AS column_default, CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation, a.attidentity != '' AS is_autofield, col_description(a.attrelid, a.attnum) AS column_comment FROM pg_attribute a LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT JOIN pg_collation co ON a.attcollation = co.oid JOIN pg_type t ON a.atttypid = t.oid JOIN pg_class c ON a.attrelid = c.oid JOIN pg_namespace n ON c.relnamespace = n.oid WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND c.relname = 'users' AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY a.attnum
;
-- [simple]
SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx) JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx), c.contype, (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka JOIN pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]), cl.reloptions FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = 'posts' AND pg_catalog.pg_table_is_visible(cl.oid) ORDER BY 1
;
-- [simple]
SELECT indexname, array_agg(attname ORDER BY arridx), indisunique, indisprimary, array_agg(ordering ORDER BY arridx), amname, exprdef, s2.attoptions FROM (SELECT c2.relname AS indexname, idx.*, attr.attname, am.amname, CASE WHEN idx.indexprs IS NOT NULL THEN pg_get_indexdef(idx.indexrelid) END AS exprdef, CASE am.amname WHEN 'btree' THEN CASE (option & 1) WHEN 1 THEN 'DESC' ELSE 'ASC' END END AS ordering, c2.reloptions AS attoptions FROM (SELECT * FROM pg_index i, unnest(i.indkey, i.indoption) WITH ORDINALITY koi(key, option, arridx)) idx LEFT JOIN pg_class c ON idx.indrelid = c.oid LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid LEFT JOIN pg_am am ON c2.relam = am.oid LEFT JOIN pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key WHERE c.relname = 'customer') s2 GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions ORDER BY indexname
;
-- [simple]
SELECT s.relname AS sequence_name, a.attname AS colname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass JOIN pg_attribute a ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum JOIN pg_class tbl ON tbl.oid = d.refobjid AND tbl.relname = 'users' AND pg_catalog.pg_table_is_visible(tbl.oid) WHERE s.relkind = 'S'
;
-- CLIENT: Rails
-- [simple]
SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated AS attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"app"."customer"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
;
-- [simple]
SELECT t2.oid::regclass::text AS to_table, c.conname AS name, c.confupdtype AS on_update, c.confdeltype AS on_delete, c.convalidated AS valid, c.condeferrable AS deferrable, c.condeferred AS deferred, c.conkey, c.confkey, c.conrelid, c.confrelid, a1.attname AS column, a2.attname AS primary_key FROM pg_constraint c JOIN pg_class t1 ON c.conrelid = t1.oid JOIN pg_class t2 ON c.confrelid = t2.oid JOIN pg_attribute a1 ON a1.attnum = c.conkey[1] AND a1.attrelid = t1.oid JOIN pg_attribute a2 ON a2.attnum = c.confkey[1] AND a2.attrelid = t2.oid JOIN pg_namespace n ON c.connamespace = n.oid WHERE c.contype = 'f' AND t1.relname = 'orders' AND n.nspname = 'app' ORDER BY c.conname
;
-- [simple]
SELECT distinct i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), pg_catalog.obj_description(i.oid, 'pg_class') AS comment, d.indisvalid, ARRAY(SELECT pg_get_indexdef(d.indexrelid, k + 1, true) FROM generate_subscripts(d.indkey, 1) AS k ORDER BY k) AS columns FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f' AND t.relname = 'customer' AND n.nspname = ANY (ARRAY['app', 'public']) ORDER BY i.relname
;
-- [simple]
SELECT type.typname AS name, type.oid AS oid, n.nspname AS schema, string_agg(enum.enumlabel, ',' ORDER BY enum.enumsortorder) AS value FROM pg_enum AS enum JOIN pg_type AS type ON (type.oid = enum.enumtypid) JOIN pg_namespace n ON type.typnamespace = n.oid WHERE n.nspname = ANY (ARRAY['app', 'public']) GROUP BY type.oid, n.nspname, type.typname
;
-- [simple]
SELECT conname, pg_get_constraintdef(c.oid, true) AS constraintdef, c.convalidated AS valid FROM pg_constraint c JOIN pg_class t ON c.conrelid = t.oid JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.contype = 'c' AND t.relname = 'customer' AND n.nspname = 'app'
;
-- [simple]
SET standard_conforming_strings = on; SET intervalstyle = iso_8601; SET client_min_messages TO warning; SET SESSION timezone TO 'UTC'; SELECT max_identifier_length FROM (SELECT current_setting('max_identifier_length') AS max_identifier_length) s
;
-- CLIENT: Ecto
-- [simple]
SELECT t.oid, t.typname, t.typsend, t.typreceive, t.typoutput, t.typinput, coalesce(d.typelem, t.typelem), coalesce(r.rngsubtype, 0), ARRAY(SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) FROM pg_type AS t LEFT JOIN pg_type AS d ON t.typbasetype = d.oid LEFT JOIN pg_range AS r ON r.rngtypid = t.oid OR r.rngmultitypid = t.oid OR (t.typbasetype <> 0 AND r.rngtypid = t.typbasetype) WHERE (t.typrelid = 0) AND (t.typelem = 0 OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type s WHERE s.typrelid != 0 AND s.oid = t.typelem)) AND t.oid > 16383 ORDER BY t.typname
;
-- [simple]
CREATE TABLE IF NOT EXISTS schema_migrations (version bigint, inserted_at timestamp(0), PRIMARY KEY (version)); LOCK TABLE schema_migrations IN SHARE UPDATE EXCLUSIVE MODE
;
-- [simple]
BEGIN; CREATE TABLE IF NOT EXISTS schema_migrations (version bigint, inserted_at timestamp(0), PRIMARY KEY (version)); LOCK TABLE schema_migrations IN SHARE UPDATE EXCLUSIVE MODE; INSERT INTO schema_migrations AS s0 (version, inserted_at) VALUES (20240101, '2024-01-01 00:00:00'); SELECT s0.version::bigint FROM schema_migrations AS s0; COMMIT
;
-- CLIENT: Hibernate
-- [simple]
SELECT n.nspname AS table_schem, c.relname AS table_name, a.attname AS column_name, a.atttypid AS data_type, information_schema._pg_truetypid(a.*, t.*) AS true_type, nullif(a.attidentity, '') IS NOT NULL AS is_identity FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid) JOIN pg_catalog.pg_attribute a ON (a.attrelid = c.oid) JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid) WHERE c.relkind IN ('r', 'p', 'v', 'f', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname LIKE 'app' AND c.relname LIKE 'orders' ORDER BY nspname, c.relname, attnum
;
-- [simple]
SELECT sequence_name, sequence_schema, start_value, minimum_value, maximum_value, increment, data_type FROM information_schema.sequences ORDER BY 2, 1
;
-- [parse]
SELECT c1_0.id, c1_0.name FROM public.users c1_0 WHERE c1_0.id = $1 FOR NO KEY UPDATE
;
-- [parse]
SELECT c1_0.id, c1_0.name FROM public.users c1_0 WHERE c1_0.name IN ($1, $2) ORDER BY c1_0.id OFFSET $3 ROWS FETCH FIRST $4 ROWS ONLY
;
-- CLIENT: Flyway
-- [simple]
SELECT set_config('search_path', '', false); SELECT current_setting('search_path')
;
-- [simple]
SELECT EXISTS (SELECT FROM information_schema.tables WHERE table_schema = 'public' AND table_name = 'flyway_schema_history')
;
-- [simple]
CREATE TABLE public.flyway_schema_history (installed_rank integer NOT NULL, version varchar(50), description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum integer, installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(), execution_time integer NOT NULL, success boolean NOT NULL); ALTER TABLE public.flyway_schema_history ADD CONSTRAINT flyway_schema_history_pk PRIMARY KEY (installed_rank); CREATE INDEX flyway_schema_history_s_idx ON public.flyway_schema_history (success)
;
-- [simple]
SELECT pg_try_advisory_xact_lock(77431708279161)
;
-- [parse]
INSERT INTO public.flyway_schema_history (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success) VALUES ($1, $2, $3, 'SQL', $4, $5, current_user, $6, $7)
;
-- [simple]
SELECT t.typname, t.typcategory, t.typtype FROM pg_catalog.pg_type t LEFT JOIN pg_depend dep ON dep.objid = t.oid AND dep.deptype = 'e' WHERE (t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid)) AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type el WHERE el.oid = t.typelem AND el.typarray = t.oid) AND t.typnamespace IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'app') AND dep.objid IS NULL AND t.typtype != 'd' ORDER BY 1
;
-- [simple]
SELECT proname, oidvectortypes(proargtypes) AS args, pg_proc.prokind = 'p' AS isproc, pg_proc.prokind = 'a' AS isagg FROM pg_proc INNER JOIN pg_namespace ns ON (pg_proc.pronamespace = ns.oid) LEFT JOIN pg_depend dep ON dep.objid = pg_proc.oid AND dep.deptype = 'e' WHERE ns.nspname = 'app' AND dep.objid IS NULL ORDER BY 1
;
-- CLIENT: Liquibase
-- [simple]
CREATE TABLE public.databasechangeloglock (ID INTEGER NOT NULL, LOCKED BOOLEAN NOT NULL, LOCKGRANTED TIMESTAMP WITHOUT TIME ZONE, LOCKEDBY VARCHAR(255), CONSTRAINT databasechangeloglock_pkey PRIMARY KEY (ID)); DELETE FROM public.databasechangeloglock; INSERT INTO public.databasechangeloglock (ID, LOCKED) VALUES (1, FALSE); SELECT LOCKED FROM public.databasechangeloglock WHERE ID = 1; UPDATE public.databasechangeloglock SET LOCKED = TRUE, LOCKEDBY = 'me' WHERE ID = 1 AND LOCKED = FALSE
;
-- [simple]
SELECT FK.TABLE_NAME AS "TABLE_NAME", CU.COLUMN_NAME AS "COLUMN_NAME", C.CONSTRAINT_NAME FROM INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS C INNER JOIN INFORMATION_SCHEMA.TABLE_CONSTRAINTS FK ON C.CONSTRAINT_NAME = FK.CONSTRAINT_NAME AND c.CONSTRAINT_SCHEMA = fk.CONSTRAINT_SCHEMA INNER JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE CU ON C.CONSTRAINT_NAME = CU.CONSTRAINT_NAME AND cu.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA WHERE lower(FK.TABLE_SCHEMA) = 'app' ORDER BY 1, 2, 3
;
-- [simple]
SELECT tc.constraint_name, tc.table_name, cc.check_clause FROM information_schema.table_constraints tc JOIN information_schema.check_constraints cc USING (constraint_schema, constraint_name) WHERE tc.table_schema = 'app' AND tc.constraint_name !~ '^[0-9]+_[0-9]+' ORDER BY 2, 1
;
-- [simple]
SELECT con.conname AS constraint_name, pg_get_constraintdef(con.oid) AS check_clause, con.condeferrable FROM pg_constraint con JOIN pg_class tab ON con.conrelid = tab.oid JOIN pg_namespace nsp ON nsp.oid = tab.relnamespace WHERE nsp.nspname = 'app' AND contype IN ('c', 'u') ORDER BY con.conname
;
-- [simple]
SELECT a.attname, pg_get_serial_sequence('app.customer', a.attname) AS seq FROM pg_attribute a WHERE a.attrelid = 'app.customer'::regclass AND a.attnum > 0 ORDER BY a.attnum
;
-- CLIENT: TypeORM, Sequelize, Knex
-- [simple]
SELECT columns.*, pg_catalog.col_description(('"' || table_catalog || '"."' || table_schema || '"."' || table_name || '"')::regclass::oid, ordinal_position) AS description, ('"' || "udt_schema" || '"."' || "udt_name" || '"')::"regtype" AS "regtype", pg_catalog.format_type("col_attr"."atttypid", "col_attr"."atttypmod") AS "format_type" FROM "information_schema"."columns" LEFT JOIN "pg_catalog"."pg_attribute" AS "col_attr" ON "col_attr"."attname" = "columns"."column_name" AND "col_attr"."attrelid" = (SELECT "cls"."oid" FROM "pg_catalog"."pg_class" AS "cls" LEFT JOIN "pg_catalog"."pg_namespace" AS "ns" ON "ns"."oid" = "cls"."relnamespace" WHERE "cls"."relname" = "columns"."table_name" AND "ns"."nspname" = "columns"."table_schema") WHERE table_schema = 'app' AND table_name = 'customer' ORDER BY ordinal_position
;
-- [simple]
SELECT "ns"."nspname" AS "table_schema", "t"."relname" AS "table_name", "cnst"."conname" AS "constraint_name", pg_get_constraintdef("cnst"."oid") AS "expression", CASE "cnst"."contype" WHEN 'p' THEN 'PRIMARY' WHEN 'u' THEN 'UNIQUE' WHEN 'c' THEN 'CHECK' WHEN 'x' THEN 'EXCLUDE' END AS "constraint_type", "a"."attname" AS "column_name" FROM "pg_constraint" "cnst" INNER JOIN "pg_class" "t" ON "t"."oid" = "cnst"."conrelid" INNER JOIN "pg_namespace" "ns" ON "ns"."oid" = "cnst"."connamespace" LEFT JOIN "pg_attribute" "a" ON "a"."attrelid" = "cnst"."conrelid" AND "a"."attnum" = ANY ("cnst"."conkey") WHERE "t"."relkind" IN ('r', 'p') AND (("ns"."nspname" = 'app' AND "t"."relname" = 'customer') OR "ns"."nspname" = 'public') ORDER BY 1, 2, 3, 6
;
-- [simple]
SELECT "con"."conname" AS "constraint_name", "con"."nspname" AS "table_schema", "con"."relname" AS "table_name", "att2"."attname" AS "column_name", "ns"."nspname" AS "referenced_table_schema", "cl"."relname" AS "referenced_table_name", "att"."attname" AS "referenced_column_name", "con"."confdeltype" AS "on_delete", "con"."confupdtype" AS "on_update", "con"."condeferrable" AS "deferrable" FROM (SELECT UNNEST("con1"."conkey") AS "parent", UNNEST("con1"."confkey") AS "child", "con1"."confrelid", "con1"."conrelid", "con1"."conname", "con1"."contype", "ns"."nspname", "cl"."relname", "con1"."condeferrable", CASE "con1"."confdeltype" WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END AS "confdeltype", CASE "con1"."confupdtype" WHEN 'a' THEN 'NO ACTION' WHEN 'c' THEN 'CASCADE' END AS "confupdtype" FROM "pg_class" "cl" INNER JOIN "pg_namespace" "ns" ON "cl"."relnamespace" = "ns"."oid" INNER JOIN "pg_constraint" "con1" ON "con1"."conrelid" = "cl"."oid" WHERE "con1"."contype" = 'f') "con" INNER JOIN "pg_attribute" "att" ON "att"."attrelid" = "con"."confrelid" AND "att"."attnum" = "con"."child" INNER JOIN "pg_class" "cl" ON "cl"."oid" = "con"."confrelid" INNER JOIN "pg_namespace" "ns" ON "cl"."relnamespace" = "ns"."oid" INNER JOIN "pg_attribute" "att2" ON "att2"."attrelid" = "con"."conrelid" AND "att2"."attnum" = "con"."parent" ORDER BY 2, 3, 1
;
-- [simple]
SELECT i.relname AS name, ix.indisprimary AS primary, ix.indisunique AS unique, ix.indkey AS indkey, array_agg(a.attnum ORDER BY a.attnum) AS column_indexes, array_agg(a.attname ORDER BY a.attnum) AS column_names, pg_get_indexdef(ix.indexrelid) AS definition FROM pg_class t, pg_class i, pg_index ix, pg_attribute a WHERE t.oid = ix.indrelid AND i.oid = ix.indexrelid AND a.attrelid = t.oid AND t.relkind = 'r' AND t.relname = 'orders' GROUP BY i.relname, ix.indexrelid, ix.indisprimary, ix.indisunique, ix.indkey ORDER BY i.relname
;
-- [simple]
SELECT pk.constraint_type AS "Constraint", c.column_name AS "Field", c.column_default AS "Default", c.is_nullable AS "Null", (CASE WHEN c.udt_name = 'hstore' THEN c.udt_name ELSE c.data_type END) || (CASE WHEN c.character_maximum_length IS NOT NULL THEN '(' || c.character_maximum_length || ')' ELSE '' END) AS "Type", (SELECT array_agg(e.enumlabel) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_enum e ON t.oid = e.enumtypid WHERE t.typname = c.udt_name) AS "special", (SELECT pgd.description FROM pg_catalog.pg_statio_all_tables AS st INNER JOIN pg_catalog.pg_description pgd ON (pgd.objoid = st.relid) WHERE c.ordinal_position = pgd.objsubid AND c.table_name = st.relname) AS "Comment" FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, cu.column_name, tc.constraint_type FROM information_schema.TABLE_CONSTRAINTS tc JOIN information_schema.KEY_COLUMN_USAGE cu ON tc.table_schema = cu.table_schema AND tc.table_name = cu.table_name AND tc.constraint_name = cu.constraint_name AND tc.constraint_type = 'PRIMARY KEY') pk ON pk.table_schema = c.table_schema AND pk.table_name = c.table_name AND pk.column_name = c.column_name WHERE c.table_name = 'customer' AND c.table_schema = 'app' ORDER BY c.ordinal_position
;
-- [parse]
select "tablename" from "pg_catalog"."pg_tables" where "schemaname" = $1 order by 1
;
-- [parse]
select * from information_schema.columns where table_name = $1 and table_schema = current_schema()
;
-- [simple]
SELECT proc.proname, trg.tgname, trg.tgenabled, CASE WHEN trg.tgtype & 2 > 0 THEN 'before' ELSE 'after' END AS timing, event_object_table, action_statement, event_manipulation, action_orientation, action_condition, action_order FROM pg_trigger trg JOIN pg_proc proc ON proc.oid = trg.tgfoid JOIN information_schema.triggers i ON i.trigger_name = trg.tgname WHERE NOT trg.tgisinternal ORDER BY 2, 7
;
-- CLIENT: Monitoring
-- [simple]
SELECT datname, numbackends >= 0, xact_commit >= 0, blks_hit >= 0, deadlocks, temp_files >= 0, conflicts, stats_reset IS NULL OR true FROM pg_stat_database WHERE datname = current_database()
;
-- [simple]
SELECT checkpoints_timed >= 0 AND buffers_checkpoint >= 0 AS ok, maxwritten_clean, buffers_backend_fsync FROM pg_stat_bgwriter
;
-- [simple]
SELECT slot_name, plugin, slot_type, active, restart_lsn FROM pg_replication_slots; SELECT pid, client_addr, state, sent_lsn, sync_state FROM pg_stat_replication; SELECT archived_count, failed_count FROM pg_stat_archiver
;
-- [simple]
SELECT current_database() AS db, schemaname, relname, COALESCE(last_vacuum, '1970-01-01'::timestamptz) IS NOT NULL, n_mod_since_analyze >= 0, pg_total_relation_size(relid) >= 0 FROM pg_stat_user_tables ORDER BY 2, 3
;
-- [simple]
SELECT tmp.mode, COALESCE(tmp2.count, 0) >= 0 AS counted FROM (VALUES ('accesssharelock'), ('rowsharelock'), ('rowexclusivelock')) AS tmp(mode) LEFT JOIN (SELECT lower(mode) AS mode, count(*) AS count FROM pg_locks WHERE database IS NOT NULL GROUP BY lower(mode)) AS tmp2 ON tmp.mode = tmp2.mode ORDER BY 1
;
-- [simple]
SELECT name, setting, unit, category IS NOT NULL, short_desc IS NOT NULL, vartype FROM pg_settings WHERE name IN ('work_mem', 'statement_timeout', 'search_path', 'fsync') ORDER BY 1
;
-- [simple]
SELECT quote_ident(table_schema) AS s FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache') AND table_type = 'BASE TABLE' AND quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1), array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS i, string_to_array(current_setting('search_path'), ',') s) GROUP BY 1
;
-- [simple]
SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns WHERE CASE WHEN array_length(parse_ident('app.orders'), 1) = 2 THEN quote_ident(table_schema) = (parse_ident('app.orders'))[1] AND quote_ident(table_name) = (parse_ident('app.orders'))[2] ELSE quote_ident(table_name) = 'app.orders' END ORDER BY 1
;

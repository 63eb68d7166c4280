select count(*), sum(balance), sum(twice), max(born), max(seen), min(uid::text), count(distinct feels), sum((attrs->>'k')::integer) from app.customer
select count(*), sum(total), count(*) filter (where total = -1), min(note), max(id) from app.orders
select email from app.customer where lower(email) = 'u77@x'
select count(*) from app.orders where total > 4000
select * from wide order by id
select * from app.by_mood order by 1
select id from app.rich order by id desc limit 2
select app.add_one(41), obj_description('app.customer'::regclass), has_table_privilege('kept_reader', 'app.customer', 'select')
select lo_get(4711)
select x from after_checkpoint order by x
select nextval('app.customer_id_seq') > 500
insert into app.orders (customer_id) values (1) returning note, id > 3000
insert into app.customer (email) values ('u1@x')
insert into app.orders (customer_id) values (100000)
select conname, contype, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'app.customer'::regclass order by 1

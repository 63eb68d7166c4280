alter table dates add primary key (d_datekey);
alter table customer add primary key (c_custkey);
alter table supplier add primary key (s_suppkey);
alter table part add primary key (p_partkey);
alter table lineorder add primary key (lo_orderkey, lo_linenumber);

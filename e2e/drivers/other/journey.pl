# Perl: DBI with DBD::Pg.
use strict;
use warnings;
use utf8;
use DBI;
use DBD::Pg qw(:pg_types :async);
binmode STDOUT, ':utf8';
$| = 1;

my $failed = 0;
my $source = "dbi:Pg:host=$ENV{PGHOST};port=$ENV{PGPORT};dbname=$ENV{PGDATABASE};sslmode=verify-ca;sslrootcert=$ENV{JOURNEY_CERTIFICATE}";
my %options = (RaiseError => 1, PrintError => 0, AutoCommit => 1, pg_enable_utf8 => 1);
my $db = DBI->connect($source, $ENV{PGUSER}, $ENV{PGPASSWORD}, {%options});

sub step {
    my ($name, $work) = @_;
    if (eval { $work->(); 1 }) { print "ok   $name\n"; return }
    my $message = $@;
    $message =~ s/\s+/ /g;
    $failed++;
    print "FAIL $name: $message\n";
    $db->rollback unless $db->{AutoCommit};
}

sub equal {
    my ($found, $wanted) = map { $_ // 'null' } @_;
    die "$found instead of $wanted (line " . (caller)[2] . ")" unless $found eq $wanted;
}

sub fails {
    my ($code, $work) = @_;
    my $ok = eval { $work->(); 1 };
    die "no error, $code was expected" if $ok;
    equal($db->state, $code);
}
sub one { return ($db->selectrow_array(@_))[0] }

step 'connect over TLS with SCRAM' => sub {
    equal(one('select ssl from pg_stat_ssl where pid = pg_backend_pid()'), 1);
    equal(int($db->{pg_server_version} / 10000), 15);
};

step 'types round trip' => sub {
    my $text = "Zoë 漢字 🙂 \\ ' \"";
    my $bytes = join '', map { chr } 0 .. 255;
    my $statement = $db->prepare('select ?::int8, ?::int8, ?::numeric, ?::text, ?::bytea, ?::date, ?::uuid, ?::int[], ?::text[], ?::text, ?::bool, ?::float8, ?::jsonb');
    my @values = ('-9223372036854775808', '9223372036854775807', '12345678901234567890.123456789', $text);
    $statement->bind_param($_ + 1, $values[$_]) for 0 .. 3;
    $statement->bind_param(5, $bytes, {pg_type => PG_BYTEA});
    my @more = ('2024-02-29', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', [1, 2, undef], ['a,b', '"q"', 'NULL'], undef, 't', 0.1, '{"a": [1, null]}');
    $statement->bind_param($_ + 6, $more[$_]) for 0 .. $#more;
    $statement->execute;
    my $row = $statement->fetchrow_arrayref;
    equal($row->[$_], $values[$_]) for 0 .. 3;
    equal($row->[4], $bytes);
    equal($row->[5], '2024-02-29');
    equal($row->[7][1], 2);
    equal($row->[7][2], undef);
    equal(join('|', @{$row->[8]}), 'a,b|"q"|NULL');
    equal($row->[9], undef);
    equal($row->[10], 1);
    equal($row->[11], 0.1);
    equal($row->[12], '{"a": [1, null]}');
};

step 'definitions' => sub {
    $db->do('create table customer (id serial primary key, email text not null unique); create table purchase (id serial primary key, customer_id int references customer)');
};

step 'prepared statements' => sub {
    my $statement = $db->prepare('insert into customer (email) values ($1) returning id', {pg_prepare_now => 1});
    for my $n (1 .. 10) { $statement->execute("$n\@x"); equal(($statement->fetchrow_array)[0], $n) }
    equal($db->last_insert_id(undef, undef, 'customer', undef), 10);
    my $tuples = $db->prepare('insert into customer (email) values (?)')->execute_array({}, [map { "b$_" } 1 .. 100]);
    equal($tuples, 100);
};

step 'transactions with savepoints' => sub {
    $db->begin_work;
    $db->do("insert into customer (email) values ('a\@x')");
    $db->pg_savepoint('s');
    fails('23505', sub { $db->do("insert into customer (email) values ('a\@x')") });
    $db->pg_rollback_to('s');
    $db->commit;
    $db->begin_work;
    $db->do('delete from customer');
    $db->rollback;
    equal(one('select count(*) from customer'), 111);
};

step 'errors by SQLSTATE' => sub {
    fails('42P01', sub { $db->do('select * from nowhere') });
    fails('42703', sub { $db->do('select nothing from customer') });
    fails('22012', sub { $db->selectrow_array('select 1 / ?::int', undef, 0) });
    fails('23503', sub { $db->do('insert into purchase (customer_id) values (0)') });
};

step 'COPY in and out' => sub {
    $db->do('create table copied (n int, body text)');
    $db->do('copy copied from stdin');
    $db->pg_putcopydata("$_\tone $_\n") for 1 .. 1000;
    $db->pg_putcopyend;
    $db->do('copy (select * from copied order by n) to stdout');
    my ($line, $count) = ('', 0);
    $count++ while $db->pg_getcopydata($line) >= 0;
    equal($count, 1000);
};

step 'cancel, asynchronous, timeout' => sub {
    my $statement = $db->prepare('select pg_sleep(20)', {pg_async => PG_ASYNC});
    $statement->execute;
    $statement->pg_cancel;
    $db->do("set statement_timeout = '50ms'");
    fails('57014', sub { $db->do('select count(*) from generate_series(1, 1000000000)') });
    $db->do('reset statement_timeout');
};

step 'LISTEN and NOTIFY' => sub {
    my $other = DBI->connect($source, $ENV{PGUSER}, $ENV{PGPASSWORD}, {%options});
    $db->do('listen news');
    $other->do("notify news, 'hello'");
    my $heard;
    for (1 .. 50) { $heard = $db->pg_notifies and last; select undef, undef, undef, 0.1 }
    equal($heard->[0], 'news');
    equal($heard->[2], 'hello');
    $other->disconnect;
};

step 'introspection' => sub {
    equal(join(',', sort map { $_->[2] } @{$db->table_info('', 'public', '%', 'TABLE')->fetchall_arrayref}), 'copied,customer,purchase');
    equal(join(',', map { $_->[3] } @{$db->column_info('', 'public', 'customer', '%')->fetchall_arrayref}), 'id,email');
    equal(join(',', $db->primary_key('', 'public', 'customer')), 'id');
    equal($db->foreign_key_info('', 'public', 'customer', '', 'public', 'purchase')->fetchall_arrayref->[0][7], 'customer_id');
    equal(scalar(@{$db->statistics_info('', 'public', 'customer', 0, 0)->fetchall_arrayref}), 3);
};

$db->disconnect;
exit($failed > 0 ? 1 : 0);

<?php
// PHP: PDO and the pgsql functions.
$failed = 0;
$db = null;

function step(string $name, callable $work): void
{
    global $failed, $db;
    try {
        $work();
        echo "ok   $name\n";
    } catch (Throwable $error) {
        $failed++;
        echo "FAIL $name: line {$error->getLine()}: ", preg_replace('/\s+/', ' ', $error->getMessage()), "\n";
        if ($db?->inTransaction()) {
            $db->rollBack();
        }
    }
}

function equal(mixed $found, mixed $wanted): void
{
    if ($found !== $wanted) {
        throw new Exception(json_encode($found) . ' instead of ' . json_encode($wanted));
    }
}

function fails(string $code, callable $work): void
{
    try {
        $work();
    } catch (PDOException $error) {
        equal($error->getCode(), $code);
        return;
    }
    throw new Exception("no error, $code was expected");
}

function one(string $text, array $values = []): mixed
{
    global $db;
    $statement = $db->prepare($text);
    $statement->execute($values);
    return $statement->fetchColumn();
}

$e = getenv();
$db = new PDO(
    "pgsql:host={$e['PGHOST']};port={$e['PGPORT']};dbname={$e['PGDATABASE']};sslmode=verify-ca;sslrootcert={$e['JOURNEY_CERTIFICATE']}",
    $e['PGUSER'],
    $e['PGPASSWORD'],
    [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_NUM],
);

step('connect over TLS with SCRAM', function () {
    equal(one('select ssl from pg_stat_ssl where pid = pg_backend_pid()'), true);
});

step('types round trip', function () use ($db) {
    $text = "Zoë 漢字 🙂 \\ ' \"";
    $bytes = implode('', array_map('chr', range(0, 255)));
    $statement = $db->prepare('select ?::int8, ?::int8, ?::numeric, ?::text, ?::bytea, ?::date, ?::bool, ?::float8, ?::text, ?::jsonb');
    $values = [PHP_INT_MIN, PHP_INT_MAX, '12345678901234567890.123456789', $text];
    foreach ($values as $at => $value) {
        $statement->bindValue($at + 1, $value, is_int($value) ? PDO::PARAM_INT : PDO::PARAM_STR);
    }
    $statement->bindValue(5, $bytes, PDO::PARAM_LOB);
    $statement->bindValue(6, '2024-02-29');
    $statement->bindValue(7, true, PDO::PARAM_BOOL);
    $statement->bindValue(8, 0.1);
    $statement->bindValue(9, null, PDO::PARAM_NULL);
    $statement->bindValue(10, '{"a": [1, null]}');
    $statement->execute();
    $row = $statement->fetch();
    equal(array_slice($row, 0, 4), $values);
    equal(stream_get_contents($row[4]), $bytes);
    equal([$row[5], $row[6], (float) $row[7], $row[8], $row[9]], ['2024-02-29', true, 0.1, null, '{"a": [1, null]}']);
});

step('definitions', function () use ($db) {
    $db->exec('create table customer (id serial primary key, email text not null unique); create table purchase (id serial primary key, customer_id int references customer)');
});

step('prepared statements', function () use ($db) {
    $statement = $db->prepare('insert into customer (email) values (:email)');
    for ($n = 1; $n <= 10; $n++) {
        $statement->execute(['email' => "$n@x"]);
    }
    equal($db->lastInsertId(), '10');
});

step('transactions with savepoints', function () use ($db) {
    $db->beginTransaction();
    $db->exec("insert into customer (email) values ('a@x')");
    $db->exec('savepoint s');
    fails('23505', fn () => $db->exec("insert into customer (email) values ('a@x')"));
    $db->exec('rollback to s');
    $db->commit();
    $db->beginTransaction();
    equal($db->exec('delete from customer'), 11);
    $db->rollBack();
    equal(one('select count(*) from customer'), 11);
});

step('errors by SQLSTATE', function () use ($db) {
    fails('42P01', fn () => $db->query('select * from nowhere'));
    fails('42703', fn () => $db->query('select nothing from customer'));
    fails('22012', fn () => one('select 1 / ?::int', [0]));
    fails('23503', fn () => $db->exec('insert into purchase (customer_id) values (0)'));
});

step('COPY in and out', function () use ($db) {
    $db->exec('create table copied (n int, body text)');
    equal($db->pgsqlCopyFromArray('copied', array_map(fn ($n) => "$n\tline $n", range(1, 1000))), true);
    equal(count($db->pgsqlCopyToArray('copied')), 1000);
});

step('cursor of the server', function () use ($db) {
    $db->beginTransaction();
    $statement = $db->prepare('select n from generate_series(1, 100) n', [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
    $statement->execute();
    equal($statement->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_LAST)[0], 100);
    equal($statement->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_ABS, 5)[0], 5);
    equal($statement->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_PRIOR)[0], 4);
    $statement = null;
    $db->commit();
});

step('timeout', function () use ($db) {
    $db->exec("set statement_timeout = '50ms'");
    fails('57014', fn () => $db->query('select count(*) from generate_series(1, 1000000000)'));
    $db->exec('reset statement_timeout');
});

step('LISTEN and NOTIFY', function () use ($db) {
    $db->exec('listen news');
    $db->exec("notify news, 'hello'");
    $heard = $db->pgsqlGetNotify(PDO::FETCH_ASSOC, 5000);
    equal([$heard['message'], $heard['payload']], ['news', 'hello']);
});

step('large objects', function () use ($db) {
    $db->beginTransaction();
    $oid = $db->pgsqlLOBCreate();
    $stream = $db->pgsqlLOBOpen($oid, 'w');
    fwrite($stream, str_repeat('abc', 5000));
    fclose($stream);
    equal(strlen(stream_get_contents($db->pgsqlLOBOpen($oid, 'r'))), 15000);
    equal($db->pgsqlLOBUnlink($oid), true);
    $db->commit();
});

step('the pgsql functions', function () use ($e) {
    $link = pg_connect("host={$e['PGHOST']} port={$e['PGPORT']} dbname={$e['PGDATABASE']} user={$e['PGUSER']} password='{$e['PGPASSWORD']}' sslmode=require");
    equal(pg_fetch_row(pg_query_params($link, 'select $1::int + 1', [41])), ['42']);
    equal(array_keys(pg_meta_data($link, 'customer')), ['id', 'email']);
    equal((bool) pg_insert($link, 'customer', ['email' => 'meta@x']), true);
    equal(pg_select($link, 'customer', ['email' => 'meta@x'])[0]['email'], 'meta@x');
    equal(@pg_query($link, 'select 1 / 0'), false);
    pg_send_query($link, 'select * from nowhere');
    equal(pg_result_error_field(pg_get_result($link), PGSQL_DIAG_SQLSTATE), '42P01');
    pg_close($link);
});

step('introspection', function () use ($db) {
    $meta = $db->query('select * from customer')->getColumnMeta(1);
    equal([$meta['name'], $meta['native_type'], $meta['table']], ['email', 'text', 'customer']);
});

exit($failed > 0 ? 1 : 0);

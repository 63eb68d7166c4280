# Ruby: the pg gem.
require 'pg'
$stdout.sync = true
$failed = 0

def step(name)
  yield
  puts "ok   #{name}"
rescue StandardError => e
  $failed += 1
  where = e.backtrace.find { |line| line.include?('journey.rb') && !line.include?("`equal'") }
  puts "FAIL #{name}: #{where.to_s[/:(\d+):/, 1]}: #{e.class} #{e.message.gsub(/\s+/, ' ')}"
  DB.exec('rollback') unless DB.transaction_status == PG::PQTRANS_IDLE
end

def equal(found, wanted)
  raise "#{found.inspect} instead of #{wanted.inspect}" unless found == wanted
end

def fails(code)
  yield
rescue PG::Error => e
  equal(e.result&.error_field(PG::PG_DIAG_SQLSTATE) || e.class::SQLSTATE, code)
else
  raise "no error, #{code} was expected"
end

SETTINGS = {
  host: ENV['PGHOST'], port: ENV['PGPORT'], user: ENV['PGUSER'], password: ENV['PGPASSWORD'], dbname: ENV['PGDATABASE'],
  sslmode: 'verify-ca', sslrootcert: ENV['JOURNEY_CERTIFICATE'], channel_binding: 'require'
}.freeze
DB = PG.connect(SETTINGS)
DB.set_notice_processor { |_| nil }
DB.type_map_for_results = PG::BasicTypeMapForResults.new(DB)
def one(text, values = [])
  DB.exec_params(text, values).getvalue(0, 0)
end

step('connect over TLS with SCRAM') do
  equal(one('select ssl from pg_stat_ssl where pid = pg_backend_pid()'), true)
  equal(DB.server_version / 10_000, 15)
  equal(DB.ssl_in_use?, true)
end

step('types round trip') do
  text = "Zoë 漢字 🙂 \\ ' \""
  bytes = (0..255).to_a.pack('C*')
  row = DB.exec_params(
    'select $1::int8, $2::int8, $3::numeric, $4::text, $5::bytea, $6::date, $7::bool, $8::float8, $9::text, $10::int[], $11::jsonb',
    [-(2**63), 2**63 - 1, '12345678901234567890.123456789', text, { value: bytes, format: 1 }, '2024-02-29', true, 0.1, nil,
     '{1,2,NULL}', '{"a": [1, null]}']
  ).values[0]
  equal(row[0..1], [-(2**63), 2**63 - 1])
  equal(row[2].to_s('F'), '12345678901234567890.123456789')
  equal(row[3], text)
  equal(row[4], bytes)
  equal(row[5].to_s, '2024-02-29')
  equal(row[6..10], [true, 0.1, nil, [1, 2, nil], { 'a' => [1, nil] }])
end

step('definitions') do
  DB.exec('create table customer (id serial primary key, email text not null unique); create table purchase (id serial primary key, customer_id int references customer)')
end

step('prepared statements') do
  DB.prepare('add', 'insert into customer (email) values ($1) returning id')
  10.times { |n| equal(DB.exec_prepared('add', ["#{n}@x"]).getvalue(0, 0), n + 1) }
  equal(DB.describe_prepared('add').nfields, 1)
end

step('transactions with savepoints') do
  DB.transaction do
    DB.exec("insert into customer (email) values ('a@x')")
    DB.exec('savepoint s')
    fails('23505') { DB.exec("insert into customer (email) values ('a@x')") }
    DB.exec('rollback to s')
  end
  begin
    DB.transaction do
      DB.exec('delete from customer')
      raise ArgumentError
    end
  rescue ArgumentError
    equal(one('select count(*) from customer'), 11)
  end
end

step('errors by SQLSTATE') do
  fails('42P01') { DB.exec('select * from nowhere') }
  fails('42703') { DB.exec('select nothing from customer') }
  fails('22012') { DB.exec_params('select 1 / $1::int', [0]) }
  fails('23503') { DB.exec('insert into purchase (customer_id) values (0)') }
end

step('pipeline') do
  DB.enter_pipeline_mode
  5.times { |n| DB.send_query_params('select $1::int', [n]) }
  DB.pipeline_sync
  found = []
  while (result = DB.get_result || DB.get_result)
    break if result.result_status == PG::PGRES_PIPELINE_SYNC

    found << result.getvalue(0, 0)
  end
  equal(found.map(&:to_i), [0, 1, 2, 3, 4])
  DB.exit_pipeline_mode
end

step('COPY in and out') do
  DB.exec('create table copied (n int, body text)')
  encoder = PG::TextEncoder::CopyRow.new
  result = DB.copy_data('copy copied from stdin', encoder) { 1000.times { |n| DB.put_copy_data([n, "line\t#{n}"]) } }
  equal(result.cmd_tuples, 1000)
  count = 0
  DB.copy_data('copy copied to stdout', PG::TextDecoder::CopyRow.new) { count += 1 while DB.get_copy_data }
  equal(count, 1000)
  binary = []
  DB.copy_data('copy copied to stdout (format binary)') do
    while (row = DB.get_copy_data)
      binary << row
    end
  end
  # A message per row, the signature in front of the first, and the trailer.
  equal([binary.size, binary[0].byteslice(0, 6), binary[-1].bytes], [1001, 'PGCOPY', [255, 255]])
end

step('single row mode') do
  DB.send_query('select n from generate_series(1, 5000) n')
  DB.set_single_row_mode
  sum = 0
  DB.get_result.stream_each { |row| sum += row['n'].to_i }
  equal(sum, 12_502_500)
  DB.get_result
end

step('cancel and timeout') do
  DB.send_query('select pg_sleep(20)')
  sleep 0.2
  DB.cancel
  fails('57014') { DB.get_last_result }
  DB.exec("set statement_timeout = '50ms'")
  fails('57014') { DB.exec('select count(*) from generate_series(1, 1000000000)') }
  DB.exec('reset statement_timeout')
end

step('LISTEN and NOTIFY') do
  other = PG.connect(SETTINGS)
  DB.exec('listen news')
  other.exec("notify news, 'hello'")
  heard = nil
  DB.wait_for_notify(5) { |channel, _, payload| heard = [channel, payload] }
  equal(heard, %w[news hello])
  other.close
end

step('large objects') do
  DB.transaction do
    oid = DB.lo_creat
    file = DB.lo_open(oid, PG::INV_WRITE | PG::INV_READ)
    DB.lo_write(file, 'abc' * 1000)
    DB.lo_lseek(file, 3, PG::SEEK_SET)
    equal(DB.lo_read(file, 3), 'abc')
    DB.lo_close(file)
    DB.lo_unlink(oid)
  end
end

DB.close
exit($failed.positive? ? 1 : 0)

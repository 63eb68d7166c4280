// JDBC: the PostgreSQL driver, text and binary transfer.
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.*;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PSQLException;

public class Journey {
    interface Work { void run() throws Exception; }

    static int failed = 0;
    static Connection db;

    static void step(String name, Work work) {
        try {
            work.run();
            System.out.println("ok   " + name);
        } catch (Throwable error) {
            failed++;
            int line = 0;
            for (StackTraceElement element : error.getStackTrace())
                if (element.getClassName().startsWith("Journey") && !element.getMethodName().matches("equal|fails")) {
                    line = element.getLineNumber();
                    break;
                }
            System.out.println("FAIL " + name + ": line " + line + ": " + String.valueOf(error).replaceAll("\\s+", " "));
            try {
                if (!db.getAutoCommit()) { db.rollback(); db.setAutoCommit(true); }
            } catch (SQLException ignored) { }
        }
    }

    static void equal(Object found, Object wanted) {
        if (!Objects.deepEquals(found, wanted)) throw new AssertionError(found + " instead of " + wanted);
    }

    static void fails(String code, Work work) throws Exception {
        try {
            work.run();
        } catch (SQLException error) {
            equal(error.getSQLState(), code);
            return;
        }
        throw new AssertionError("no error, " + code + " was expected");
    }

    static Object one(String text) throws SQLException {
        try (Statement statement = db.createStatement(); ResultSet rows = statement.executeQuery(text)) {
            rows.next();
            return rows.getObject(1);
        }
    }

    static void run(String text) throws SQLException {
        try (Statement statement = db.createStatement()) { statement.execute(text); }
    }

    static Connection open(String... more) throws SQLException {
        Properties options = new Properties();
        options.put("user", System.getenv("PGUSER"));
        options.put("password", System.getenv("PGPASSWORD"));
        options.put("sslmode", "verify-ca");
        options.put("sslrootcert", System.getenv("JOURNEY_CERTIFICATE"));
        for (int at = 0; at < more.length; at += 2) options.put(more[at], more[at + 1]);
        return DriverManager.getConnection("jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT")
            + "/" + System.getenv("PGDATABASE"), options);
    }

    static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> found = new ArrayList<>();
        while (rows.next()) found.add(rows.getString(name));
        return found;
    }

    public static void main(String[] arguments) throws Exception {
        db = open();
        step("connect over TLS with SCRAM", () -> {
            equal(one("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), true);
            equal(db.getMetaData().getDatabaseMajorVersion(), 15);
            fails("28P01", () -> open("password", "wrong"));
        });
        String text = "Zo\u00eb \u6f22\u5b57 \ud83d\ude42 \\ ' \"";
        UUID uuid = UUID.fromString("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
        byte[] bytes = new byte[256];
        for (int at = 0; at < 256; at++) bytes[at] = (byte) at;
        OffsetDateTime moment = OffsetDateTime.of(2024, 2, 29, 12, 34, 56, 789012000, ZoneOffset.UTC);
        step("types round trip", () -> {
            // Seven executions: the driver changes to a named statement and to binary transfer on the way.
            try (PreparedStatement s = db.prepareStatement("select ?::int8, ?::int8, ?::numeric, ?::text, ?::bytea, ?::date, "
                + "?::timestamptz, ?::uuid, ?::int4[], ?::text[], ?::text, ?::bool, ?::float8, ?::jsonb")) {
                for (int round = 0; round < 7; round++) {
                    s.setLong(1, Long.MIN_VALUE);
                    s.setLong(2, Long.MAX_VALUE);
                    s.setBigDecimal(3, new BigDecimal("12345678901234567890.123456789"));
                    s.setString(4, text);
                    s.setBytes(5, bytes);
                    s.setObject(6, LocalDate.of(2024, 2, 29));
                    s.setObject(7, moment);
                    s.setObject(8, uuid);
                    s.setArray(9, db.createArrayOf("int4", new Object[] {1, 2, null}));
                    s.setArray(10, db.createArrayOf("text", new Object[] {"a,b", "\"q\"", "NULL", null}));
                    s.setNull(11, Types.VARCHAR);
                    s.setBoolean(12, true);
                    s.setDouble(13, 0.1);
                    s.setString(14, "{\"a\": [1, null]}");
                    try (ResultSet rows = s.executeQuery()) {
                        rows.next();
                        equal(rows.getLong(1), Long.MIN_VALUE);
                        equal(rows.getLong(2), Long.MAX_VALUE);
                        equal(rows.getBigDecimal(3), new BigDecimal("12345678901234567890.123456789"));
                        equal(rows.getString(4), text);
                        equal(rows.getBytes(5), bytes);
                        equal(rows.getObject(6, LocalDate.class), LocalDate.of(2024, 2, 29));
                        equal(rows.getObject(7, OffsetDateTime.class), moment);
                        equal(rows.getObject(8), uuid);
                        equal(rows.getArray(9).getArray(), new Integer[] {1, 2, null});
                        equal(rows.getArray(10).getArray(), new String[] {"a,b", "\"q\"", "NULL", null});
                        equal(rows.getString(11), null);
                        equal(rows.getBoolean(12), true);
                        equal(rows.getDouble(13), 0.1);
                        equal(rows.getString(14), "{\"a\": [1, null]}");
                    }
                }
                equal(s.getParameterMetaData().getParameterTypeName(3), "numeric");
            }
        });
        step("definitions", () -> run("create table customer (id serial primary key, email text not null unique, credit int default 0);"
            + "create table purchase (id serial primary key, customer_id int not null references customer, note varchar(20));"
            + "create index purchase_note on purchase (note)"));
        step("batch, generated keys", () -> {
            try (PreparedStatement s = db.prepareStatement("insert into customer (email) values (?)", Statement.RETURN_GENERATED_KEYS)) {
                for (int n = 1; n <= 500; n++) { s.setString(1, n + "@x"); s.addBatch(); }
                equal(s.executeBatch().length, 500);
                equal(column(s.getGeneratedKeys(), "id").size(), 500);
            }
            fails("23505", () -> {
                try (Statement s = db.createStatement()) {
                    s.addBatch("insert into customer (email) values ('new@x')");
                    s.addBatch("insert into customer (email) values ('1@x')");
                    s.executeBatch();
                }
            });
            try (Connection rewriting = open("reWriteBatchedInserts", "true");
                PreparedStatement s = rewriting.prepareStatement("insert into purchase (customer_id, note) values (?, ?)")) {
                for (int n = 1; n <= 300; n++) { s.setInt(1, n); s.setString(2, "n" + n); s.addBatch(); }
                s.executeBatch();
            }
            equal(one("select count(*) from purchase"), 300L);
        });
        step("transactions with savepoints", () -> {
            db.setAutoCommit(false);
            db.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            run("insert into customer (email) values ('a@x')");
            Savepoint savepoint = db.setSavepoint();
            fails("23505", () -> run("insert into customer (email) values ('a@x')"));
            fails("25P02", () -> run("select 1"));
            db.rollback(savepoint);
            db.commit();
            run("delete from purchase");
            db.rollback();
            equal(one("select count(*) from purchase"), 300L);
            db.commit();
            db.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            db.setAutoCommit(true);
        });
        step("errors by SQLSTATE", () -> {
            fails("42P01", () -> run("select * from nowhere"));
            fails("42703", () -> run("select nothing from customer"));
            fails("22012", () -> run("select 1 / 0"));
            fails("23503", () -> run("insert into purchase (customer_id) values (0)"));
            try {
                run("insert into customer (email) values ('a@x')");
            } catch (PSQLException error) {
                equal(error.getServerErrorMessage().getConstraint(), "customer_email_key");
            }
        });
        step("serialization failure", () -> {
            try (Connection other = open(); Statement s = other.createStatement()) {
                db.setAutoCommit(false);
                db.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                one("select count(*) from customer");
                s.execute("update customer set credit = 5 where id = 1");
                fails("40001", () -> run("update customer set credit = 6 where id = 1"));
                db.rollback();
                db.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
                db.setAutoCommit(true);
            }
        });
        step("COPY in and out", () -> {
            CopyManager copy = db.unwrap(PGConnection.class).getCopyAPI();
            run("create table copied (n int, body text)");
            equal(copy.copyIn("copy copied from stdin (format csv)", new StringReader("1,\"a,b\"\n2,\n")), 2L);
            StringWriter out = new StringWriter();
            equal(copy.copyOut("copy copied to stdout (format csv)", out), 2L);
            equal(out.toString(), "1,\"a,b\"\n2,\n");
            fails("22P02", () -> copy.copyIn("copy copied from stdin (format csv)", new StringReader("x,y\n")));
        });
        step("cursor of the server", () -> {
            db.setAutoCommit(false);
            try (PreparedStatement s = db.prepareStatement("select n from generate_series(1, ?) n")) {
                s.setFetchSize(100);
                s.setInt(1, 5000);
                long sum = 0;
                try (ResultSet rows = s.executeQuery()) { while (rows.next()) sum += rows.getInt(1); }
                equal(sum, 12502500L);
            }
            run("create function opened() returns refcursor language plpgsql as $$ declare c refcursor; begin open c for select generate_series(1, 3); return c; end $$");
            try (CallableStatement s = db.prepareCall("{? = call opened()}")) {
                s.registerOutParameter(1, Types.REF_CURSOR);
                s.execute();
                equal(column((ResultSet) s.getObject(1), "generate_series"), List.of("1", "2", "3"));
            }
            db.commit();
            db.setAutoCommit(true);
        });
        step("updatable result", () -> {
            try (Statement s = db.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
                ResultSet rows = s.executeQuery("select id, email, credit from customer where id = 2")) {
                rows.next();
                rows.updateInt("credit", 77);
                rows.updateRow();
            }
            equal(one("select credit from customer where id = 2"), 77);
        });
        step("cancel and timeout", () -> {
            try (Statement s = db.createStatement()) {
                s.setQueryTimeout(1);
                fails("57014", () -> s.execute("select pg_sleep(20)"));
            }
            run("set statement_timeout = '50ms'");
            fails("57014", () -> run("select count(*) from generate_series(1, 1000000000)"));
            run("reset statement_timeout");
        });
        step("LISTEN and NOTIFY", () -> {
            try (Connection other = open(); Statement s = other.createStatement()) {
                run("listen news");
                s.execute("notify news, 'hello'");
                equal(db.unwrap(PGConnection.class).getNotifications(5000)[0].getParameter(), "hello");
            }
        });
        step("large objects", () -> {
            db.setAutoCommit(false);
            var manager = db.unwrap(PGConnection.class).getLargeObjectAPI();
            long oid = manager.createLO();
            var object = manager.open(oid);
            object.write("abcdef".getBytes());
            object.seek(3);
            equal(new String(object.read(3)), "def");
            object.close();
            manager.delete(oid);
            db.commit();
            db.setAutoCommit(true);
        });
        step("introspection", () -> {
            DatabaseMetaData data = db.getMetaData();
            equal(column(data.getTables(null, "public", "%", new String[] {"TABLE"}), "TABLE_NAME"), List.of("copied", "customer", "purchase"));
            equal(column(data.getColumns(null, "public", "customer", "%"), "COLUMN_NAME"), List.of("id", "email", "credit"));
            equal(column(data.getPrimaryKeys(null, "public", "customer"), "COLUMN_NAME"), List.of("id"));
            equal(column(data.getImportedKeys(null, "public", "purchase"), "PKTABLE_NAME"), List.of("customer"));
            equal(column(data.getExportedKeys(null, "public", "customer"), "FKTABLE_NAME"), List.of("purchase"));
            equal(column(data.getIndexInfo(null, "public", "purchase", false, false), "INDEX_NAME"), List.of("purchase_pkey", "purchase_note"));
            equal(column(data.getFunctions(null, "public", "%"), "FUNCTION_NAME"), List.of("opened"));
            equal(column(data.getSchemas(), "TABLE_SCHEM").contains("information_schema"), true);
            equal(column(data.getTypeInfo(), "TYPE_NAME").contains("jsonb"), true);
            equal(column(data.getTablePrivileges(null, "public", "customer"), "PRIVILEGE").contains("SELECT"), true);
            equal(data.getSQLKeywords().length() > 0, true);
            equal(column(data.getProcedures(null, "public", "%"), "PROCEDURE_NAME"), List.of());
            try (Statement s = db.createStatement(); ResultSet rows = s.executeQuery("select id, email as mail from customer")) {
                ResultSetMetaData meta = rows.getMetaData();
                equal(meta.getTableName(2), "customer");
                equal(meta.isAutoIncrement(1), true);
                equal(meta.isNullable(2), ResultSetMetaData.columnNoNulls);
            }
        });
        db.close();
        System.exit(failed > 0 ? 1 : 0);
    }
}

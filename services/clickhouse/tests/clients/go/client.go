// clickhouse-go over HTTP, unmodified and set up as Grafana's ClickHouse data source does it (pkg/plugin/driver.go of
// grafana/clickhouse-datasource): client PORT. Says "ok" at the end, or fails.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func connect(password string, compression clickhouse.CompressionMethod) *sql.DB {
	info := clickhouse.ClientInfo{}
	info.Products = append(info.Products, struct{ Name, Version string }{"grafana", "12.3.0"})
	return clickhouse.OpenDB(&clickhouse.Options{
		Addr:        []string{"127.0.0.1:" + os.Args[1]},
		Auth:        clickhouse.Auth{Database: "default", Username: "default", Password: password},
		ClientInfo:  info,
		Compression: &clickhouse.Compression{Method: compression},
		DialTimeout: 10 * time.Second,
		ReadTimeout: 60 * time.Second,
		HttpHeaders: map[string]string{"X-Dashboard-Uid": "abc", "X-Panel-Id": "2"},
		Protocol:    clickhouse.HTTP,
		Settings:    clickhouse.Settings{"max_execution_time": 60, "limit": 1000},
	})
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func equal(got, want any) {
	if !reflect.DeepEqual(got, want) {
		log.Fatalf("got %v, want %v", got, want)
	}
}

const table = `CREATE TABLE go (t DateTime64(3, 'UTC'), d Date, s LowCardinality(String), n Nullable(Int64), f Float64, a Array(String),
	m Map(String, UInt64), e Enum8('reported' = 1, 'unreported' = 2), u UUID, b Bool, p Tuple(x UInt8, y String))
	ENGINE = MergeTree ORDER BY t`

func main() {
	for _, compression := range []clickhouse.CompressionMethod{clickhouse.CompressionGZIP, clickhouse.CompressionLZ4, clickhouse.CompressionNone} {
		db := connect("s3cret", compression)
		must(db.Ping())
		use(db)
		must(db.Close())
	}
	wrong := connect("wrong", clickhouse.CompressionGZIP)
	if err := wrong.Ping(); err == nil || !strings.Contains(err.Error(), "516") {
		log.Fatalf("a wrong password: %v", err)
	}
	fmt.Println("ok")
}

func use(db *sql.DB) {
	_, err := db.Exec("DROP TABLE IF EXISTS go")
	must(err)
	_, err = db.Exec(table)
	must(err)
	at := time.Date(2026, 11, 1, 8, 0, 0, 123000000, time.UTC)
	insert(db, at)
	read(db, at)
	panel(db)
	errorsArrive(db)
}

func insert(db *sql.DB, at time.Time) {
	transaction, err := db.Begin()
	must(err)
	batch, err := transaction.Prepare("INSERT INTO go")
	must(err)
	for i := 0; i < 500; i++ {
		var n *int64
		if i%2 == 1 {
			odd := int64(i)
			n = &odd
		}
		_, err = batch.Exec(at.Add(time.Duration(i)*time.Second), at, fmt.Sprint("app", i%3), n, float64(i)/4, []string{"x", fmt.Sprint(i)},
			map[string]uint64{"k": uint64(i)}, "unreported", "7b003dde-5c1e-4b7a-9d3f-001f00c41032", i%2 == 0, []any{uint8(7), "y"})
		must(err)
	}
	must(transaction.Commit())
}

func read(db *sql.DB, at time.Time) {
	rows, err := db.Query("SELECT t, d, s, n, f, a, m, e, toString(u), b, p.y FROM go WHERE t >= {from:DateTime64(3)} ORDER BY t LIMIT 2",
		clickhouse.DateNamed("from", at, clickhouse.MilliSeconds))
	must(err)
	defer rows.Close()
	for i := 0; rows.Next(); i++ {
		var (
			t, d       time.Time
			s, e, u, y string
			n          *int64
			f          float64
			a          []string
			m          map[string]uint64
			b          bool
		)
		must(rows.Scan(&t, &d, &s, &n, &f, &a, &m, &e, &u, &b, &y))
		equal(t.UTC(), at.Add(time.Duration(i)*time.Second))
		equal([]any{s, f, e, u, y, b, n == nil}, []any{fmt.Sprint("app", i), float64(i) / 4, "unreported", "7b003dde-5c1e-4b7a-9d3f-001f00c41032", "y", i == 0, i == 0})
		equal(a, []string{"x", fmt.Sprint(i)})
		equal(m, map[string]uint64{"k": uint64(i)})
	}
	must(rows.Err())
}

// What a panel, the query builder and a health check ask.
func panel(db *sql.DB) {
	ctx := clickhouse.Context(context.Background(), clickhouse.WithUserLocation(time.UTC),
		clickhouse.WithClientInfo(clickhouse.ClientInfo{Comment: []string{"grafana_user:ann", "grafana_panel:2"}}))
	var buckets, most uint64
	must(db.QueryRowContext(ctx, `SELECT count(), max(c) FROM (SELECT toStartOfInterval(toDateTime(t), INTERVAL 60 second) AS time, s, count() AS c
		FROM go WHERE t >= toDateTime64(1793520000, 3) AND t <= toDateTime64(1793606400, 3) GROUP BY time, s ORDER BY time ASC)`).Scan(&buckets, &most))
	equal(buckets, uint64(27))
	var names int
	for _, query := range []string{"SELECT name FROM system.databases", "SELECT name FROM system.tables WHERE database = 'default'", "SHOW TABLES FROM default"} {
		rows, err := db.QueryContext(ctx, query)
		must(err)
		for rows.Next() {
			names++
		}
		must(rows.Err())
		rows.Close()
	}
	rows, err := db.QueryContext(ctx, `DESC TABLE "default"."go"`)
	must(err)
	columns, err := rows.Columns()
	must(err)
	equal(columns[:2], []string{"name", "type"})
	rows.Close()
	var version string
	must(db.QueryRowContext(ctx, "SELECT version()").Scan(&version))
	rows, err = db.QueryContext(ctx, "SELECT number FROM numbers(1000000) LIMIT 1000000 SETTINGS limit = 0")
	must(err)
	var sum, number uint64
	for rows.Next() {
		must(rows.Scan(&number))
		sum += number
	}
	must(rows.Err())
	equal(sum, uint64(499999500000))
}

func errorsArrive(db *sql.DB) {
	_, err := db.Query("SELECT * FROM no_such_table")
	var exception *clickhouse.Exception
	if err == nil || !(errors.As(err, &exception) && exception.Code == 60 || strings.Contains(err.Error(), "UNKNOWN_TABLE")) {
		log.Fatalf("an unknown table: %v", err)
	}
}

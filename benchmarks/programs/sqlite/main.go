// Command sqlite counts rows in an in-memory SQLite database (cgo: one very large C file).
package main

import (
	"database/sql"
	"fmt"
	"log"

	_ "github.com/mattn/go-sqlite3"
)

func main() {
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`create table numbers (n integer)`); err != nil {
		log.Fatal(err)
	}
	for n := range 10 {
		if _, err := db.Exec(`insert into numbers values (?)`, n); err != nil {
			log.Fatal(err)
		}
	}
	var rows, sum int
	if err := db.QueryRow(`select count(*), sum(n) from numbers`).Scan(&rows, &sum); err != nil {
		log.Fatal(err)
	}
	fmt.Println("rows", rows, "sum", sum)
}

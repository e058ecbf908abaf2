"""The machine that edits: it draws worlds and edits, and after each compares with `go build` from scratch."""

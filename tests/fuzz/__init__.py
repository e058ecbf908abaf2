"""The machine that edits: drawn worlds, drawn edits, and after each the comparison with `go build` from scratch."""

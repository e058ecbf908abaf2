module example.com/cgo_export

go 1.26

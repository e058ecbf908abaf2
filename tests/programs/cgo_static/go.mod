module example.com/cgo_static

go 1.26

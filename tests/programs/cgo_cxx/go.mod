module example.com/cgo_cxx

go 1.26

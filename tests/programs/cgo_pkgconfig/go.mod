module example.com/cgo_pkgconfig

go 1.26

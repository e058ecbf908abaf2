module example.com/cutoff

go 1.26

module example.com/ldx

go 1.26

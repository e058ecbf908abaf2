module example.com/cerror

go 1.26

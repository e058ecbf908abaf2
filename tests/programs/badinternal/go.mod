module example.com/badinternal

go 1.26

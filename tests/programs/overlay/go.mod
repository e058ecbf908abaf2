module example.com/overlay

go 1.26

module example.com/mainfile

go 1.26

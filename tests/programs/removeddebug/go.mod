module example.com/removeddebug

go 1.26

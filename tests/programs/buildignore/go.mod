module example.com/buildignore

go 1.26

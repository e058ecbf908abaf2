module example.com/bench-several

go 1.26

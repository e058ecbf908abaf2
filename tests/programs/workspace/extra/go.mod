module example.com/workspace/extra

go 1.25

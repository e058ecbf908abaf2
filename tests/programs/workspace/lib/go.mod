module example.com/workspace/lib

go 1.26

require example.com/workspace/extra v1.2.3

module example.com/missingmodule

go 1.26

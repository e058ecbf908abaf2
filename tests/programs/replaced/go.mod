module example.com/replaced

go 1.26

require (
	example.org/local v1.0.0
	example.org/other v0.5.0
)

replace (
	example.org/local => ./local
	example.org/other v0.5.0 => ./other
)

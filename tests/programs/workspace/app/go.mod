module example.com/workspace/app

go 1.26

require (
	example.com/workspace/extra v1.2.3
	example.com/workspace/lib v0.0.0
)

replace (
	example.com/workspace/extra => ../extra
	example.com/workspace/lib => ../lib
)
